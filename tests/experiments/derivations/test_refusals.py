"""What a derivation refuses: each refusal says where, what to do, and no value of any person."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data_contracts.catalogue import names
from data_contracts.refusal import Refusal
from data_contracts.table import Dtype, TableContract
from derivation_examples import Example, example
from evaluation.columns import check_columns
from evaluation.plan import make_plan
from experiments.derivation import DerivationRefused, Rows
from experiments.load import protocol_from
from experiments.protocol import Protocol, ProtocolRefused, declared
from small_tables import column, contract, roster, study

DERIVATIONS = names("experiments.derivations")
COUNTED = ("events_in_window", "proven_reoffending", "linked_incidents")
SURVEYS = ("sdq_scores", "srds_scores")
SECRET = "Q7-secret-person"


def says(refused: pytest.ExceptionInfo[Refusal], *values: str) -> str:
    """The message, found to say what to do and to hold none of `values`."""
    message = str(refused.value)
    assert refused.value.where and refused.value.remedy and refused.value.expected
    for value in (SECRET, *values):
        assert re.search(rf"\b{re.escape(value)}\b", message) is None
    return message


def derive(this: Example, rows: Rows) -> pd.DataFrame:
    return this.derivation.derive(rows, None)


def with_frame(rows: Rows, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Rows:
    """The same with one table's frame changed."""
    tables = {
        key: replace(item, frame=change(item.frame.copy())) if key == name else item
        for key, item in rows.tables.items()
    }
    return replace(rows, tables=tables, table=tables[rows.table.contract.name])


def with_extracted(rows: Rows, name: str, extracted: Any) -> Rows:
    tables = {
        key: replace(item, extracted=extracted) if key == name else item for key, item in rows.tables.items()
    }
    return replace(rows, tables=tables, table=tables[rows.table.contract.name])


def set_all(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{column: value})


def set_first(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[0], column] = value
        return frame

    return change


def said(protocol: Protocol, **derive: Any) -> dict[str, Any]:
    """A study as a dictionary, with changes to its derivation."""
    content = declared(protocol)
    content["outcomes"]["y"]["derive"] |= derive
    return content


# Ids


@pytest.mark.parametrize(
    ("name", "table", "column", "key"),
    [
        ("events_in_window", "offences", "who", "by"),
        ("events_in_window", "stays", "who", "custody.by"),
        ("events_in_window", "searches", "who", "without_rows.by"),
        ("proven_reoffending", "offences", "who", "by"),
        ("proven_reoffending", "searches", "who", "without_rows.by"),
        ("sdq_scores", "survey", "who", "by"),
        ("srds_scores", "survey", "who", "by"),
        ("linked_incidents", "incidents", "spot", "place"),
        ("linked_incidents", "attendances", "spot", "department.place"),
    ],
)
def test_a_table_of_strangers_is_refused_under_the_key_that_names_its_ids(
    name: str, table: str, column: str, key: str
) -> None:
    this = example(name)
    strangers = with_frame(
        this.rows, table, lambda f: f.assign(**{column: [f"{SECRET}-{i}" for i in range(len(f))]})
    )
    with pytest.raises(DerivationRefused, match="same project key") as refused:
        derive(this, strangers)
    assert refused.value.where == f"outcomes.y.derive.{key}"
    says(refused, *this.rows.units["person"])


@pytest.mark.parametrize("name", DERIVATIONS)
def test_ids_of_another_type_than_the_rosters_are_refused_before_data_are_read(name: str) -> None:
    this = example(name)
    integers = {"events_in_window": 3, "proven_reoffending": 2, "linked_incidents": 2}.get(name, 1)
    refusals = set()
    for need in this.derivation.needs(this.rows.table.contract.name):
        if need.holds == "units":
            with pytest.raises(ProtocolRefused, match="the type of the roster's ids, string") as refused:
                make_plan(this.protocol, retyped(this.contracts, need.table, need.column, "integer"))
            refusals.add(refused.value.where)
    assert len(refusals) == integers


def retyped(
    contracts: dict[str, TableContract], table: str, column: str, dtype: Dtype
) -> dict[str, TableContract]:
    types: dict[str, Dtype] = {name: c.dtype for name, c in contracts[table].columns.items()}
    return {**contracts, table: contract(table, {**types, column: dtype})}


