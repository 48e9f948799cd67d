"""What must hold of outcomes counted in windows whatever the people, events and stays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from data_contracts.table import Dtype
from experiments.custody import Custody
from experiments.definitions.definition import Definition, Part
from experiments.departments import Department
from experiments.derivation import Search
from experiments.derivations.events_in_window import EventsInWindow
from experiments.derivations.linked_incidents import LinkedIncidents
from experiments.derivations.proven_reoffending import ProvenReoffending
from small_tables import given, roster, table

FIRST = date(2024, 1, 1)
PEOPLE = ("ann", "bob", "cat", "dan")
CODES = ("8N", "8N/1", "34B", "10D", "105A")
some = settings(max_examples=20, deadline=None)


@dataclass(frozen=True, kw_only=True)
class World:
    """Days are counted from 1 January 2024; `events` are (person, day, code), `stays` (person, in, out or None)."""

    starts: dict[str, int]
    events: list[tuple[str, int, str]]
    stays: list[tuple[str, int, int | None]]
    found: dict[str, int]
    extracted: int = 500
    days: int = 30
    choices: dict[str, Any] = field(default_factory=dict)

    def outcome(
        self, *, definition: Definition | None = None, custody: bool = True, **changes: Any
    ) -> pd.DataFrame:
        """The derived columns, indexed by person."""
        columns: dict[str, Dtype] = {"person": "string", "on": "date", "code": "string"}
        stay: dict[str, Dtype] = {"person": "string", "came": "date", "went": "date"}
        search: dict[str, Dtype] = {"person": "string", "found": "integer"}
        until = day(self.extracted)
        assert until is not None
        rows = given(
            roster([[who, day(at)] for who, at in self.starts.items()]),
            table(
                "events", columns, [[who, day(at), code] for who, at, code in self.events], extracted=until
            ),
            table("stays", stay, [[who, day(a), day(b)] for who, a, b in self.stays], extracted=until),
            table("searches", search, [[who, value] for who, value in self.found.items()]),
            days=self.days,
        )
        plain: dict[str, Any] = {
            "by": "person", "date": "on", "start": "start", "first_day": 1, "counted": "events", "classes": "code",
            "recording_lag_days": 0, "before_days": 20,
            "without_rows": Search(table="searches", by="person", known="found == 1"),
            "custody": Custody(table="stays", by="person", entered="came", released="went") if custody else None,
        }  # fmt: skip
        made = EventsInWindow(**{**plain, **self.choices, **changes}).derive(rows, definition)
        return made.set_axis(pd.Index(list(self.starts)), axis=0)


def day(number: int | None) -> str | None:
    return None if number is None else (FIRST + timedelta(days=number)).isoformat()


@st.composite
def worlds(draw: st.DrawFn, longest: int = 40) -> World:
    who = st.sampled_from((*PEOPLE, "a stranger"))
    starts = {name: draw(st.integers(0, 40)) for name in PEOPLE}
    events = draw(st.lists(st.tuples(who, st.integers(-30, 110), st.sampled_from(CODES)), max_size=25))
    spans = draw(st.lists(st.tuples(who, st.integers(-30, 100), st.none() | st.integers(0, 40)), max_size=8))
    stays = [(name, at, None if length is None else at + length) for name, at, length in spans]
    return World(
        starts=starts,
        # Everybody's table has a row of somebody known, or it would be refused as one of strangers.
        events=[*events, ("ann", -400, "105A")],
        stays=[*stays, ("ann", -400, -399)],
        found={name: draw(st.integers(0, 1)) for name in PEOPLE},
        extracted=draw(st.integers(-10, 120)),
        days=draw(st.integers(1, longest)),
        choices={
            "first_day": draw(st.integers(0, 2)),
            "counted": draw(st.sampled_from(["events", "days"])),
            "recording_lag_days": draw(st.integers(0, 10)),
        },
    )


def by_hand(world: World, who: str) -> dict[str, float]:
    """The outcome of one person day by day, as a clerk would make it."""
    choice, nan = world.choices, float("nan")
    first = world.starts[who] + choice["first_day"]
    window = range(first, first + world.days)
    reached = min(world.extracted - choice["recording_lag_days"], world.extracted)
    events = [at for name, at, _ in world.events if name == who]
    if choice["counted"] == "days":
        events = sorted(set(events))

    def inside(at: int) -> bool:
        return any(name == who and a <= at and (b is None or at < b) for name, a, b in world.stays)

    free = [at for at in window if not inside(at)]
    watched = [at for at in window if at <= reached]
    found = world.found[who] == 1
    whole = found and window[-1] <= reached
    hit = [at for at in watched if at in events]
    begun = found and any(at in free for at in watched)
    count = float(sum(at in window for at in events)) if whole and free else nan
    before = sum(world.starts[who] - 20 <= at < world.starts[who] for at in events)
    return {
        "count": count,
        "any": nan if np.isnan(count) else float(count > 0),
        "days_to_first": nan if not begun else float(hit[0] - first + 1 if hit else len(watched)),
        "first_seen": float(bool(hit)) if begun else nan,
        "days_at_risk": float(len(free)) if whole else nan,
        "years_at_risk": len(free) / 365.25 if whole else nan,
        "count_before": float(before) if found and world.starts[who] - 1 <= reached else nan,
    }


@settings(max_examples=100, deadline=None)
@whatever(worlds())
def test_every_column_is_what_a_clerk_makes_of_it_day_by_day(world: World) -> None:
    clerk = pd.DataFrame([by_hand(world, who) for who in world.starts], index=list(world.starts))
    assert_frame_equal(world.outcome(), clerk, check_exact=True)


@some
@whatever(worlds(), st.integers(1, 40), st.integers(1, 40))
def test_counts_and_days_of_adjoining_windows_add_up(world: World, a: int, b: int) -> None:
    world = replace(world, extracted=500, found=dict.fromkeys(PEOPLE, 1), choices={})
    first = replace(world, days=a).outcome(custody=False, first_day=0)
    second = replace(world, days=b).outcome(custody=False, first_day=a)
    both = replace(world, days=a + b).outcome(custody=False, first_day=0)
    assert (first["count"] + second["count"]).tolist() == both["count"].tolist()
    free = [
        replace(world, days=n).outcome(first_day=f)["days_at_risk"] for n, f in ((a, 0), (b, a), (a + b, 0))
    ]
    assert (free[0] + free[1]).tolist() == free[2].tolist()


@some
@whatever(
    worlds(),
    st.sets(st.sampled_from(CODES)),
    st.sets(st.sampled_from(CODES)),
    st.sets(st.sampled_from(CODES)),
)
def test_a_definition_that_includes_another_never_counts_less(
    world: World, narrow: set[str], more: set[str], excluded: set[str]
) -> None:
    def definition(classes: set[str], without: set[str]) -> Definition:
        parts = tuple(Part(label=code, classes=(code,)) for code in sorted(classes))
        left_out = tuple(Part(label=code, classes=(code,)) for code in sorted(without))
        return Definition(
            id="x", label="x", version="1.0.0", date=FIRST, locality="x", words="x", source="x", reading="x",
            include=parts, exclude=left_out,
        )  # fmt: skip

    small = world.outcome(definition=definition(narrow, excluded))
    large = world.outcome(definition=definition(narrow | more, excluded))
    larger = world.outcome(definition=definition(narrow | more, set()))
    everything = world.outcome()
    for column in ("count", "any", "count_before", "first_seen"):
        for less, not_less in ((small, large), (large, larger), (larger, everything)):
            assert (less[column].isna() == not_less[column].isna()).all()
            assert (less[column].dropna() <= not_less[column].dropna()).all()
    assert (large["days_to_first"].dropna() <= small["days_to_first"].dropna()).all()


@some
@whatever(worlds(), st.integers(-1000, 500))
def test_moving_every_date_by_as_many_days_changes_nothing(world: World, by: int) -> None:
    moved = replace(
        world,
        starts={who: at + by for who, at in world.starts.items()},
        events=[(who, at + by, code) for who, at, code in world.events],
        stays=[(who, a + by, None if b is None else b + by) for who, a, b in world.stays],
        extracted=world.extracted + by,
    )
    assert_frame_equal(moved.outcome(), world.outcome(), check_exact=True)


@some
@whatever(worlds(), st.sampled_from(PEOPLE), st.integers(-60, 60))
def test_a_persons_rows_do_not_move_anybody_elses_outcome(world: World, who: str, by: int) -> None:
    other = replace(
        world,
        starts={name: at + (by if name == who else 0) for name, at in world.starts.items()},
        events=[*((n, at + (by if n == who else 0), code) for n, at, code in world.events), (who, 10, "8N")],
        stays=[*world.stays, (who, 5, 15)],
        found={**world.found, who: 1 - world.found[who]},
    )
    kept = [name for name in PEOPLE if name != who]
    assert_frame_equal(other.outcome().loc[kept], world.outcome().loc[kept], check_exact=True)


@some
@whatever(worlds(), st.permutations(PEOPLE))
def test_other_names_for_the_same_people_change_nothing(world: World, names: list[str]) -> None:
    name = {**dict(zip(PEOPLE, names, strict=True)), "a stranger": "a stranger"}
    renamed = replace(
        world,
        starts={name[who]: at for who, at in world.starts.items()},
        events=[(name[who], at, code) for who, at, code in world.events],
        stays=[(name[who], a, b) for who, a, b in world.stays],
        found={name[who]: value for who, value in world.found.items()},
    )
    made = renamed.outcome()
    assert made.index.tolist() == [name[who] for who in PEOPLE]
    assert_frame_equal(made.set_axis(pd.Index(list(PEOPLE)), axis=0), world.outcome(), check_exact=True)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


@some
@whatever(
    st.dates(date(2015, 1, 1), date(2020, 12, 31)),
    st.lists(st.tuples(st.integers(-5, 400), st.none() | st.integers(0, 600)), max_size=6),
    st.integers(500, 600),
)
def test_proven_reoffending_is_what_a_clerk_makes_of_it(
    index: date, offences: list[tuple[int, int | None]], extracted: int
) -> None:
    dated = [
        (index + timedelta(days=at), None if wait is None else index + timedelta(days=at + wait))
        for at, wait in offences
    ]
    columns: dict[str, Dtype] = {"person": "string", "on": "date", "decided": "date", "kind": "string"}
    rows = [["ann", str(on), None if by is None else str(by), "proven"] for on, by in dated]
    until = index + timedelta(days=extracted)
    choice = ProvenReoffending(
        by="person", index_date="start", offence_date="on", proven_date="decided", proven="kind == 'proven'",
        without_rows="no events",
    )  # fmt: skip
    offence_table = table("offences", columns, rows, extracted=until.isoformat())
    made = choice.derive(given(roster([["ann", str(index)]]), offence_table, days=365), None)
    year, wait = months_later(index, 12), months_later(index, 18)
    counted = [on for on, by in dated if index <= on < year and by is not None and index <= by < wait]
    if until < wait - timedelta(days=1):
        assert made.isna().all().all()
    else:
        assert made["reoffences"].tolist() == [len(counted)]
        assert made["reoffended"].tolist() == [float(bool(counted))]


times = st.lists(
    st.tuples(st.sampled_from(["north", "south", "moor"]), st.integers(0, 40 * 60)), min_size=1, max_size=15
)


@some
@whatever(times, times, st.integers(1, 24))
def test_linked_incidents_add_up_and_fewer_are_left_as_more_hours_link(
    police: list[tuple[str, int]], departments: list[tuple[str, int]], hours: int
) -> None:
    def counts(hours: float, days: int = 60) -> pd.DataFrame:
        columns: dict[str, Dtype] = {"spot": "string", "at": "timestamp"}

        def at(rows: list[tuple[str, int]]) -> list[list[Any]]:
            start = pd.Timestamp(FIRST)
            return [
                ["north", str(start)],
                *([spot, str(start + pd.Timedelta(minutes=m))] for spot, m in rows),
            ]

        choice = LinkedIncidents(
            place="spot", time="at", department=Department(table="attendances", place="spot", time="at"), hours=hours,
            start="start", first_day=0, recording_lag_days=0,
        )  # fmt: skip
        units = roster([["north", "2024-01-01"], ["south", "2024-01-01"]])
        first, second = (
            table("incidents", columns, at(police)),
            table("attendances", columns, at(departments)),
        )
        return choice.derive(given(units, first, second, days=days), None)

    made = counts(hours)
    assert (made["incidents"] == made["both"] + made["police_alone"] + made["department_alone"]).all()
    for place, row in zip(("north", "south"), made.itertuples(), strict=True):
        more = int(place == "north")
        assert row.both + row.police_alone == sum(spot == place for spot, _ in police) + more
        assert row.both + row.department_alone == sum(spot == place for spot, _ in departments) + more
    assert (counts(hours + 1)["incidents"] <= made["incidents"]).all()
    parts = [counts(hours, days=1), counts(hours, days=2)]
    assert (parts[0]["incidents"] <= parts[1]["incidents"]).all()
