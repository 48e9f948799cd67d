"""Violent incidents at each place, from police and emergency-department records linked and counted once.

For trials and comparisons of places, under the data-sharing models of Cardiff and Kent: many assaults that
departments treat are unknown to the police, and adding the sources counts the known ones twice. Records of
the same place at most `hours` apart are one incident (`data_contracts/derive/incidents.py`); an incident
counts in the window of its place by its day (the police's where they know it).

    [a_i + first_day, a_i + first_day + w),   a_i the day in `start`, w the outcome's follow_up_days

Both tables must reach to the end of a window, each to the day of its extraction less `recording_lag_days`.

Columns, for outcomes of kind `count`: incidents, and how many of them were known to both, to the police alone
or to a department alone.

Reference: Florence et al. (2011), BMJ 342, d3313 (Cardiff); Sutherland et al. (2017), Cambridge Journal of
Evidence-Based Policing 1, 20-39.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from data_contracts.derive.events import events_in_window
from data_contracts.derive.incidents import incidents
from experiments.definitions.definition import Definition
from experiments.departments import Department, placed
from experiments.derivation import (
    ROSTER,
    Derivation,
    DerivationRefused,
    Needed,
    Rows,
    expression_columns,
    last_day,
    reached,
    start_days,
    unit_ids,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedIncidents(Derivation):
    """The choices; the outcome's own table is the police's, with a place and a time in every record."""

    place: str
    time: str
    department: Department
    hours: float
    start: str
    first_day: int
    recording_lag_days: int
    where: str | None = None

    events: ClassVar[bool] = True
    makes: ClassVar[Mapping[str, str]] = {
        "incidents": "different incidents in the window",
        "both": "incidents known to the police and to a department",
        "police_alone": "incidents known to the police alone",
        "department_alone": "incidents known to a department alone",
    }

    def __post_init__(self) -> None:
        for name in ("first_day", "recording_lag_days"):
            if getattr(self, name) < 0:
                raise DerivationRefused(
                    where=name, found=str(getattr(self, name)), expected="0 or more", remedy="Count forward."
                )
        if not self.hours > 0:
            raise DerivationRefused(
                where="hours",
                found=str(self.hours),
                expected="above zero",
                remedy="Such as 6; vary it in a second outcome to see whether the answer depends on it.",
            )

    @property
    def others(self) -> tuple[str, ...]:
        """The departments' table."""
        return (self.department.table,)

    def over_after(self, days: int) -> int:
        """The window is over `first_day` days later than one from the day of the start."""
        return self.first_day + days

    def needs(self, table: str) -> tuple[Needed, ...]:
        """Place and time in both tables, and the start in the roster."""
        return (
            Needed(where="place", table=table, column=self.place, holds="units"),
            Needed(where="time", table=table, column=self.time, holds="times"),
            *expression_columns(self.where, key="where", table=table),
            *self.department.needs(),
            Needed(where="start", table=ROSTER, column=self.start, holds="days"),
        )

    def derive(self, rows: Rows, definition: Definition | None) -> pd.DataFrame:
        """Incidents in each place's window, NaN where it was not over when either table was extracted."""
        other = rows.tables[self.department.table]
        unit_ids(rows, rows.table.frame, self.place, table=rows.table.contract.name, key="place")
        unit_ids(rows, other.frame, self.department.place, table=other.contract.name, key="department.place")
        police = placed(rows.table, self.place, self.time, self.where)
        department = placed(other, self.department.place, self.department.time, self.department.where)
        found = incidents(police, department, hours=self.hours).table
        found = found.assign(
            person=found["place"],
            day=found["time"].dt.normalize(),
            kind=np.select(
                [found["department"].isna(), found["police"].isna()],
                ["police_alone", "department_alone"],
                "both",
            ),
        )
        begin = start_days(rows, self.start) + pd.Timedelta(days=self.first_day)
        people = pd.DataFrame(
            {"person": rows.units[rows.key], "start": begin, "end": begin + pd.Timedelta(days=rows.days)}
        )
        reach = min(last_day(table, where=rows.where) for table in (rows.table, other))
        whole = people["end"] <= reach - pd.Timedelta(days=self.recording_lag_days - 1)
        whole &= reached(rows.table, people["start"]) & reached(other, people["start"])
        made = {}
        for name in self.makes:
            counted = found if name == "incidents" else found[found["kind"] == name]
            made[name] = (
                events_in_window(people, counted, date="day")["count"].astype("float64").where(whole, np.nan)
            )
        return pd.DataFrame(made, index=rows.units.index)
