"""Simple randomisation: every unit drawn on its own, as by a coin or a die.

Units are independent, so arms' sizes vary: with N units the number in arm k is Binomial(N, f_k), and
an arm may even be empty. It is used where recruitment is rolling and very large, or where nobody may
guess the next allocation. Chances are exact: the die has as many faces as the shares' common
denominator. With `cluster`, whole clusters are drawn, independently of one another.

Reference: Rosenberger & Lachin (2016), Randomization in Clinical Trials, 2nd edition, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import lcm

import numpy as np
import pandas as pd

from experiments.design import Codes, Design, DesignRefused, Ints
from experiments.draw_space import DrawCount, EveryDraw, JointChance
from experiments.roster import check_roster, drawn_units
from experiments.stratified import check_pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple(Design):
    """Draw every unit (or every cluster) independently with the arms' shares."""

    cluster: str | None = None

    def draw_many(self, roster: pd.DataFrame, n: int, rng: np.random.Generator) -> Codes:
        """(n, units) codes, independent over draws and units."""
        unit, units = self._units(roster)
        faces = lcm(*(share.denominator for share in self.shares))
        edges = np.cumsum([int(share * faces) for share in self.shares])[:-1]
        kind = np.uint8 if faces <= 2**8 else np.uint16 if faces <= 2**16 else np.int64
        thrown = rng.integers(0, faces, size=(n, units), dtype=kind)
        codes = np.zeros((n, units), dtype=np.int8)
        for edge in edges:
            codes += thrown >= edge
        return codes if self.cluster is None else np.take(codes, unit, axis=1)

    def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
        """Every unit's chance of arm k is that arm's share."""
        self._units(roster)
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
        """Closed form: the product of the shares, save within a unit or cluster."""
        del rng, draws
        check_pairs(roster)
        unit, _ = self._units(roster)
        first, second = self.shares[self.code(arm)], self.shares[self.code(other)]
        own = float(first) if arm == other else 0.0
        table = np.where(unit[:, None] == unit[None, :], own, float(first * second))
        return JointChance(table=table, how="closed form", draws=None)

    def number_of_draws(self, roster: pd.DataFrame) -> DrawCount:
        """Arms to the power of the units."""
        _, units = self._units(roster)
        return DrawCount(number=len(self.arms) ** units, how="closed form")

    def every_draw(self, roster: pd.DataFrame, limit: int) -> EveryDraw:
        """All words of the arms, each with the product of its shares."""
        unit, units = self._units(roster)
        total = len(self.arms) ** units
        if total > limit:
            raise DesignRefused(
                where="limit",
                found=f"{total} possible draws",
                expected=f"at most {limit}",
                remedy="Use `draw_many`, or raise the limit.",
            )
        words = np.array(list(product(range(len(self.arms)), repeat=units)), dtype=np.int8)
        shares = np.array([float(share) for share in self.shares])
        return EveryDraw(codes=np.take(words, unit, axis=1), probability=shares[words].prod(axis=1))

    def _units(self, roster: pd.DataFrame) -> tuple[Ints, int]:
        """The drawn unit of each row, and how many there are."""
        check_roster(roster, *((self.cluster,) if self.cluster else ()))
        found = drawn_units(roster, self.cluster, np.zeros(len(roster), dtype=np.int64))
        if len(found.stratum) < len(self.arms):
            raise DesignRefused(
                where="roster",
                found=f"{len(found.stratum)} {'clusters' if self.cluster else 'units'} for {len(self.arms)} arms",
                expected=f"at least {len(self.arms)}",
                remedy="Recruit more before the draw, or use fewer arms.",
            )
        return found.unit, len(found.stratum)
