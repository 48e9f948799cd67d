"""Choices that make no sense are refused when the study is read, or planned."""

from __future__ import annotations

from typing import Any

import pytest

from data_contracts.refusal import Refusal
from derivation_examples import example
from evaluation.plan import make_plan
from experiments.derivation import DerivationRefused
from experiments.load import protocol_from
from experiments.protocol import ProtocolRefused
from spoilt_derivations import said, says

SURVEYS = ("sdq_scores", "srds_scores")


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("events_in_window", {"first_day": -1}, "first_day: found -1; expected 0 days or more"),
        ("events_in_window", {"recording_lag_days": -1}, "recording_lag_days: found -1"),
        ("events_in_window", {"before_days": 0}, "before_days: found 0; expected 1 days or more"),
        ("events_in_window", {"without_rows": "zero"}, "without_rows.*no events"),
        ("events_in_window", {"definition": "near_miss_homicide"}, "definition.*expected NAME@VERSION"),
        ("events_in_window", {"definition": "near_miss_homicide@1"}, "definition.*expected NAME@VERSION"),
        ("events_in_window", {"also_under": ["near_miss_homicide@1.0.0"]}, "definition: found nothing"),
        (
            "events_in_window",
            {"definition": "near_miss_homicide@1.0.0", "classes": None},
            "classes: found nothing.*by their class",
        ),
        (
            "events_in_window",
            {"definition": "near_miss_homicide@1.0.0", "also_under": ["near_miss_homicide@1.1.0"]},
            "also_under: found a definition named twice",
        ),
        ("proven_reoffending", {"definition": "latest"}, "definition.*expected NAME@VERSION"),
        ("linked_incidents", {"hours": 0}, "hours: found 0.0; expected above zero"),
        ("linked_incidents", {"hours": float("nan")}, "hours: found nan; expected above zero"),
        ("linked_incidents", {"first_day": -1}, "first_day: found -1"),
        (
            "srds_scores",
            {"timing": {"date": "asked", "start": "start", "earliest_day": 2, "latest_day": 1}},
            "earliest_day",
        ),
        (
            "srds_scores",
            {"waves": {"column": "wave", "at": "a", "before": "a"}},
            "waves.before: found the wave of",
        ),
        (
            "srds_scores",
            {"waves": {"column": "wave", "at": 2, "before": "a"}},
            "waves.before: found text beside",
        ),
        ("sdq_scores", {"where": None}, "where: found nothing"),
        ("sdq_scores", {"timing": None}, "timing: found nothing"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused_when_the_study_is_read(
    name: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refusal, match=message) as refused:
        protocol_from(said(example(name).protocol, **changes), where="spoilt")
    assert refused.value.where.startswith("outcomes.y.derive")
    says(refused)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (
            "proven_reoffending",
            {"follow_up_days": 180},
            "follow_up_days: found 180; .*over one year.*events_in_window",
        ),
        ("proven_reoffending", {"follow_up_days": 364}, "follow_up_days: found 364"),
        ("events_in_window", {"column": "counts"}, "'counts'.*Did you mean 'count'"),
        ("events_in_window", {"column": "on"}, "a column that 'events_in_window' makes"),
        (
            "sdq_scores",
            {"baseline": "total_start"},
            "'total_start'; expected a column that 'sdq_scores' makes.* total_before",
        ),
        (
            "events_in_window",
            {"kind": "recurrent", "event": "any", "time_unit_days": 1},
            "a derivation for a recurrent",
        ),
        (
            "events_in_window",
            {"kind": "time", "column": "days_to_first", "event": "first_seen", "time_unit_days": 7},
            "time_unit_days: found 7; expected 1: a derived time is in days",
        ),
    ],
)
def test_an_outcome_that_the_derivation_does_not_make_is_refused(
    name: str, changes: dict[str, Any], message: str
) -> None:
    content = said(example(name).protocol)
    content["outcomes"]["y"] |= changes
    with pytest.raises(Refusal, match=message) as refused:
        protocol_from(content, where="spoilt")
    assert refused.value.where.startswith("outcomes.y")
    says(refused)


@pytest.mark.parametrize(
    ("name", "changes", "baseline"),
    [
        ("events_in_window", {"before_days": None}, "count_before"),
        ("sdq_scores", {"waves": {"column": "wave", "at": "after"}, "timing": "whenever"}, "total_before"),
        ("srds_scores", {"waves": {"column": "wave", "at": "after"}, "timing": "whenever"}, "variety_before"),
    ],
)
def test_a_baseline_is_refused_where_nothing_before_is_asked_for(
    name: str, changes: dict[str, Any], baseline: str
) -> None:
    content = said(example(name).protocol)
    content["outcomes"]["y"]["baseline"] = baseline
    protocol_from(content, where="whole")
    content["outcomes"]["y"]["derive"] |= changes
    with pytest.raises(Refusal, match="without it nothing before is made") as refused:
        protocol_from(content, where="spoilt")
    says(refused)


@pytest.mark.parametrize("name", SURVEYS)
def test_a_wave_before_has_a_last_day_and_no_wave_has_none(name: str) -> None:
    this = example(name)
    timing = {"date": "asked", "start": "start", "earliest_day": 30, "latest_day": 60}
    with pytest.raises(
        DerivationRefused, match=r"found nothing.*a baseline answered later is no baseline"
    ) as refused:
        protocol_from(said(this.protocol, timing=timing), where="spoilt")
    assert refused.value.where == "outcomes.y.derive.timing.before_latest_day"
    alone = {"column": "wave", "at": "after"}
    with pytest.raises(DerivationRefused, match="a day, while no wave before is named"):
        protocol_from(said(this.protocol, waves=alone), where="spoilt")
    protocol_from(said(this.protocol, waves=alone, timing=timing), where="mended")


@pytest.mark.parametrize(
    ("name", "changes", "wait", "passes"),
    [
        ("events_in_window", {"first_day": 0}, 30, True),
        (
            "events_in_window",
            {"first_day": 1},
            30,
            False,
        ),  # its last day is the day on which the others are offered it
        ("events_in_window", {"first_day": 1}, 31, True),
        ("linked_incidents", {"first_day": 5}, 34, False),
        ("srds_scores", {}, 60, True),
        ("srds_scores", {}, 59, False),
    ],
)
def test_a_window_may_not_pass_the_wait_of_those_who_wait(
    name: str, changes: dict[str, Any], wait: int, passes: bool
) -> None:
    this = example(name)
    content = said(this.protocol, **changes)
    content["design"] = {"scheme": "wait_list", "waiting": "usual", "wait_days": wait}
    content["outcomes"]["y"]["follow_up_days"] = 30
    protocol = protocol_from(content, where="waiting")
    if passes:
        make_plan(protocol, this.contracts)
        return
    with pytest.raises(ProtocolRefused, match=f"expected at most {wait}") as refused:
        make_plan(protocol, this.contracts)
    assert refused.value.where == "outcomes.y.follow_up_days"
    says(refused)
