"""Crossover of places over periods: each place serves as its own comparison.

The design of hot-spot patrol trials. `drawn` says what chance decides. With `sequences`, places are
drawn to the sequences of `schedule` (AB and BA, say), in equal numbers within blocks. With `periods
within places`, every place shuffles its own periods, each arm taking its exact share of them, as when
every hot spot is patrolled on a random two fifths of the days.

What one arm leaves behind can carry over into the next. `washout` lists the periods in which nobody
is measured, and `carry_over_periods` how many of them must lie between two measured periods that may
hold different arms: a schedule that leaves fewer is refused. Rows of washout periods stay out of
the roster. The arms' shares are shares of measured place-periods.

Reference: Jones & Kenward (2014), Design and Analysis of Cross-Over Trials, 3rd edition, chapters 1
and 4; Basford, Sims, Agar, Harinam & Strang (2021), Cambridge Journal of Evidence-Based Policing 5,
119-133 (patrols of hot spots by the day).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from experiments.design import DesignRefused, check_roster
from experiments.plan_of_places import Plan
from experiments.roster import drawn_units, strata
from experiments.schedule import (
    UNMEASURED,
    Period,
    cell_table,
    check_cell_shares,
    check_schedule,
    period_of_rows,
)
from experiments.stratified import Layout, Stratified, check_sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover(Stratified):
    """Draw places to sequences, or periods to arms within places; `cluster` is the column of places."""

    cluster: str
    period: str
    periods: tuple[Period, ...]
    drawn: Literal["sequences", "periods within places"]
    carry_over_periods: int
    washout: tuple[Period, ...] = ()
    schedule: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    block_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Stratified.__post_init__(self)
        strange = [period for period in self.washout if period not in self.periods]
        if strange or (self.drawn == "sequences") != bool(self.schedule):
            raise DesignRefused(
                where="washout" if strange else "schedule",
                found=f"{len(strange)} unknown periods" if strange else f"{len(self.schedule)} sequences",
                expected="periods of the design"
                if strange
                else "sequences exactly where sequences are drawn",
                remedy="Correct the list.",
            )
        if self.schedule:
            check_schedule(self, self.schedule, self.periods)
            open_ = {n: self._measured_cells(cells) for n, cells in self.schedule.items()}
            check_cell_shares(self, open_, {})
        self._check_carry_over()

    @property
    def measured(self) -> tuple[Period, ...]:
        """The periods outside washout, in order."""
        return tuple(period for period in self.periods if period not in self.washout)

    def layout(self, roster: pd.DataFrame) -> Layout:
        """Sequences over places, or arms over the cells of places and periods."""
        check_roster(roster, self.cluster, self.period, *self.block_by)
        found = strata(roster, self.block_by)
        places = drawn_units(roster, self.cluster, found.code)
        at = period_of_rows(roster, self.period, self.measured)
        if self.drawn == "sequences":
            share = (Fraction(1, len(self.schedule)),) * len(self.schedule)
            plan = Plan(stratum=places.stratum, shares=(share,) * len(found.label))
            check_sizes(plan, unit="places", blocks=", ".join(self.block_by))
            kept = [i for i, period in enumerate(self.periods) if period not in self.washout]
            table = cell_table(self, self.schedule)[:, kept]
            return Layout(
                plan=plan,
                unit=places.unit,
                lookup=table[:, at],
                heading="sequence",
                options=tuple(self.schedule),
            )
        cell, unit = np.unique(places.unit * len(self.measured) + at, return_inverse=True)
        plan = Plan(stratum=cell // len(self.measured), shares=(self.shares,) * len(places.stratum))
        check_sizes(plan, unit="periods", blocks=self.cluster)
        return Layout(plan=plan, unit=unit.astype(np.int64))

    def _measured_cells(self, cells: tuple[str, ...]) -> tuple[str, ...]:
        pairs = zip(self.periods, cells, strict=True)
        return tuple(UNMEASURED if period in self.washout else cell for period, cell in pairs)

    def _check_carry_over(self) -> None:
        """Enough washout between measured periods that may hold different arms."""
        kept = [i for i, period in enumerate(self.periods) if period not in self.washout]
        short = 0
        for cells in self.schedule.values():
            held = [i for i in kept if cells[i] != UNMEASURED]
            short += sum(
                cells[before] != cells[after] and after - before - 1 < self.carry_over_periods
                for before, after in pairwise(held)
            )
        if not self.schedule:
            short = sum(after - before - 1 < self.carry_over_periods for before, after in pairwise(kept))
        if short or self.carry_over_periods < 0:
            raise DesignRefused(
                where="washout",
                found=f"{short} changes of arm with fewer than {self.carry_over_periods} washout periods before them",
                expected="washout between measured periods that may hold different arms",
                remedy="Add periods to `washout`, or lower `carry_over_periods` and say why.",
            )
