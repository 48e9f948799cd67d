"""Police and department records of one incident, paired by hand and never twice."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.derive.incidents import IncidentsRefused, incidents


def records(*rows: tuple[str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "place": pd.Series([place for place, _ in rows], dtype="str"),
            "time": pd.to_datetime(pd.Series([time for _, time in rows], dtype="object")),
        }
    )


POLICE = records(("A", "2024-01-01 22:00"), ("A", "2024-01-01 23:30"), ("B", "2024-01-02 01:00"))
DEPARTMENT = records(("A", "2024-01-01 23:00"), ("A", "2024-01-03 09:00"), ("C", "2024-01-02 01:00"))


def test_the_closest_records_at_one_place_are_one_incident() -> None:
    made = incidents(POLICE, DEPARTMENT, hours=2)
    assert made.counts == {"both": 1, "police_alone": 2, "department_alone": 2}
    both = made.table.dropna()
    # 23:00 is half an hour from 23:30 and an hour from 22:00: the closer pair is made.
    assert both[["place", "police", "department", "hours_apart"]].to_numpy().tolist() == [
        ["A", 1.0, 0.0, 0.5]
    ]
    assert len(made.table) == 5


def test_a_wider_window_makes_no_second_use_of_a_record() -> None:
    made = incidents(POLICE, DEPARTMENT, hours=48)
    assert made.counts == {"both": 2, "police_alone": 1, "department_alone": 1}
    assert made.table.dropna()["hours_apart"].tolist() == [35.0, 0.5]


def test_records_without_a_place_or_a_time_are_counted_apart() -> None:
    with pytest.raises(IncidentsRefused, match="1 records"):
        incidents(POLICE, records(("A", None)), hours=2)
    with pytest.raises(IncidentsRefused, match="above zero"):
        incidents(POLICE, DEPARTMENT, hours=0)


def test_with_one_source_alone_nothing_is_linked() -> None:
    assert incidents(POLICE, records(), hours=2).counts == {
        "both": 0,
        "police_alone": 3,
        "department_alone": 0,
    }


moments = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 50)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(police=moments, department=moments)
def test_every_record_is_in_exactly_one_incident(
    police: list[tuple[str, int]], department: list[tuple[str, int]]
) -> None:
    def made(rows: list[tuple[str, int]]) -> pd.DataFrame:
        start = pd.Timestamp("2024-01-01")
        return records(*[(place, str(start + pd.Timedelta(hours=hour))) for place, hour in rows])

    found = incidents(made(police), made(department), hours=3)
    assert sorted(found.table["police"].dropna()) == list(range(len(police)))
    assert sorted(found.table["department"].dropna()) == list(range(len(department)))
    assert (found.table["hours_apart"].dropna() <= 3).all()
    swapped = incidents(made(department), made(police), hours=3)
    assert swapped.counts["both"] == found.counts["both"]
