"""What is told by two outcomes, or by one under two definitions, side by side: never a few people."""

from __future__ import annotations

import copy
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.disclosure import DisclosurePolicy, default_policy, load_policy
from evaluation.apart import definitions_apart
from evaluation.measure import Measured
from reports.gate.arms import arm_refusal
from reports.gate.counts import PeopleCounts
from reports.gate.definitions import told_apart
from reports.gate.participants import judge_summary
from reports.gate.verdict import WITHHELD, Ledger
from reports.release import Release, release
from synthetic_definitions import NEAR, OWN, WIDE, content, definition
from synthetic_run import ARMS, write_run

OPEN = load_policy("open_data")


def made(tmp_path: Path, *parts: Any, policy: DisclosurePolicy = OPEN) -> Release:
    return release(write_run(tmp_path / "run", *parts), policy, tmp_path / "release")


def test_an_estimate_that_was_not_made_is_in_no_file_unlike_one_of_a_few(tmp_path: Path) -> None:
    """An estimator refuses an outcome that never happens and serves one that happened to four: both are marked alike."""
    few, evidence = content(definition(NEAR, events=4, apart={OWN: 50}))
    few["estimates"][-1]["extra"]["behind"] = [
        {"arm": arm, "people": 216, "events": 4.0, "clusters": None} for arm in ARMS
    ]
    few["estimates"].insert(1, few["estimates"].pop())
    none = copy.deepcopy(few)
    del none["estimates"][1]
    nobody = copy.deepcopy(evidence)
    nobody["definitions"][1]["arms"] = definition(NEAR, events=0)["arms"]
    one, other = made(tmp_path, few, evidence), made(tmp_path / "2", none, nobody)
    assert one.items == other.items
    assert {**one.record, "fingerprint": ""} == {**other.record, "fingerprint": ""}
    assert {k: t for k, t in one.texts.items() if "fingerprint" not in k} == {
        k: t for k, t in other.texts.items() if "fingerprint" not in k
    }


def test_subgroups_are_not_shown_under_another_definition(tmp_path: Path) -> None:
    """Fifty people in each arm are told apart, of whom one in the smallest group: its two events would show her."""
    findings, evidence = content(definition(WIDE, apart={OWN: 50}))
    for place, events in ((0, 15.0), (-1, 16.0)):
        behind = [{"arm": arm, "people": 40, "events": events, "clusters": None} for arm in ARMS]
        findings["estimates"][place]["extra"]["groups"] = [
            {"group": "girls", "behind": behind, "value": events / 40, "standard_error": 0.05}
        ]
    found = made(tmp_path, findings, evidence)
    by = {e["key"]: e for e in found.record["estimates"]}
    assert by["primary"]["extra"]["groups"][0]["value"] == 0.375
    assert "groups" not in by[f"primary.{WIDE}"]["extra"]
    assert by[f"primary.{WIDE}"]["value"] != WITHHELD


def test_a_definition_of_which_nothing_is_said_is_withheld(tmp_path: Path) -> None:
    found = made(tmp_path, *content(definition(WIDE)))
    assert found.values(f"estimate.primary.{WIDE}.value") == WITHHELD


class TestTimes:
    """Forty people in an arm; under the wider definition most have their first event earlier."""

    def measured(self, time: list[float], event: list[bool], baseline: list[float] | None = None) -> Measured:
        return Measured(
            row=np.arange(len(time)),
            value=np.array(time),
            event=np.array(event) if event else None,
            entry=None,
            exposure=None,
            baseline=None if baseline is None else np.array(baseline),
        )

    def roster(self, people: int) -> Any:
        class Roster:
            arm = np.zeros(people, dtype=np.int64)
            unit = np.arange(people)

        return Roster()

    def test_two_times_are_told_apart_by_who_had_the_event(self) -> None:
        narrow = self.measured([300.0] * 40, [True] * 20 + [False] * 20)
        wide = self.measured([100.0] * 40, [True] * 22 + [False] * 18)
        assert definitions_apart(wide, narrow, self.roster(40), 0) == 2

    def test_the_same_outcome_with_another_baseline_is_told_apart_by_it(self) -> None:
        """The adjusted effect moves with one person's baseline."""
        a = self.measured([1.0, 0.0, np.nan], [], [0.0, 3.0, 1.0])
        b = self.measured([1.0, 0.0, np.nan], [], [0.0, 4.0, 1.0])
        assert definitions_apart(a, b, self.roster(3), 0) == 1
        assert definitions_apart(a, a, self.roster(3), 0) == 0


def pair(people: int, **changes: Any) -> list[dict[str, Any]]:
    return [
        {
            "outcome": "time_to_rearrest", "definition": None, "against": "rearrest", "against_definition": None,
            "arm": arm, "people": people,
        } | changes
        for arm in ARMS
    ]  # fmt: skip