# Types at plan time


@pytest.mark.parametrize(
    ("name", "table", "column", "dtype", "key", "expected"),
    [
        ("events_in_window", "offences", "on", "string", "date", "a column of dates"),
        ("events_in_window", "people", "start", "integer", "start", "a column of dates"),
        ("events_in_window", "stays", "came", "string", "custody.entered", "a column of dates"),
        ("events_in_window", "stays", "went", "number", "custody.released", "a column of dates"),
        ("events_in_window", "searches", "found", "string", "without_rows.found", "a column of 0 and 1"),
        ("events_in_window", "offences", "code", "integer", "classes", "a column of text"),
        ("proven_reoffending", "offences", "decided", "string", "proven_date", "a column of dates"),
        ("proven_reoffending", "people", "start", "string", "index_date", "a column of dates"),
        ("sdq_scores", "survey", "fidgety", "string", "method", "a column of numbers"),
        ("sdq_scores", "survey", "wave", "integer", "waves.column", "a column of text"),
        ("sdq_scores", "survey", "asked", "string", "timing.date", "a column of dates"),
        ("srds_scores", "survey", "act_b", "string", "acts", "a column of numbers"),
        ("srds_scores", "survey", "act_b", "date", "acts", "a column of numbers"),
        ("linked_incidents", "incidents", "at", "date", "time", "a column of times of day"),
        ("linked_incidents", "attendances", "hurt", "date", "department.time", "a column of times of day"),
    ],
)  # fmt: skip
def test_a_column_of_another_type_is_refused_before_data_are_read(
    name: str, table: str, column: str, dtype: Dtype, key: str, expected: str
) -> None:
    this = example(name)
    with pytest.raises(ProtocolRefused, match=rf"'{column}'.* as a {dtype}; expected {expected}") as refused:
        make_plan(this.protocol, retyped(this.contracts, table, column, dtype))
    assert refused.value.where == f"outcomes.y.derive.{key}"
    says(refused)


@pytest.mark.parametrize(
    ("name", "key", "condition"),
    [
        ("events_in_window", "where", "kept == '1'"),
        ("proven_reoffending", "proven", "outcome in [1, 2]"),
        ("sdq_scores", "where", "informant == 1"),
        ("srds_scores", "where", "asked >= 20240101"),
        ("linked_incidents", "where", "kept == 'yes'"),
    ],
)
def test_a_condition_that_no_row_can_meet_is_refused_before_data_are_read(
    name: str, key: str, condition: str
) -> None:
    """Left to run it would hold of no row, and everybody's count would be zero."""
    this = example(name)
    protocol = protocol_from(said(this.protocol, **{key: condition}), where="spoilt")
    with pytest.raises(
        ProtocolRefused, match=r"compares values of different types.*Text stands in quotes"
    ) as refused:
        make_plan(protocol, this.contracts)
    assert refused.value.where == f"outcomes.y.derive.{key}"
    says(refused)


def test_a_label_that_the_contract_does_not_list_is_refused_before_data_are_read() -> None:
    """A misspelt label would leave its offences out of every count without a word."""
    this = example("proven_reoffending")
    types: dict[str, Dtype] = {key: c.dtype for key, c in this.contracts["offences"].columns.items()}
    offences = contract("offences", types)
    listed = replace(column("string"), allowed=("convicted", "cautioned", "dropped"))
    contracts = {
        **this.contracts,
        "offences": replace(offences, columns={**offences.columns, "outcome": listed}),
    }
    make_plan(this.protocol, contracts)
    protocol = protocol_from(
        said(this.protocol, proven="outcome in ['convicted', 'caution']"), where="spoilt"
    )
    with pytest.raises(
        ProtocolRefused, match=r"looks for 'caution' in 'outcome'.*Did you mean 'cautioned'"
    ) as refused:
        make_plan(protocol, contracts)
    assert refused.value.where == "outcomes.y.derive.proven"
    says(refused)


