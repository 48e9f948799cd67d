"""Dated events counted in each unit's own window: offences in the year from allocation, zeros included.

With a_i the day in `start` and w the outcome's `follow_up_days`, the window of unit i is

    [a_i + first_day, a_i + first_day + w)

`first_day: 0` counts the day of `start` itself; 1 begins on the day after, as where people are
recruited on arrest and the index offence must not count. The extract reaches to the day of extraction
less `recording_lag_days`, the time that an event takes to be recorded: a unit whose window ends
later has a missing count, never a smaller one, and for a time to the first event it is censored there.

`counted: days` counts days with an event, where one incident is recorded as several offences.
`custody` takes stays in custody off the time at risk; a unit in custody throughout has a missing
outcome, since nothing could have been seen. An event on a day in custody counts: the day of an arrest is
often the day of entry; leave events in custody out with `where` if they are not meant. `observed_to` names a roster column with
the last day on which a unit could be observed (death, leaving the country or the study; empty where that did not happen): a
window that it cuts short has a missing count. `without_rows` says what a unit without rows means: no events, or (where
a table says how the search for each ended) not known for those whose search settled nothing.

Columns for outcomes of kind `count` (count, with exposure days_at_risk or years_at_risk), `binary`
(any) and `time` (days_to_first, with event first_seen and time_unit_days 1: the first event on the d-th day
of the window is at d, and days in custody are not taken off). count_before is made where `before_days` is
given, and is missing where the extract does not reach to the start. Where the delivery says from which day its rows
begin, windows that start earlier have a missing outcome.

Reference: Ministry of Justice, Guide to proven reoffending statistics (2017, 2019), on windows and time at
risk; Hernan & Robins (2020), Causal Inference: What If, chapter 17, on censoring at the end of observation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from data_contracts.derive.events import events_in_window
from data_contracts.derive.time_at_risk import days_at_risk
from experiments.custody import Custody
from experiments.definitions.definition import Definition
from experiments.derivation import (
    ROSTER,
    DerivationRefused,
    Needed,
    Rows,
    found_units,
    last_day,
    reached,
    start_days,
)
from experiments.offence_rows import CountsEvents, chosen_events, event_columns

DAYS_IN_YEAR = 365.25


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsInWindow(CountsEvents):
    """The choices; `by` is the event table's column of unit ids, `start` a date in the roster."""

    date: str
    start: str
    first_day: int
    counted: Literal["events", "days"]
    recording_lag_days: int
    where: str | None = None
    before_days: int | None = None
    custody: Custody | None = None
    observed_to: str | None = None

    makes: ClassVar[Mapping[str, str]] = {
        "count": "events in the window",
        "any": "1 where there was any event in the window",
        "days_to_first": "day of the window on which the first event fell, or observation ended",
        "first_seen": "1 where days_to_first ended in an event",
        "days_at_risk": "days at liberty in the window",
        "years_at_risk": "years at liberty in the window",
        "count_before": "events in the before_days that end the day before start",
    }

    def __post_init__(self) -> None:
        for name, least in (("first_day", 0), ("recording_lag_days", 0), ("before_days", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise DerivationRefused(
                    where=name,
                    found=str(value),
                    expected=f"{least} days or more",
                    remedy="Count forward from `start`; `before_days` counts back from it.",
                )
        CountsEvents.__post_init__(self)

    @property
    def columns(self) -> tuple[str, ...]:
        """All but count_before where `before_days` is not given."""
        return tuple(name for name in self.makes if name != "count_before" or self.before_days is not None)

    @property
    def others(self) -> tuple[str, ...]:
        """The custody table and the table of the search, where they are named."""
        named = [self.custody.table] if self.custody else []
        return tuple(named + ([self.search.table] if self.search else []))

    def over_after(self, days: int) -> int:
        """The window is over `first_day` days later than one from the day of the start."""
        return self.first_day + days

    def needs(self, table: str) -> tuple[Needed, ...]:
        """Columns of the event table, the roster, the stays and the search."""
        dates = (("date", self.date),)
        named = event_columns(table, by=self.by, dates=dates, where=self.where, classes=self.classes)
        named += (Needed(where="start", table=ROSTER, column=self.start, holds="days"),)
        if self.observed_to is not None:
            named += (Needed(where="observed_to", table=ROSTER, column=self.observed_to, holds="days"),)
        if self.custody is not None:
            named += self.custody.needs()
        return named if self.search is None else (*named, *self.search.needs())

    def derive(self, rows: Rows, definition: Definition | None) -> pd.DataFrame:
        """The columns that are made, for each row of the roster."""
        events = chosen_events(
            rows,
            by=self.by,
            dates=(("date", self.date),),
            where=self.where,
            classes=self.classes,
            definition=definition,
        )
        if self.counted == "days":
            events = events.drop_duplicates()
        recorded = last_day(rows.table, where=rows.where) - pd.Timedelta(days=self.recording_lag_days - 1)
        until = recorded
        if self.custody is not None:
            stays_to = last_day(rows.tables[self.custody.table], where=rows.where)
            until = min(until, stays_to + pd.Timedelta(days=1))
        people = self._windows(rows)
        if self.observed_to is not None:
            left = rows.units[self.observed_to].dt.normalize() + pd.Timedelta(days=1)
            until = left.where(left < until, until)
        people["seen_to"] = people["end"].where(people["end"] <= until, until)
        held = reached(rows.table, people["start"])
        if self.custody is not None:
            held &= reached(rows.tables[self.custody.table], people["start"])
        whole = (people["end"] <= until) & held
        begun = (people["seen_to"] > people["start"]) & held
        seen = people[begun].assign(end=lambda frame: frame["seen_to"])
        first = events_in_window(seen, events, date="date")["first_day"].reindex(people.index)
        observed = (people["seen_to"] - people["start"]).dt.days.astype("float64")
        begun &= self._at_risk(seen, rows).reindex(people.index) > 0
        earliest = people["day"] - pd.Timedelta(days=self.before_days or 0)
        before_known = (people["day"] <= recorded) & reached(rows.table, earliest)
        if self.search is not None:
            found = found_units(rows, self.search)
            whole, begun, before_known = whole & found, begun & found, before_known & found
        inside = events_in_window(people, events, date="date")
        at_risk = self._at_risk(people, rows).where(whole, np.nan)
        known = whole & (at_risk > 0)
        count = inside["count"].astype("float64").where(known, np.nan)
        made = {
            "count": count,
            "any": (count > 0).astype("float64").where(known, np.nan),
            "days_to_first": (first + 1.0).fillna(observed).where(begun, np.nan),
            "first_seen": first.notna().astype("float64").where(begun, np.nan),
            "days_at_risk": at_risk,
            "years_at_risk": at_risk / DAYS_IN_YEAR,
        }
        if self.before_days is not None:
            made["count_before"] = self._before(people, events, self.before_days).where(before_known, np.nan)
        return pd.DataFrame(made, index=rows.units.index)

    def _windows(self, rows: Rows) -> pd.DataFrame:
        day = start_days(rows, self.start)
        begin = day + pd.Timedelta(days=self.first_day)
        return pd.DataFrame(
            {
                "person": rows.units[rows.key],
                "day": day,
                "start": begin,
                "end": begin + pd.Timedelta(days=rows.days),
            },
            index=rows.units.index,
        )

    def _at_risk(self, people: pd.DataFrame, rows: Rows) -> pd.Series:
        if self.custody is None:
            return (people["end"] - people["start"]).dt.days.astype("float64")
        return days_at_risk(people, self.custody.stays(rows)).astype("float64")

    def _before(self, people: pd.DataFrame, events: pd.DataFrame, days: int) -> pd.Series:
        before = pd.DataFrame(
            {
                "person": people["person"],
                "start": people["day"] - pd.Timedelta(days=days),
                "end": people["day"],
            }
        )
        return events_in_window(before, events, date="date")["count"].astype("float64")
