"""Stepped wedge: every cluster ends in the intervention, and chance decides when it starts.

Clusters are drawn to sequences; `schedule` writes each sequence's arm in every period, so that the
wedge can be read off the study file, with `-` where a cluster is left unmeasured (incomplete
designs, transition periods). Sequences only move forwards: an arm once left does not return.
`clusters_per_sequence` fixes the numbers; without it they are as equal as can be, and the clusters
left over are drawn. `batch` names the roster column of clusters recruited and drawn together, and
`batch_sequences` the sequences open to each batch; the draw is within batches, and within blocks.

`measurement` says who is measured. In a `cross-sectional` wedge each period has other people; in a
`closed cohort` the same people are measured in every period and `person` names their column. The
roster has one row per person (or cluster) and period. The arms' shares are their shares of measured
cluster-periods, which the declaration checks. Intervention and calendar time are confounded by
construction, so every analysis must adjust for period.

Reference: Hussey & Hughes (2007), Contemporary Clinical Trials 28, 182-191; Hemming, Lilford &
Girling (2015), Statistics in Medicine 34, 181-196 (incomplete designs); Kasza, Bowden, Hooper &
Forbes (2022), Statistics in Medicine 41, 3627-3641 (batches).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd

from experiments.design import DesignRefused, check_roster
from experiments.plan_of_places import Plan
from experiments.remainders import Shares
from experiments.roster import DrawnUnits, Strata, drawn_units, one_value_per_cluster, strata
from experiments.schedule import (
    UNMEASURED,
    Period,
    cell_table,
    check_cell_shares,
    check_schedule,
    period_of_rows,
)
from experiments.stratified import Layout, Stratified


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedWedge(Stratified):
    """Draw clusters to the sequences of `schedule`; `cluster`, `period`, `batch` are roster columns."""

    cluster: str
    period: str
    periods: tuple[Period, ...]
    schedule: Mapping[str, tuple[str, ...]]
    measurement: Literal["cross-sectional", "closed cohort"]
    person: str | None = None
    clusters_per_sequence: Mapping[str, int] = field(default_factory=dict)
    batch: str | None = None
    batch_sequences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    block_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Stratified.__post_init__(self)
        check_schedule(self, self.schedule, self.periods)
        for name, cells in self.schedule.items():
            measured = [cell for cell in cells if cell != UNMEASURED]
            moves = [cell for i, cell in enumerate(measured) if i == 0 or cell != measured[i - 1]]
            if len(set(moves)) != len(moves):
                raise _refused(
                    f"schedule.{name}",
                    "a return to an arm already left",
                    "moves forward only",
                    "Use `crossover`.",
                )
        for sequence in self.clusters_per_sequence:
            self._known(sequence, "clusters_per_sequence")
        for batch, sequences in self.batch_sequences.items():
            for sequence in sequences:
                self._known(sequence, f"batch_sequences.{batch}")
        if self.clusters_per_sequence and (self.batch or self.block_by):
            raise _refused(
                "clusters_per_sequence",
                "counts beside batches or blocks",
                "equal sequences within each batch or block",
                "Remove the counts, or draw without batches and blocks.",
            )
        if bool(self.batch_sequences) and self.batch is None:
            raise _refused("batch", "nothing", "the roster column of batches", "Name it.")
        if (self.measurement == "closed cohort") != (self.person is not None):
            raise _refused(
                "person",
                "nothing" if self.person is None else f"'{self.person}' in a cross-sectional wedge",
                "the roster column of people exactly where measurement is `closed cohort`",
                "Name it, or choose `cross-sectional`.",
            )
        if not self.batch_sequences:
            check_cell_shares(self, self.schedule, self.clusters_per_sequence)

    @property
    def block_columns(self) -> tuple[str, ...]:
        """Batches and blocks."""
        return ((self.batch,) if self.batch else ()) + self.block_by

    def layout(self, roster: pd.DataFrame) -> Layout:
        """Clusters drawn to sequences, rows read off the schedule at their period."""
        person = (self.person,) if self.person else ()
        check_roster(roster, self.cluster, self.period, *self.block_columns, *person)
        found = strata(roster, self.block_columns)
        units = drawn_units(roster, self.cluster, found.code)
        if self.person:
            self._check_cohort(roster)
        plan = Plan(stratum=units.stratum, shares=self._sequence_shares(roster, found, units))
        needed = np.array([sum(share > 0 for share in shares) for shares in plan.shares])
        short = plan.sizes < needed
        if short.any():
            raise _refused(
                "roster",
                f"{int(plan.sizes[short].min())} clusters for {int(needed[short].max())} sequences "
                f"in {int(short.sum())} of {len(short)} batches or blocks",
                "at least one cluster for every step of the wedge",
                "Recruit more clusters, or use fewer steps.",
            )
        at = period_of_rows(roster, self.period, self.periods)
        return Layout(
            plan=plan,
            unit=units.unit,
            lookup=cell_table(self, self.schedule)[:, at],
            heading="sequence",
            options=tuple(self.schedule),
        )

    def _sequence_shares(self, roster: pd.DataFrame, found: Strata, units: DrawnUnits) -> tuple[Shares, ...]:
        """Each stratum's exact share of every sequence."""
        names = tuple(self.schedule)
        if self.clusters_per_sequence:
            wanted, there = sum(self.clusters_per_sequence.values()), len(units.stratum)
            if wanted != there:
                raise _refused(
                    "clusters_per_sequence",
                    f"places for {wanted} clusters, with {there} in the roster",
                    "a place for every cluster",
                    "Correct the counts.",
                )
            return (tuple(Fraction(self.clusters_per_sequence.get(n, 0), there) for n in names),)
        if not self.batch_sequences:
            return ((Fraction(1, len(names)),) * len(names),) * len(found.label)
        assert self.batch is not None
        batch = roster[self.batch].astype("str").to_numpy()
        present = set(batch)
        if present != set(self.batch_sequences):
            raise _refused(
                "batch_sequences",
                f"{len(set(self.batch_sequences) - present)} batches with no clusters and "
                f"{len(present - set(self.batch_sequences))} batches without sequences",
                "an entry for every batch of the roster, and no other",
                "Correct the entries.",
            )
        first = np.unique(found.code, return_index=True)[1]
        return tuple(
            tuple(Fraction(int(n in open_), len(open_)) for n in names)
            for open_ in (self.batch_sequences[str(batch[row])] for row in first)
        )

    def _check_cohort(self, roster: pd.DataFrame) -> None:
        """The same people in every period, each in one cluster."""
        assert self.person is not None
        cells = roster[[self.person, self.period]]
        people = drawn_units(roster, self.person, np.zeros(len(roster), dtype=np.int64))
        one_value_per_cluster(roster, people, self.cluster, self.person)
        twice = int(cells.duplicated().sum())
        absent = len(people.stratum) * len(self.periods) - len(roster) + twice
        if twice or absent:
            raise _refused(
                "roster",
                f"{twice} second rows of a person in a period, and {absent} people-periods without a row",
                "every person of a closed cohort once in every period",
                "Complete the rows (outcomes may be missing), or declare `cross-sectional`.",
            )

    def _known(self, sequence: str, where: str) -> None:
        if sequence not in self.schedule:
            raise _refused(where, f"'{sequence}'", "a sequence of the schedule", "Check its spelling.")


def _refused(where: str, found: str, expected: str, remedy: str) -> DesignRefused:
    return DesignRefused(where=where, found=found, expected=expected, remedy=remedy)
