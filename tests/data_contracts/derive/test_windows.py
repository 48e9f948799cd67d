"""Windows, time at risk and proven reoffending on people worked out by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data_contracts.derive.events import WindowRefused, events_in_window, rate
from data_contracts.derive.reoffending import proven_reoffending
from data_contracts.derive.srds import SrdsRefused, srds_scores
from data_contracts.derive.time_at_risk import days_at_risk


def day(text: str | None) -> pd.Timestamp:
    return pd.Timestamp(text) if text else pd.NaT


def window(**people: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {"start": [day(a) for a, _ in people.values()], "end": [day(b) for _, b in people.values()]},
        index=list(people),
    )


def stays(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person": [p for p, _, _ in rows],
            "entered": [day(a) for _, a, _ in rows],
            "released": pd.Series([day(b) for _, _, b in rows], dtype="datetime64[us]"),
        }
    )


def test_overlapping_stays_are_taken_off_once_and_open_ones_to_the_end() -> None:
    people = window(
        ann=("2024-01-01", "2024-01-31"),
        bob=("2024-01-01", "2024-01-31"),
        cat=("2024-01-01", "2024-01-31"),
        dan=("2024-01-01", "2024-01-31"),
        eve=("2024-01-01", "2024-01-31"),
    )
    made = days_at_risk(
        people,
        stays(
            ("ann", "2024-01-05", "2024-01-10"),  # 5 days
            ("ann", "2024-01-08", "2024-01-12"),  # 2 more
            ("ann", "2024-01-06", "2024-01-07"),  # inside the first
            ("bob", "2023-12-01", "2024-01-03"),  # 2 days in the window
            ("bob", "2024-01-30", None),  # the last day
            ("cat", "2023-01-01", None),  # all of it
            ("dan", "2024-02-10", "2024-02-20"),  # none of it
            ("dan", "2024-01-09", "2024-01-09"),  # in and out on one day
            ("zed", "2024-01-09", "2024-01-19"),  # nobody here
        ),
    )
    assert made.to_dict() == {"ann": 23, "bob": 27, "cat": 0, "dan": 30, "eve": 30}


def test_a_window_holds_its_first_day_and_not_its_last() -> None:
    people = window(ann=("2024-01-01", "2024-02-01"), bob=("2024-01-01", "2024-02-01"))
    events = pd.DataFrame(
        {
            "person": ["ann", "ann", "ann", "zed"],
            "on": [day("2024-01-01"), day("2024-01-31"), day("2024-02-01"), day("2024-01-05")],
        }
    )
    made = events_in_window(people, events, date="on")
    assert made["count"].to_dict() == {"ann": 2, "bob": 0}
    assert made.loc["ann", "first_day"] == 0
    assert np.isnan(made.loc["bob", "first_day"])


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(WindowRefused, match="1 windows"):
        events_in_window(window(ann=("2024-02-01", "2024-01-01")), pd.DataFrame(), date="on")


def test_proven_reoffending_by_hand() -> None:
    index = "2022-03-01"
    people = pd.DataFrame({"index_date": [day(index)] * 5}, index=["in", "late", "after", "none", "open"])
    offences = pd.DataFrame(
        [
            ("in", "2022-03-01", "2022-06-01"),  # on the day of release: counts
            ("in", "2023-02-28", "2023-08-31"),  # last day of the year, last day of the wait: counts
            ("late", "2022-09-01", "2023-09-01"),  # proven a day too late
            ("after", "2023-03-01", "2023-03-02"),  # on the anniversary
            ("open", "2022-04-01", None),  # never proven
        ],
        columns=["person", "offence_date", "proven_date"],
    )
    for column in ("offence_date", "proven_date"):
        offences[column] = pd.to_datetime(offences[column])
    made = proven_reoffending(people, offences, extracted=date(2023, 8, 31))
    assert made["reoffended"].to_dict() == {"in": 1, "late": 0, "after": 0, "none": 0, "open": 0}
    assert made.loc["in", "reoffences"] == 2
    assert made.loc["in", "days_to_first"] == 0


def test_an_outcome_whose_eighteen_months_are_not_over_is_missing_and_not_zero() -> None:
    people = pd.DataFrame({"index_date": [day("2022-03-01")]}, index=["in"])
    nothing = pd.DataFrame(
        {"person": [], "offence_date": pd.to_datetime([]), "proven_date": pd.to_datetime([])}
    )
    made = proven_reoffending(people, nothing, extracted=date(2023, 8, 30))
    assert made[["reoffended", "reoffences"]].isna().all().all()


def test_variety_and_volume_by_hand() -> None:
    items = pd.DataFrame({"a": [0, 1, 7], "b": [2, 6, np.nan], "c": [0, 0, np.nan]}, dtype="float64")
    made = srds_scores(items, times={0: 0, 1: 1, 2: 2, 6: 8, 7: 11}, at_least=2)
    assert made["variety"].tolist()[:2] == [1, 2]
    assert made["volume"].tolist()[:2] == [2, 9]
    assert made.iloc[2][["variety", "volume"]].isna().all()
    assert made["answered"].tolist() == [3, 3, 1]


def test_answers_that_stand_for_no_number_are_refused() -> None:
    with pytest.raises(SrdsRefused, match="1 answers"):
        srds_scores(pd.DataFrame({"a": [0, 3]}), times={0: 0, 1: 1}, at_least=1)
    with pytest.raises(SrdsRefused, match="begin at 0"):
        srds_scores(pd.DataFrame({"a": [0, 1]}), times={0: 0, 1: 2, 2: 1}, at_least=1)


def test_a_rate_over_nobody_is_refused() -> None:
    assert rate(pd.Series([3]), pd.Series([600]), per=1000).tolist() == [5.0]
    with pytest.raises(WindowRefused, match="1 exposures of zero"):
        rate(pd.Series([3, 1]), pd.Series([600, 0]), per=1000)
