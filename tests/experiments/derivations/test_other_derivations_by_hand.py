"""Proven reoffending, surveys and linked incidents at their edges; `test_promises.py` has an example of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from data_contracts.table import Dtype
from experiments.departments import Department
from experiments.derivations.linked_incidents import LinkedIncidents
from experiments.derivations.proven_reoffending import ProvenReoffending
from experiments.derivations.srds_scores import SrdsScores
from experiments.survey_rows import Timing, Waves
from small_tables import given, roster, table

NAN = float("nan")


def reoffended(
    index: str,
    on: str,
    decided: str | None,
    *,
    extracted: str = "2026-01-01",
    begins: date | None = None,
    **changes: Any,
) -> float:
    choice = ProvenReoffending(
        **{
            "by": "person", "index_date": "start", "offence_date": "on", "proven_date": "decided",
            "proven": "outcome == 'convicted'", "without_rows": "no events", **changes,
        }
    )  # fmt: skip
    columns: dict[str, Dtype] = {"person": "string", "on": "date", "decided": "date", "outcome": "string"}
    rows = [["ann", on, decided, "convicted"]]
    made = choice.derive(
        given(
            roster([["ann", index]]),
            replace(table("offences", columns, rows, extracted=extracted), begins=begins),
            days=365,
        ),
        None,
    )
    assert np.isnan(made["reoffended"].iloc[0]) == np.isnan(made["reoffences"].iloc[0])
    return float(made["reoffended"].iloc[0])


@pytest.mark.parametrize(
    ("on", "decided", "counts"),
    [
        ("2021-03-14", "2021-04-01", 0),  # the day before
        ("2021-03-15", "2021-04-01", 1),  # the day of the index
        ("2022-03-14", "2022-04-01", 1),  # the last day of twelve months
        ("2022-03-15", "2022-04-01", 0),  # the anniversary
        ("2021-06-01", "2022-09-14", 1),  # proven on the last day of eighteen months
        ("2021-06-01", "2022-09-15", 0),
        ("2021-06-01", None, 0),
    ],
)
def test_twelve_months_to_offend_and_eighteen_to_be_proven(on: str, decided: str | None, counts: int) -> None:
    assert reoffended("2021-03-15", on, decided) == counts


@pytest.mark.parametrize(
    ("index", "last", "after"),
    [
        ("2023-03-01", "2024-02-29", "2024-03-01"),  # 366 days
        ("2020-02-29", "2021-02-27", "2021-02-28"),  # a leap day has its anniversary on the 28th
    ],
)
def test_the_year_is_one_of_the_calendar(index: str, last: str, after: str) -> None:
    assert reoffended(index, last, last) == 1
    assert reoffended(index, after, after) == 0


def test_an_outcome_is_known_from_the_last_day_of_eighteen_months() -> None:
    known = {
        day: reoffended("2021-03-15", "2021-06-01", "2021-07-01", extracted=day)
        for day in ("2022-09-14", "2022-09-13")
    }
    assert known["2022-09-14"] == 1
    assert np.isnan(known["2022-09-13"])


@pytest.mark.parametrize(
    ("begins", "known"), [(None, True), (date(2021, 3, 15), True), (date(2021, 3, 16), False)]
)
def test_an_outcome_is_not_known_where_the_extract_begins_after_the_index(
    begins: date | None, known: bool
) -> None:
    found = reoffended("2021-03-15", "2021-06-01", "2021-07-01", begins=begins)
    assert (found == 1.0) if known else np.isnan(found)


def test_one_column_may_date_the_offence_and_its_proof() -> None:
    assert reoffended("2021-03-15", "2021-06-01", "2021-07-01", proven_date="on") == 1


ASKED: dict[str, Dtype] = {"person": "string", "wave": "string", "asked": "timestamp", "act": "integer"}
UNITS = roster([["ann", "2024-01-01"], ["bob", "2024-01-01"]])


def variety(
    rows: list[list[Any]], columns: dict[str, Dtype] = ASKED, **changes: Any
) -> dict[str, list[float]]:
    plain: dict[str, Any] = {
        "by": "person", "acts": "act", "times": (0, 1, 2), "at_least": 1, "waves": Waves(column="wave", at="after"),
        "timing": "whenever",
    }  # fmt: skip
    made = SrdsScores(**{**plain, **changes}).derive(given(UNITS, table("survey", columns, rows)), None)
    return {str(name): made[name].tolist() for name in made.columns}


@pytest.mark.parametrize(
    ("asked", "score"),
    [
        ("2023-12-31 23:59", NAN),
        ("2024-01-01 00:00", 1),  # day 0
        ("2024-01-11 23:59", 1),  # day 10, to its last minute
        ("2024-01-12 00:00", NAN),
        (None, NAN),  # nobody knows when
    ],
)
def test_an_answer_outside_its_time_is_missing(asked: str | None, score: float) -> None:
    timing = Timing(date="asked", start="start", earliest_day=0, latest_day=10)
    made = variety([["ann", "after", asked, 2]], ASKED, timing=timing)
    assert made["variety"][0] == pytest.approx(score, nan_ok=True)
    assert np.isnan(made["variety"][1])
    assert variety([["ann", "after", asked, 2]], ASKED)["variety"][0] == 1


def test_a_survey_before_the_start_may_be_asked_for_in_days_below_zero() -> None:
    timing = Timing(date="asked", start="start", earliest_day=-5, latest_day=-1)
    rows = [["ann", "after", "2023-12-27 10:00", 2], ["bob", "after", "2023-12-26 10:00", 2]]
    assert np.isnan(variety(rows, ASKED, timing=timing)["variety"]).tolist() == [False, True]


def test_the_wave_before_is_made_where_it_is_named() -> None:
    rows = [["ann", "after", "2024-01-05 10:00", 0], ["bob", "before", "2024-01-05 10:00", 2]]
    assert set(variety(rows, ASKED)) == {"variety", "volume"}
    both = variety(rows, ASKED, waves=Waves(column="wave", at="after", before="before"))
    assert both["variety"][0] == 0 and np.isnan(both["variety"][1])
    assert np.isnan(both["variety_before"][0]) and both["volume_before"][1] == 2


def test_waves_may_be_whole_numbers() -> None:
    columns: dict[str, Dtype] = {"person": "string", "wave": "integer", "act": "integer"}
    rows: list[list[Any]] = [["ann", 2, 1], ["ann", 1, 0], ["bob", 2, 0], ["bob", None, 1]]
    made = variety(rows, columns, waves=Waves(column="wave", at=2, before=1))
    assert made["variety"] == [1, 0]
    assert made["variety_before"][0] == 0


def linked(
    police: list[str], departments: list[str], *, hours: float = 6, first_day: int = 0, **until: str
) -> list[float]:
    choice = LinkedIncidents(
        place="spot", time="at", department=Department(table="attendances", place="spot", time="at"), hours=hours,
        start="start", first_day=first_day, recording_lag_days=0,
    )  # fmt: skip
    columns: dict[str, Dtype] = {"spot": "string", "at": "timestamp"}
    units = roster([["north", "2024-01-01"]])
    first = table(
        "incidents", columns, [["north", at] for at in police], extracted=until.get("first", "2025-12-31")
    )
    second = table(
        "attendances",
        columns,
        [["north", at] for at in departments],
        extracted=until.get("second", "2025-12-31"),
    )
    if "begins" in until:
        second = replace(second, begins=date.fromisoformat(until["begins"]))
    made = choice.derive(given(units, first, second), None)
    return [float(made[name].iloc[0]) for name in ("incidents", "both", "police_alone", "department_alone")]


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("2024-01-10 18:00", [1, 1, 0, 0]),  # exactly 6 hours after
        ("2024-01-10 06:00", [1, 1, 0, 0]),  # exactly 6 hours before
        ("2024-01-10 18:01", [2, 0, 1, 1]),
        ("2024-01-10 05:59", [2, 0, 1, 1]),
    ],
)
def test_records_at_most_the_stated_hours_apart_are_one_incident(at: str, counts: list[float]) -> None:
    assert linked(["2024-01-10 12:00"], [at]) == counts


def test_hours_may_be_a_fraction() -> None:
    assert linked(["2024-01-10 12:00"], ["2024-01-10 12:30"], hours=0.5) == [1, 1, 0, 0]
    assert linked(["2024-01-10 12:00"], ["2024-01-10 12:31"], hours=0.5) == [2, 0, 1, 1]


def test_an_incident_counts_on_the_day_that_the_police_say() -> None:
    assert linked(["2023-12-31 23:00"], ["2024-01-01 01:00"]) == [0, 0, 0, 0]
    assert linked(["2024-01-01 01:00"], ["2023-12-31 23:00"]) == [1, 1, 0, 0]
    assert linked(["2024-01-01 01:00"], ["2023-12-31 23:00"], first_day=1) == [0, 0, 0, 0]


def test_a_window_must_be_over_in_both_tables() -> None:
    at = ["2024-01-10 12:00"]
    assert linked(at, at, begins="2024-01-01") == [1, 1, 0, 0]
    assert np.isnan(linked(at, at, begins="2024-01-02")).all()
    assert linked(at, at, first="2024-01-30", second="2024-01-30") == [1, 1, 0, 0]
    assert np.isnan(linked(at, at, first="2024-01-30", second="2024-01-29")).all()
    assert np.isnan(linked(at, at, first="2024-01-29", second="2024-01-30")).all()
