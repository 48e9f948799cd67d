"""Events counted in windows, on people that can be checked by hand; `test_promises.py` has the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_contracts.read import CheckedTable
from data_contracts.table import Dtype
from experiments.custody import Custody
from experiments.definitions.definition import Definition, Part
from experiments.derivation import Search
from experiments.derivations.events_in_window import EventsInWindow
from small_tables import given, roster, table

NAN = float("nan")
STAYS = Custody(table="stays", by="person", entered="came", released="went")
SEARCHED = Search(table="searches", by="person", known="found == 1")


def choices(**changes: Any) -> EventsInWindow:
    plain: dict[str, Any] = {
        "by": "person", "date": "on", "start": "start", "first_day": 0, "counted": "events", "recording_lag_days": 0,
        "without_rows": "no events",
    }  # fmt: skip
    return EventsInWindow(**{**plain, **changes})


def events(
    *rows: tuple[str, str | None], kind: Dtype = "date", extracted: str = "2025-12-31"
) -> CheckedTable:
    columns: dict[str, Dtype] = {"person": "string", "on": kind}
    return table("events", columns, [list(row) for row in rows], extracted=extracted)


def stays(*rows: tuple[str, str, str | None], extracted: str = "2025-12-31") -> CheckedTable:
    columns: dict[str, Dtype] = {"person": "string", "came": "date", "went": "date"}
    return table("stays", columns, [list(row) for row in rows], extracted=extracted)


def searches(**found: int | None) -> CheckedTable:
    columns: dict[str, Dtype] = {"person": "string", "found": "integer"}
    return table("searches", columns, [[who, value] for who, value in found.items()])


ANN = roster([["ann", "2024-01-01"]])
SOMEBODY = ("ann", "2020-01-01")  # so that the table is not one of strangers


def of_ann(choice: EventsInWindow, *tables: CheckedTable, days: int = 30) -> dict[str, float]:
    made = choice.derive(given(ANN, *tables, days=days), None)
    return {str(key): float(value) for key, value in made.iloc[0].items()}


@pytest.mark.parametrize(
    ("on", "from_the_day", "from_the_day_after"),
    [
        ("2023-12-31", 0, 0),
        ("2024-01-01", 1, 0),
        ("2024-01-02", 1, 1),
        ("2024-01-30", 1, 1),  # the last of 30 days from the 1st
        ("2024-01-31", 0, 1),  # the last of 30 days from the 2nd
        ("2024-02-01", 0, 0),
    ],
)
def test_a_window_holds_its_first_day_and_its_last_and_no_other(
    on: str, from_the_day: int, from_the_day_after: int
) -> None:
    for first_day, count in ((0, from_the_day), (1, from_the_day_after)):
        made = of_ann(choices(first_day=first_day), events(SOMEBODY, ("ann", on)))
        assert (made["count"], made["any"], made["first_seen"]) == (count, count, count)


@pytest.mark.parametrize(
    ("extracted", "lag", "known", "watched"),
    [
        ("2024-01-30", 0, True, 30),  # the last day of the window
        ("2024-01-29", 0, False, 29),
        ("2024-02-09", 10, True, 30),
        ("2024-02-08", 10, False, 29),
        ("2024-01-11", 10, False, 1),  # reaches to the first day of the window alone
        ("2024-01-10", 10, False, NAN),
        ("2023-06-01", 0, False, NAN),
    ],
)
def test_a_count_is_missing_and_a_time_censored_where_the_extract_does_not_reach(
    extracted: str, lag: int, known: bool, watched: float
) -> None:
    made = of_ann(choices(recording_lag_days=lag), events(SOMEBODY, extracted=extracted))
    assert made["count"] == pytest.approx(0.0 if known else NAN, nan_ok=True)
    assert made["days_at_risk"] == pytest.approx(30.0 if known else NAN, nan_ok=True)
    assert made["days_to_first"] == pytest.approx(watched, nan_ok=True)
    assert made["first_seen"] == pytest.approx(NAN if np.isnan(watched) else 0.0, nan_ok=True)


@pytest.mark.parametrize(
    ("begins", "known", "before"),
    [
        (None, True, 1.0),
        ("2023-12-25", True, 1.0),
        ("2023-12-26", True, NAN),
        ("2024-01-01", True, NAN),
        ("2024-01-02", False, NAN),
    ],
)
def test_a_window_that_begins_before_the_extract_does_has_no_outcome(
    begins: str | None, known: bool, before: float
) -> None:
    """Seven days before 1 January 2024 are 25 to 31 December."""
    rows = events(("ann", "2023-12-31"), ("ann", "2024-01-05"))
    rows = replace(rows, begins=None if begins is None else date.fromisoformat(begins))
    made = of_ann(choices(before_days=7), rows)
    assert made["count"] == pytest.approx(1.0 if known else NAN, nan_ok=True)
    assert made["days_to_first"] == pytest.approx(5.0 if known else NAN, nan_ok=True)
    assert made["count_before"] == pytest.approx(before, nan_ok=True)


def test_stays_in_custody_that_begin_too_late_leave_time_at_risk_unknown() -> None:
    inside = replace(
        stays(("zed", "2024-03-01", None), ("ann", "2024-01-10", "2024-01-12")), begins=date(2024, 1, 2)
    )
    made = of_ann(choices(custody=STAYS), events(SOMEBODY), inside)
    assert np.isnan(made["count"]) and np.isnan(made["days_at_risk"])
    made = of_ann(choices(custody=STAYS), events(SOMEBODY), replace(inside, begins=date(2024, 1, 1)))
    assert (made["count"], made["days_at_risk"]) == (0, 28)


@pytest.mark.parametrize(
    ("seen_to", "known", "watched"),
    [
        (None, True, 30),
        ("2024-01-30", True, 30),
        ("2024-01-29", False, 29),
        ("2024-01-01", False, 1),
        ("2023-12-31", False, NAN),
    ],
)
def test_a_window_that_is_cut_short_by_leaving_has_a_missing_count_and_a_censored_time(
    seen_to: str | None, known: bool, watched: float
) -> None:
    """Death, emigration and withdrawal: the day named is the last on which the person could be observed."""
    people = roster([["ann", "2024-01-01"]])
    people["left"] = pd.to_datetime(pd.Series([seen_to], index=people.index))
    made = choices(observed_to="left").derive(given(people, events(SOMEBODY), days=30), None).iloc[0]
    assert made["count"] == pytest.approx(0.0 if known else NAN, nan_ok=True)
    assert made["days_to_first"] == pytest.approx(watched, nan_ok=True)
    assert made["first_seen"] == pytest.approx(NAN if np.isnan(watched) else 0.0, nan_ok=True)


def test_one_who_left_shortens_nobody_elses_window() -> None:
    people = roster([["ann", "2024-01-01"], ["bob", "2024-01-01"]])
    people["left"] = pd.to_datetime(pd.Series(["2024-01-10", None], index=people.index))
    rows = events(("ann", "2024-01-20"), ("bob", "2024-01-20"))
    made = choices(observed_to="left").derive(given(people, rows, days=30), None)
    assert made["count"].tolist() == pytest.approx([NAN, 1.0], nan_ok=True)
    assert made["days_to_first"].tolist() == [10.0, 20.0]
    assert made["first_seen"].tolist() == [0.0, 1.0]


def test_a_smaller_count_is_never_given_for_a_missing_one() -> None:
    made = of_ann(choices(), events(("ann", "2024-01-05"), ("ann", "2024-01-20"), extracted="2024-01-10"))
    assert np.isnan(made["count"]) and np.isnan(made["any"]) and np.isnan(made["years_at_risk"])
    assert (made["days_to_first"], made["first_seen"]) == (5, 1)


def test_an_event_recorded_within_the_lag_does_not_end_a_time() -> None:
    made = of_ann(choices(recording_lag_days=10), events(("ann", "2024-01-12"), extracted="2024-01-20"))
    assert (made["days_to_first"], made["first_seen"]) == (10, 0)


def test_the_first_event_on_the_dth_day_of_the_window_is_at_d() -> None:
    for first_day, at in ((0, 8), (1, 7)):
        made = of_ann(choices(first_day=first_day), events(("ann", "2024-01-20"), ("ann", "2024-01-08")))
        assert (made["days_to_first"], made["first_seen"]) == (at, 1)


def test_days_with_an_event_are_counted_once_where_days_are_counted() -> None:
    three = events(("ann", "2024-01-05"), ("ann", "2024-01-05"), ("ann", "2024-01-06"), ("ann", "2023-12-31"))
    assert of_ann(choices(), three)["count"] == 3
    assert of_ann(choices(counted="days"), three)["count"] == 2


def test_times_of_day_neither_move_an_event_nor_make_two_days_of_one() -> None:
    times = events(
        ("ann", "2024-01-01 00:00"), ("ann", "2024-01-30 23:59"), ("ann", "2024-01-31 00:00"),
        ("ann", "2024-01-30 08:00"), kind="timestamp",
    )  # fmt: skip
    assert of_ann(choices(), times)["count"] == 3
    assert of_ann(choices(counted="days"), times)["count"] == 2
    at_night = roster([["ann", "2024-01-01 22:30"]], {"person": "string", "start": "timestamp"})
    assert choices().derive(given(at_night, times), None)["count"].tolist() == [3]


@pytest.mark.parametrize(
    ("stay", "at_liberty"),
    [
        (("2023-12-01", "2024-01-01"), 30),  # released on the first day: at liberty that day
        (("2023-12-01", "2024-01-02"), 29),
        (("2024-01-30", "2024-02-20"), 29),  # entered on the last day
        (("2024-01-31", "2024-02-20"), 30),
        (("2024-01-10", "2024-01-10"), 30),  # in and out on one day
        (("2024-01-10", "2024-01-13"), 27),
        (("2024-01-10", None), 9),
        (("2023-12-01", "2024-02-20"), 0),
        (("2024-01-01", "2024-01-31"), 0),  # released on the day after the last
        (("2024-01-01", "2024-01-30"), 1),
    ],
)
def test_days_in_custody_are_not_days_at_risk(stay: tuple[str, str | None], at_liberty: int) -> None:
    made = of_ann(choices(custody=STAYS), events(("ann", "2024-01-30")), stays(("ann", *stay)))
    assert made["days_at_risk"] == at_liberty
    assert made["years_at_risk"] == at_liberty / 365.25
    assert made["count"] == pytest.approx(NAN if at_liberty == 0 else 1.0, nan_ok=True)
    assert made["days_to_first"] == pytest.approx(NAN if at_liberty == 0 else 30.0, nan_ok=True)


def test_overlapping_stays_count_once() -> None:
    inside = stays(
        ("ann", "2024-01-03", "2024-01-10"),
        ("ann", "2024-01-05", "2024-01-07"),
        ("ann", "2024-01-09", "2024-01-12"),
    )
    assert of_ann(choices(custody=STAYS), events(SOMEBODY), inside)["days_at_risk"] == 21


def test_an_event_in_custody_counts() -> None:
    made = of_ann(
        choices(custody=STAYS), events(("ann", "2024-01-05")), stays(("ann", "2024-01-05", "2024-01-08"))
    )
    assert (made["count"], made["days_at_risk"]) == (1, 27)


def test_custody_throughout_what_was_watched_leaves_no_time_to_an_event() -> None:
    whole = of_ann(
        choices(custody=STAYS),
        events(SOMEBODY, extracted="2024-01-10"),
        stays(("ann", "2023-12-01", "2024-01-15")),
    )
    assert np.isnan(whole["days_to_first"]) and np.isnan(whole["first_seen"])


def test_a_window_that_the_custody_table_does_not_reach_is_missing() -> None:
    for extracted, count in (("2024-01-30", 0.0), ("2024-01-29", NAN)):
        made = of_ann(choices(custody=STAYS), events(SOMEBODY), stays(extracted=extracted))
        assert made["count"] == pytest.approx(count, nan_ok=True)


def test_nobody_in_custody_leaves_everybody_at_liberty() -> None:
    assert of_ann(choices(custody=STAYS), events(SOMEBODY), stays())["days_at_risk"] == 30


def test_who_was_not_found_or_not_looked_for_has_nothing_and_who_was_found_a_zero() -> None:
    units = roster([[who, "2024-01-01"] for who in ("found", "failed", "unknown", "absent")])
    rows = given(
        units, events(("found", "2020-01-01"), ("failed", "2024-01-05"), ("absent", "2024-01-05")),
        searches(found=1, failed=0, unknown=None),
    )  # fmt: skip
    made = choices(without_rows=SEARCHED, before_days=30).derive(rows, None)
    for column in ("count", "any", "first_seen", "count_before"):
        assert made[column].tolist()[0] == 0
        assert made[column].isna().tolist() == [False, True, True, True]
    assert made["days_at_risk"].isna().tolist() == [False, True, True, True]
    assert choices().derive(rows, None)["count"].tolist() == [0, 1, 0, 1]


def test_what_came_before_ends_on_the_day_before_the_start_whatever_the_first_day() -> None:
    earlier = events(
        ("ann", "2023-12-24"), ("ann", "2023-12-25"), ("ann", "2023-12-31"), ("ann", "2024-01-01"), ("ann", "2024-01-02")
    )  # fmt: skip
    for first_day in (0, 1):
        assert of_ann(choices(first_day=first_day, before_days=7), earlier)["count_before"] == 2
    assert "count_before" not in of_ann(choices(), earlier)


def test_what_came_before_is_missing_where_the_extract_does_not_reach_the_start() -> None:
    for extracted, before in (("2023-12-31", 1.0), ("2023-12-30", NAN)):
        made = of_ann(choices(before_days=7), events(("ann", "2023-12-27"), extracted=extracted))
        assert made["count_before"] == pytest.approx(before, nan_ok=True)
    late = of_ann(
        choices(before_days=7, recording_lag_days=5), events(("ann", "2023-12-27"), extracted="2024-01-04")
    )
    assert np.isnan(late["count_before"])


def test_only_rows_that_are_certainly_meant_count() -> None:
    columns: dict[str, Dtype] = {"person": "string", "on": "date", "knife": "integer"}
    rows = [["ann", "2024-01-05", 1], ["ann", "2024-01-06", 0], ["ann", "2024-01-07", None], ["ann", None, 0]]
    assert of_ann(choices(where="knife == 1"), table("events", columns, rows))["count"] == 1


def test_a_definition_takes_what_it_includes_and_leaves_what_it_excludes() -> None:
    columns: dict[str, Dtype] = {"person": "string", "on": "date", "code": "string", "domestic": "integer"}
    rows = [
        ["ann", "2024-01-05", "8N", 0],
        ["ann", "2024-01-06", "8n/1", 1],  # excluded
        ["ann", "2024-01-07", "8N", None],  # not known to be domestic: not excluded
        ["ann", "2024-01-08", "34B", 0],
        ["ann", "2024-01-09", "105A", 0],  # in no part
        ["ann", "2024-02-09", "8N", 0],  # after the window
    ]
    definition = Definition(
        id="x", label="x", version="1.0.0", date=date(2024, 1, 1), locality="x", words="x", source="x", reading="x",
        include=(Part(label="injury", classes=("8N",)), Part(label="robbery", classes=("34B",))),
        exclude=(Part(label="domestic abuse", when="domestic == 1"),),
    )  # fmt: skip
    choice = choices(classes="code", definition="x@1.0.0")
    made = choice.derive(given(ANN, table("events", columns, rows)), definition)
    assert made["count"].tolist() == [3]
    assert choice.derive(given(ANN, table("events", columns, rows)), None)["count"].tolist() == [5]


def test_each_period_of_a_unit_has_its_own_window() -> None:
    columns: dict[str, Dtype] = {"person": "string", "start": "date"}
    units = roster(
        [["north", "2024-01-01"], ["north", "2024-01-31"], ["south", "2024-01-01"], ["south", "2024-01-31"]],
        columns,
    )
    places = events(
        ("north", "2024-01-30"), ("north", "2024-01-31"), ("north", "2024-02-29"), ("south", "2024-02-05")
    )
    inside = stays(("south", "2024-01-25", "2024-02-05"))
    made = choices(custody=STAYS, without_rows=SEARCHED).derive(
        given(units, places, inside, searches(north=1, south=1)), None
    )
    assert made["count"].tolist() == [1, 2, 0, 1]
    assert made["days_at_risk"].tolist() == [30, 30, 24, 25]


def test_nobody_watched_yet_is_no_error_and_no_zero() -> None:
    units = roster([["ann", "2024-01-01"], ["bob", "2024-03-01"]])
    rows = given(units, events(("ann", "2020-01-01"), extracted="2023-01-01"), stays(extracted="2023-01-01"))
    made = choices(custody=STAYS, before_days=7).derive(rows, None)
    assert made.isna().all().all()


def test_a_table_without_rows_is_zero_for_everybody_who_was_found() -> None:
    made = of_ann(choices(without_rows=SEARCHED), events(), searches(ann=1))
    assert (made["count"], made["days_to_first"], made["first_seen"]) == (0, 30, 0)


@pytest.mark.parametrize("name", ["start", "end", "row", "on", "day"])
def test_a_column_of_dates_may_have_any_name(name: str) -> None:
    columns: dict[str, Dtype] = {"person": "string", name: "date"}
    dated = table("events", columns, [["ann", "2024-01-05"]])
    assert of_ann(choices(date=name), dated)["count"] == 1


def test_ids_may_be_whole_numbers() -> None:
    columns: dict[str, Dtype] = {"person": "integer", "on": "date"}
    units = roster([[7, "2024-01-01"], [8, "2024-01-01"]], {"person": "integer", "start": "date"})
    made = choices().derive(
        given(units, table("events", columns, [[8, "2024-01-05"], [9, "2024-01-05"]])), None
    )
    assert made["count"].tolist() == [0, 1]


def test_an_event_without_a_date_matters_only_where_it_would_count_for_somebody() -> None:
    made = of_ann(choices(), events(("ann", "2024-01-05"), ("a stranger", None)))
    assert made["count"] == 1
    assert pd.isna(of_ann(choices(), events(("ann", "2024-01-05"), extracted="2024-01-06"))["count"])