@pytest.mark.parametrize("name", SURVEYS)
@pytest.mark.parametrize("key", ["at", "before"])
def test_a_wave_that_the_contract_does_not_list_is_refused_before_data_are_read(name: str, key: str) -> None:
    this = example(name)
    survey = this.contracts["survey"]
    listed = replace(column("string"), allowed=("start", "after"))
    contracts = {**this.contracts, "survey": replace(survey, columns={**survey.columns, "wave": listed})}
    make_plan(this.protocol, contracts)
    waves = {"column": "wave", "at": "after", "before": "start", key: "middle"}
    with pytest.raises(
        ProtocolRefused, match=r"looks for 'middle' in 'wave'.*Choices: after, start"
    ) as refused:
        make_plan(protocol_from(said(this.protocol, waves=waves), where="spoilt"), contracts)
    assert refused.value.where == f"outcomes.y.derive.waves.{key}"
    says(refused)


def test_a_definition_that_compares_a_flag_with_what_it_never_is_is_refused() -> None:
    this = example("events_in_window")
    protocol = protocol_from(said(this.protocol, definition="serious_violence_strategy@1.1.0"), where="flags")
    types: dict[str, Dtype] = {key: c.dtype for key, c in this.contracts["offences"].columns.items()}
    make_plan(protocol, {**this.contracts, "offences": contract("offences", {**types, "knife": "integer"})})
    with pytest.raises(
        ProtocolRefused, match=r"'Knife-enabled' says .knife == 1., which compares values of different types"
    ) as refused:
        make_plan(
            protocol, {**this.contracts, "offences": contract("offences", {**types, "knife": "string"})}
        )
    says(refused)


def test_waves_in_numbers_are_read_from_a_column_of_numbers() -> None:
    this = example("srds_scores")
    content = said(this.protocol, waves={"column": "wave", "at": 2, "before": 1})
    protocol = protocol_from(content, where="numbers")
    with pytest.raises(ProtocolRefused, match=r"'wave'.* as a string; expected a column of whole numbers"):
        make_plan(protocol, this.contracts)
    make_plan(protocol, retyped(this.contracts, "survey", "wave", "integer"))


# Dates


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("events_in_window", "start"),
        ("proven_reoffending", "index_date"),
        ("sdq_scores", "timing.start"),
        ("srds_scores", "timing.start"),
        ("linked_incidents", "start"),
    ],
)
def test_a_unit_without_a_start_is_refused(name: str, key: str) -> None:
    this = example(name)
    units = set_first("start", pd.NaT)(this.rows.units.copy())
    with pytest.raises(DerivationRefused, match=r"1 units without a date.*complete the roster") as refused:
        derive(this, replace(this.rows, units=units))
    assert refused.value.where == f"outcomes.y.derive.{key}"
    says(refused, *this.rows.units["person"])


@pytest.mark.parametrize(
    ("name", "column", "key", "condition"),
    [("events_in_window", "on", "date", "where"), ("proven_reoffending", "on", "offence_date", "proven")],
)
def test_an_event_that_counts_without_a_date_is_refused_with_the_condition_to_add(
    name: str, column: str, key: str, condition: str
) -> None:
    this = example(name)
    with pytest.raises(DerivationRefused, match="1 events that count") as refused:
        derive(this, with_frame(this.rows, "offences", set_first(column, pd.NaT)))
    assert refused.value.where == f"outcomes.y.derive.{key}"
    assert f"Add `not missing(on)` to `{condition}`" in says(refused, *this.rows.units["person"])
    content = said(this.protocol)
    old = content["outcomes"]["y"]["derive"][condition]
    mended = protocol_from(said(this.protocol, **{condition: f"({old}) and not missing(on)"}), where="mended")
    derivation = mended.outcomes["y"].derive
    assert derivation is not None
    derivation.derive(with_frame(this.rows, "offences", set_first(column, pd.NaT)), None)


@pytest.mark.parametrize(
    ("table", "column"), [("incidents", "at"), ("incidents", "spot"), ("attendances", "hurt")]
)
def test_a_record_without_place_or_time_cannot_be_linked(table: str, column: str) -> None:
    this = example("linked_incidents")
    with pytest.raises(Refusal, match=r"1 records without a place or a time.*where: not missing") as refused:
        derive(this, with_frame(this.rows, table, set_first(column, None)))
    says(refused, "2024-01-05", "north")


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("events_in_window", "offences"),
        ("events_in_window", "stays"),
        ("proven_reoffending", "offences"),
        ("linked_incidents", "incidents"),
        ("linked_incidents", "attendances"),
    ],
)
def test_a_delivery_must_say_when_it_was_extracted_and_not_in_the_future(name: str, table: str) -> None:
    this = example(name)
    with pytest.raises(DerivationRefused, match=rf"{table}\.vintage\.yaml") as refused:
        derive(this, with_extracted(this.rows, table, None))
    assert "extracted: YYYY-MM-DD" in says(refused)
    later = (pd.Timestamp.today() + pd.Timedelta(days=2)).date()
    with pytest.raises(DerivationRefused, match="still to come") as refused:
        derive(this, with_extracted(this.rows, table, later))
    assert f"{table}.vintage.yaml" in says(refused)