@pytest.mark.parametrize(("people", "printed"), [(0, True), (1, False), (9, False), (10, True), (11, True)])
def test_two_outcomes_of_one_table_that_tell_a_few_apart_are_not_both_printed(
    tmp_path: Path, people: int, printed: bool
) -> None:
    """Events of a time less those of a binary outcome: people with an event whose window was not over."""
    findings, evidence = content()
    evidence["apart"] = pair(people)
    found = made(tmp_path, findings, evidence, policy=replace(OPEN, zeros_disclosive=True))
    assert found.values("primary.value") != WITHHELD
    assert (found.values("estimate.time_adjusted.value") != WITHHELD) is printed
    assert (found.values("outcome.time_to_rearrest.no_aid.events") != WITHHELD) is printed
    assert bool(found.record["curves"]) is printed
    assert '"people": 9' not in str(found.record) and "apart" not in found.record


def test_an_outcome_is_held_only_against_what_is_printed() -> None:
    people = PeopleCounts(OPEN)
    rows = pair(3) + pair(2, outcome="third", against="time_to_rearrest")
    assert set(told_apart([], people, rows)) == {("time_to_rearrest", None)}
    assert set(told_apart([], people, [{**rows[0], "name": "somebody"}])) == {("time_to_rearrest", None)}


@pytest.mark.parametrize(("people", "printed"), [(1, False), (9, False), (10, True), (11, True)])
def test_thirty_offences_of_one_child_are_one_person(people: int, printed: bool) -> None:
    row = {
        "outcome": "violence", "arm": "aid", "people": 60, "observed": 60, "events": 30.0, "mean": 0.5, "sd": 3.9,
        "exposure": 60.0, "with_event": people,
    }  # fmt: skip
    found = judge_summary(row, "count", PeopleCounts(default_policy()), Ledger(), "outcome.violence.aid")
    assert (found["events"] == 30) is (found["rate"] == 0.5) is printed
    arm = {"arm": "aid", "people": 60, "events": 30.0, "clusters": None, "with_event": people}
    assert (arm_refusal(arm, "count", OPEN) is None) is printed
    assert "with_event" not in found


COUNTINGS = (("first", OWN), ("first", WIDE), ("first", NEAR), ("second", OWN), ("second", WIDE))


@given(
    sizes=st.lists(st.integers(0, 25), min_size=5, max_size=5),
    starts=st.lists(st.integers(0, 12), min_size=5, max_size=5),
)
@settings(max_examples=300, deadline=None)
def test_no_two_countings_that_are_printed_tell_a_few_people_apart(
    sizes: list[int], starts: list[int]
) -> None:
    """Two outcomes in one table, under three definitions and two: who has the event is a run of numbered people."""
    events = [set(range(a, a + n)) for a, n in zip(starts, sizes, strict=True)]
    who = dict(zip(COUNTINGS, events, strict=True))
    rows: list[dict[str, Any]] = []
    for outcome, name in COUNTINGS:
        before = [row["id"] for row in rows if row["outcome"] == outcome]
        apart = {other: len(who[outcome, name] ^ who[outcome, other]) for other in before}
        rows.append(definition(name, own=not before, apart=apart) | {"outcome": outcome})
    order = [*COUNTINGS[::3], *COUNTINGS[1:3], COUNTINGS[4]]
    said = {one: (one[0], None if one[1] == OWN else one[1]) for one in order}
    pairs = [
        dict(
            zip(
                ("outcome", "definition", "against", "against_definition"),
                said[one] + said[other],
                strict=True,
            )
        )
        | {"arm": "aid", "people": len(who[one] ^ who[other])}
        for k, one in enumerate(order)
        for other in order[:k]
        if one[0] != other[0]
    ]
    refused = told_apart(rows, PeopleCounts(OPEN), pairs)
    printed = [one for one in order if said[one] not in refused]
    assert COUNTINGS[0] in printed
    for one, other in itertools.combinations(printed, 2):
        assert len(who[one] ^ who[other]) not in range(1, 10)


@pytest.mark.parametrize(("ones", "printed"), [(3, False), (9, False), (10, True), (50, True), (51, False)])
def test_a_mean_of_zeros_and_ones_is_a_proportion(ones: int, printed: bool) -> None:
    """A mean of 0.05 over sixty people is three of them."""
    share = ones / 60
    row = {
        "outcome": "excluded", "arm": "aid", "people": 60, "observed": 60, "events": None, "mean": share,
        "sd": (share * (1 - share) * 60 / 59) ** 0.5, "exposure": None,
    }  # fmt: skip
    found = judge_summary(row, "mean", PeopleCounts(OPEN), Ledger(), "outcome.excluded.aid")
    assert (found["mean"] != WITHHELD) is (found["sd"] != WITHHELD) is printed


@pytest.mark.parametrize(("people", "printed"), [(1, False), (9, False), (10, True)])
def test_a_mean_that_is_zero_for_all_but_a_few_is_theirs(people: int, printed: bool) -> None:
    row = {
        "outcome": "days", "arm": "aid", "people": 60, "observed": 60, "events": None, "mean": 0.5, "sd": 3.9,
        "exposure": None, "with_event": people,
    }  # fmt: skip
    found = judge_summary(row, "mean", PeopleCounts(OPEN), Ledger(), "outcome.days.aid")
    arm = {"arm": "aid", "people": 60, "events": None, "clusters": None, "with_event": people}
    assert (found["mean"] != WITHHELD) is (arm_refusal(arm, "mean", OPEN) is None) is printed
