"""The registry of recording breaks, and the tables that cross one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from data_contracts.read import CheckedTable, feed_names, find_contract, read_table
from data_contracts.recording_breaks import (
    BreakNotAcknowledged,
    breaks_of,
    crossed,
    period,
    recording_breaks,
    require_acknowledged,
)


def table(contract: str, **columns: list[Any]) -> CheckedTable:
    found = find_contract(contract)
    rows = max(len(values) for values in columns.values())
    frame = pd.DataFrame({name: columns.get(name, [None] * rows) for name in found.columns})
    return CheckedTable(
        contract=found, frame=frame, sha256="0", rows=1, source="a test", extracted=None, provisional=False
    )


def test_every_break_says_when_what_and_on_whose_word() -> None:
    for found in recording_breaks().values():
        assert found.first_day > date(2000, 1, 1)
        assert all((found.label, found.affects, found.effect, found.source))
        assert "memory" not in found.source
    assert {"crime_recording_inspection_2014", "ecds_2017"} <= set(recording_breaks())


def test_every_break_is_named_by_some_feed() -> None:
    named = {name for feed in feed_names() for name in find_contract(feed).recording_breaks}
    assert named == set(recording_breaks())


def test_an_unknown_break_gets_the_nearest_name() -> None:
    with pytest.raises(BreakNotAcknowledged, match="Did you mean 'ecds_2017'"):
        breaks_of(["ecds_17"])


def test_the_period_of_years_ending_march_begins_the_april_before() -> None:
    assert period(table("knife_by_force", year=[2009, 2020])) == (date(2008, 4, 1), date(2020, 3, 31))
    assert period(table("area_populations", year=[2019, 2021])) == (date(2019, 1, 1), date(2021, 12, 31))
    years = pd.Series(["2017/18", "2018/19"], dtype="str")
    assert period(table("sharp_object_admissions", financial_year=list(years))) == (
        date(2017, 4, 1),
        date(2019, 3, 31),
    )


def test_a_break_is_crossed_only_from_inside_the_period() -> None:
    names = [b.name for b in crossed(table("knife_by_force", year=[2016, 2018]))]
    assert names == []  # April 2015 to March 2018: after the inspection, before the change of method
    names = [b.name for b in crossed(table("knife_by_force", year=[2016, 2019]))]
    assert names == ["knife_methodology_2019"]


def test_a_panel_across_a_break_must_say_so(shared_data: Any) -> None:
    knives = read_table(shared_data("uk_knife_by_force") / "annual.csv", find_contract("knife_by_force"))
    with pytest.raises(BreakNotAcknowledged, match="crime_recording_inspection_2014") as caught:
        require_acknowledged(knives, ["knife_methodology_2019"])
    assert "knife_methodology_2019" not in str(caught.value)
    require_acknowledged(knives, [b.name for b in crossed(knives)])


def test_a_table_without_dates_crosses_nothing() -> None:
    people = table("life_release_cohort", age=[20])
    assert crossed(replace(people)) == []


def test_a_period_that_no_column_tells_may_lie_across_every_break() -> None:
    feed = find_contract("children_cautioned")
    columns = {name: replace(column, unit="season") for name, column in feed.columns.items()}
    made = replace(table("children_cautioned", period=["winter"]), contract=replace(feed, columns=columns))
    assert [b.name for b in crossed(made)] == list(feed.recording_breaks)
    with pytest.raises(BreakNotAcknowledged, match="covid_2020"):
        require_acknowledged(made, [])