@pytest.mark.parametrize("name", SURVEYS)
def test_a_survey_needs_no_date_of_extraction(name: str) -> None:
    this = example(name)
    assert this.rows.table.extracted is None
    derive(this, this.rows)


# Rows


@pytest.mark.parametrize("name", SURVEYS)
@pytest.mark.parametrize("wave", ["start", "after"])
def test_a_wave_that_nobody_answered_is_refused(name: str, wave: str) -> None:
    this = example(name)
    empty = with_frame(this.rows, "survey", lambda frame: frame[frame["wave"] != wave])
    with pytest.raises(
        DerivationRefused, match=rf"no row of the wave '{wave}'.*against the contract"
    ) as refused:
        derive(this, empty)
    says(refused, *this.rows.units["person"])


@pytest.mark.parametrize("name", SURVEYS)
def test_two_answers_of_one_unit_at_a_wave_are_refused(name: str) -> None:
    """As where a young person's and a parent's answers are in one table."""
    this = example(name)
    kept = {
        "sdq_scores": "informant == 'self' or informant == 'parent'",
        "srds_scores": "missing(done) or not missing(done)",
    }
    protocol = protocol_from(said(this.protocol, where=kept[name]), where="two")
    derivation = protocol.outcomes["y"].derive
    assert derivation is not None
    with pytest.raises(
        DerivationRefused, match=r"1 rows of the wave 'after' beyond the first.*informant"
    ) as refused:
        derivation.derive(this.rows, None)
    assert refused.value.where == "outcomes.y.derive.where"
    says(refused, *this.rows.units["person"])


@pytest.mark.parametrize("name", ["events_in_window", "proven_reoffending"])
def test_a_search_that_repeats_a_unit_is_refused(name: str) -> None:
    this = example(name)
    twice = with_frame(
        this.rows, "searches", lambda frame: pd.concat([frame, frame.head(1)], ignore_index=True)
    )
    with pytest.raises(
        DerivationRefused, match=r"1 rows of searches that repeat a unit.*Keep the last"
    ) as refused:
        derive(this, twice)
    says(refused, *this.rows.units["person"])


@pytest.mark.parametrize("name", ["proven_reoffending", *SURVEYS])
def test_a_roster_of_periods_is_refused_where_every_period_would_get_one_outcome(name: str) -> None:
    this = example(name)
    units = pd.concat([this.rows.units, this.rows.units.set_axis(this.rows.units.index + " again", axis=0)])
    with pytest.raises(DerivationRefused, match="several periods to a unit") as refused:
        derive(this, replace(this.rows, units=units))
    says(refused, *this.rows.units["person"])


@pytest.mark.parametrize("name", ["events_in_window", "linked_incidents"])
def test_a_roster_of_periods_is_served_where_each_has_its_own_start(name: str) -> None:
    this = example(name)
    again = this.rows.units.set_axis(this.rows.units.index + " again", axis=0)
    made = derive(this, replace(this.rows, units=pd.concat([this.rows.units, again])))
    first, second = made.iloc[: len(again)], made.iloc[len(again) :]
    pd.testing.assert_frame_equal(first, second.set_axis(first.index, axis=0))


# Choices


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


# Definitions


def pinned(tmp_path: Path, *named: str) -> Any:
    this = example("events_in_window")
    own, *others = named
    protocol = protocol_from(said(this.protocol, definition=own, also_under=others), where="pinned")
    return make_plan(protocol, this.contracts, beside=tmp_path)


