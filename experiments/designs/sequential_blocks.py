"""Permuted blocks of varying size, for recruitment that goes on while people are allocated.

In every stratum of `block_by` (site, say) newcomers are taken in the order of the roster and put into
blocks whose sizes are drawn, with equal chance, from `sizes`; each block holds the arms in their exact
shares, shuffled. Arms stay even at every moment, and nobody who knows past allocations can be sure of
the next as they could with one fixed size. Every size must be one that the shares divide. The last
block of a stratum is cut where recruitment ends, so totals may differ by part of a block.

Every unit's chance of an arm is exactly the arm's share. A list can be drawn for more places than will
be filled, and revealed one place at a time.

Reference: Rosenberger & Lachin (2016), Randomization in Clinical Trials, 2nd edition, sections 3.4 and
5.4; Matts & Lachin (1988), Controlled Clinical Trials 9, 327-344.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import pandas as pd

from experiments.block_sequences import Counts, number_of_sequences, same_block, sequences
from experiments.design import Codes, Design, DesignRefused
from experiments.draw_space import DrawCount, JointChance
from experiments.roster import Strata, check_roster, strata
from experiments.stratified import check_pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialBlocks(Design):
    """Allocate in roster order by permuted blocks of the declared `sizes`."""

    sizes: tuple[int, ...]
    block_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        uneven = [
            s for s in self.sizes if s < 1 or any((s * share).denominator != 1 for share in self.shares)
        ]
        if not self.sizes or uneven or len(set(self.sizes)) != len(self.sizes):
            raise DesignRefused(
                where="sizes",
                found=f"{len(self.sizes)} sizes, {len(uneven)} of which the shares do not divide",
                expected=f"different sizes that {', '.join(str(share) for share in self.shares)} divide",
                remedy="Use multiples of the shares' common denominator, two or three of them.",
            )

    def draw_many(self, roster: pd.DataFrame, n: int, rng: np.random.Generator) -> Codes:
        """(n, units) codes, stratum by stratum."""
        found = self._strata(roster)
        out = np.empty((n, len(roster)), dtype=np.int8)
        for stratum in range(len(found.label)):
            members = np.flatnonzero(found.code == stratum)
            out[:, members] = sequences(len(members), self._counts(), n, rng)
        return out

    def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
        """Every unit's chance of an arm is that arm's share."""
        self._strata(roster)
        return self._table(np.tile([float(share) for share in self.shares], (len(roster), 1)), roster)

    def joint_chance(
        self,
        roster: pd.DataFrame,
        arm: str,
        other: str,
        *,
        rng: np.random.Generator | None = None,
        draws: int | None = None,
    ) -> JointChance:
        """Closed form, by the chance of sharing a block."""
        del rng, draws
        check_pairs(roster)
        found = self._strata(roster)
        k, m = self.code(arm), self.code(other)
        apart = float(self.shares[k] * self.shares[m])
        table = np.full((len(roster), len(roster)), apart)
        counts = self._counts()
        for stratum in range(len(found.label)):
            members = np.flatnonzero(found.code == stratum)
            inside = np.full((len(members), len(members)), apart)
            for size, together in same_block(len(members), counts).items():
                places = counts[size]
                pairs = places[k] * (places[m] - (k == m)) / (size * (size - 1)) if size > 1 else apart
                inside += together * (pairs - apart)
            table[np.ix_(members, members)] = inside
        np.fill_diagonal(table, float(self.shares[k]) if k == m else 0.0)
        return JointChance(table=table, how="closed form", draws=None)

    def number_of_draws(self, roster: pd.DataFrame) -> DrawCount:
        """Different sequences, multiplied over strata; None where too many ways of cutting blocks."""
        found = self._strata(roster)
        each = [
            number_of_sequences(int(length), self._counts())
            for length in np.bincount(found.code, minlength=len(found.label))
        ]
        known = [number for number in each if number is not None]
        return DrawCount(number=prod(known) if len(known) == len(each) else None, how="closed form")

    def _counts(self) -> Counts:
        return {size: tuple(int(size * share) for share in self.shares) for size in self.sizes}

    def _strata(self, roster: pd.DataFrame) -> Strata:
        check_roster(roster, *self.block_by)
        if len(roster) < len(self.arms):
            raise DesignRefused(
                where="roster",
                found=f"{len(roster)} units for {len(self.arms)} arms",
                expected=f"at least {len(self.arms)}",
                remedy="Draw the list for all the places that may be filled.",
            )
        return strata(roster, self.block_by)
