"""Rows that a derivation refuses: each refusal says where, what to do, and no value of any person."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from data_contracts.refusal import Refusal
from derivation_examples import example
from experiments.derivation import DerivationRefused
from experiments.load import protocol_from
from small_tables import roster
from spoilt_derivations import SECRET, derive, said, says, set_first, with_extracted, with_frame

COUNTED = ("events_in_window", "proven_reoffending", "linked_incidents")
SURVEYS = ("sdq_scores", "srds_scores")


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


def test_an_empty_roster_is_no_reason_to_fail() -> None:
    for name in COUNTED:
        this = example(name)
        nobody = roster([], {"person": "string", "start": "date"})
        tables = {key: replace(item, frame=item.frame.head(0)) for key, item in this.rows.tables.items()}
        rows = replace(this.rows, units=nobody, tables=tables, table=tables[this.rows.table.contract.name])
        assert len(derive(this, rows)) == 0