def test_a_definition_of_another_version_is_refused_with_the_version_at_hand(tmp_path: Path) -> None:
    assert [d.id for d in pinned(tmp_path, "near_miss_homicide@1.0.0").definitions["y"]] == [
        "near_miss_homicide"
    ]
    for named in (("near_miss_homicide@0.9.0",), ("near_miss_homicide@1.0.0", "violence_with_injury@1.0.0")):
        with pytest.raises(Refusal, match=r"the file at hand has version.*expected '.*@1") as refused:
            pinned(tmp_path, *named)
        assert refused.value.where == "outcomes.y.derive"
        says(refused)
    with pytest.raises(Refusal, match="Did you mean 'near_miss_homicide'"):
        pinned(tmp_path, "near_mis_homicide@1.0.0")


def test_a_definition_that_asks_for_a_column_that_is_not_there_is_refused_before_data_are_read(
    tmp_path: Path,
) -> None:
    with pytest.raises(
        ProtocolRefused, match=r"'Knife-enabled' asks for 'knife'.*contract 'offences'"
    ) as refused:
        pinned(tmp_path, "near_miss_homicide@1.0.0", "serious_violence_strategy@1.1.0")
    says(refused)


# Joins


def joined(joins: dict[str, list[str]], contracts: dict[str, TableContract]) -> None:
    plain = study({"table": "people", "column": "score"}, linkage={"limit": 0.1})
    content = declared(plain)
    content["population"]["joins"] = joins
    check_columns(protocol_from(content, where="joined"), contracts)


def test_a_column_comes_from_one_table() -> None:
    contracts = {
        "people": contract(
            "people", {"person": "string", "arm": "string", "score": "number", "age": "integer"}
        ),
        "more": contract("more", {"person": "string", "sex": "string", "age": "integer", "start": "date"}),
        "other": contract("other", {"person": "string", "sex": "string"}),
    }
    joined({"more": ["sex", "start"]}, contracts)
    with pytest.raises(ProtocolRefused, match=r"'sex', which more already brings.*Leave it out") as refused:
        joined({"more": ["sex"], "other": ["sex"]}, contracts)
    assert refused.value.where == "population.joins.other"
    with pytest.raises(ProtocolRefused, match="'age', which people already brings"):
        joined({"more": ["age"]}, contracts)
    with pytest.raises(ProtocolRefused, match="'person', which people already brings"):
        joined({"more": ["person"]}, contracts)


def test_the_start_of_a_window_may_come_by_a_join() -> None:
    this = example("events_in_window")
    types: dict[str, Dtype] = {"person": "string", "arm": "string"}
    contracts = {**this.contracts, "people": contract("people", types)}
    content = said(this.protocol)
    content["population"]["joins"] = {"referrals": ["start"]}
    protocol = protocol_from(content, where="joined")
    make_plan(
        protocol, {**contracts, "referrals": contract("referrals", {"person": "string", "start": "date"})}
    )
    with pytest.raises(
        ProtocolRefused, match=r"'start'.* 'referrals' declares as a string; expected a column of dates"
    ):
        make_plan(
            protocol,
            {**contracts, "referrals": contract("referrals", {"person": "string", "start": "string"})},
        )


def test_a_design_names_a_column_of_periods_that_is_there() -> None:
    content = declared(study({"table": "people", "column": "score"}))
    content["design"] = {
        "scheme": "crossover", "cluster": "place", "period": "week", "periods": [1, 2], "drawn": "sequences",
        "carry_over_periods": 0, "washout": [], "schedule": {"first": ["offered", "usual"], "second": ["usual", "offered"]},
    }  # fmt: skip
    protocol = protocol_from(content, where="periods")
    columns: dict[str, Dtype] = {"person": "string", "arm": "string", "score": "number", "place": "string"}
    with pytest.raises(
        ProtocolRefused, match="'week'; expected a column of the contract 'people'"
    ) as refused:
        check_columns(protocol, {"people": contract("people", columns)})
    assert refused.value.where == "design.period"
    check_columns(protocol, {"people": contract("people", {**columns, "week": "integer"})})


def test_an_empty_roster_is_no_reason_to_fail() -> None:
    for name in COUNTED:
        this = example(name)
        nobody = roster([], {"person": "string", "start": "date"})
        tables = {key: replace(item, frame=item.frame.head(0)) for key, item in this.rows.tables.items()}
        rows = replace(this.rows, units=nobody, tables=tables, table=tables[this.rows.table.contract.name])
        assert len(derive(this, rows)) == 0
