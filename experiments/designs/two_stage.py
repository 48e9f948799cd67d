"""Two-stage randomisation: clusters to saturations, then people to arms within clusters.

Made for spill-over. Chance first decides how strongly each cluster is treated (its saturation: the
arms' shares among its people), then who in it is treated. Comparing untreated people between
saturations shows what treating their neighbours did to them. A cluster's left-over places are drawn,
so that with saturations s of share p_s and arms' shares f_sk every person's chance is exactly

    P(i in arm k)              = sum_s p_s f_sk
    P(i in k and j in l)       = sum_s p_s E_s[c_k (c_l - 1{k = l})] / (m (m - 1))    same cluster of m
                               = sum_st P(s, t) f_sk f_tl                            different clusters

The arms' shares in the study must equal the first line. A saturation may leave an arm out, or be pure
(a share of 1), which gives clusters in which nobody is treated.

Reference: Hudgens & Halloran (2008), JASA 103, 832-842; Baird, Bohren, McIntosh & Ozler (2018),
Review of Economics and Statistics 100, 844-860 (the design of saturations).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np
import pandas as pd

from experiments import plan_of_places
from experiments.design import Codes, Design, DesignRefused, Ints
from experiments.draw_space import DrawCount, JointChance
from experiments.plan_of_places import Plan
from experiments.remainders import Shares, law, mean_products, places
from experiments.saturation import Saturation
from experiments.stratified import check_pairs, check_sizes, lay_out, shares_of_arms


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStage(Design):
    """Draw the saturation of every cluster, then the arm of every person."""

    cluster: str
    saturations: Mapping[str, Saturation]
    block_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        total = sum((s.share for s in self.saturations.values()), Fraction(0))
        if len(self.saturations) < 2 or total != 1 or any(s.share <= 0 for s in self.saturations.values()):
            raise DesignRefused(
                where="saturations",
                found=f"{len(self.saturations)} saturations with shares that sum to {total}",
                expected="two or more, with shares of clusters above zero that sum to 1",
                remedy="Write each saturation's share of the clusters as a fraction.",
            )
        within = self._within()
        exact = tuple(
            sum((s.share * w[k] for s, w in zip(self.saturations.values(), within, strict=True)), Fraction(0))
            for k in range(len(self.arms))
        )
        if exact != self.shares:
            raise DesignRefused(
                where="arms",
                found="shares that differ from those the saturations give",
                expected=", ".join(f"{n} {share}" for n, share in zip(self.names, exact, strict=True)),
                remedy="Write those shares, so that the study states what the two stages do.",
            )

    def draw_many(self, roster: pd.DataFrame, n: int, rng: np.random.Generator) -> Codes:
        """(n, units) arm codes."""
        return self.draw_both(roster, n, rng)[1]

    def draw_both(self, roster: pd.DataFrame, n: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
        """(n, units) saturation codes, in the order of `saturations`, and (n, units) arm codes."""
        plan, unit = self._plan(roster)
        first = plan_of_places.draw(plan, n, rng)
        within = self._within()
        arms = np.empty((n, len(roster)), dtype=np.int8)
        sizes = np.bincount(unit)
        order = np.argsort(unit, kind="stable")
        start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        for size in np.unique(sizes):
            clusters = np.flatnonzero(sizes == size)
            rows = order[start[clusters][:, None] + np.arange(size)]
            drawn = first[:, clusters].ravel()
            filled = np.zeros((len(drawn), int(size)), dtype=np.int8)
            for code, shares in enumerate(within):
                mine = np.flatnonzero(drawn == code)
                edges = np.cumsum(places(int(size), shares, len(mine), rng), axis=1)[:, :-1]
                for edge in edges.T:
                    filled[mine] += np.arange(size) >= edge[:, None]
            rng.permuted(filled, axis=1, out=filled)
            arms[:, rows.ravel()] = filled.reshape(n, rows.size)
        return np.take(first, unit, axis=1), arms

    def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
        """Every person's chance of an arm is that arm's share."""
        self._plan(roster)
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
        """Closed form, as at the top of this file."""
        del rng, draws
        check_pairs(roster)
        plan, unit = self._plan(roster)
        k, m = self.code(arm), self.code(other)
        within = self._within()
        between = np.zeros((len(plan.stratum), len(plan.stratum)))
        for s, mine in enumerate(within):
            for t, theirs in enumerate(within):
                if mine[k] and theirs[m]:
                    between += plan_of_places.joint(plan, s, t) * float(mine[k] * theirs[m])
        sizes = np.bincount(unit)
        own = np.array([self._inside(int(size), k, m) for size in sizes])
        np.fill_diagonal(between, own)
        table = np.asarray(between[np.ix_(unit, unit)])
        np.fill_diagonal(table, float(self.shares[k]) if k == m else 0.0)
        return JointChance(table=table, how="closed form", draws=None)

    def number_of_draws(self, roster: pd.DataFrame) -> DrawCount:
        """Draws of both stages: every pair of saturations of clusters and arms of people, exactly."""
        plan, unit = self._plan(roster)
        sizes = np.bincount(unit)
        within = self._within()
        number = prod(
            _ways_of_block([int(s) for s in sizes[plan.stratum == b]], shares, within)
            for b, shares in enumerate(plan.shares)
        )
        return DrawCount(number=number, how="closed form")

    def _inside(self, size: int, k: int, m: int) -> float:
        """The chance of arms k and m in two people of one cluster."""
        if size < 2:
            return 0.0
        total = 0.0
        for saturation, shares in zip(self.saturations.values(), self._within(), strict=True):
            own = size * float(shares[k]) if k == m else 0.0
            pairs = mean_products(size, shares)[k, m] - own
            total += float(saturation.share) * pairs / (size * (size - 1))
        return total

    def _within(self) -> list[Shares]:
        """The arms' shares in each saturation."""
        return [
            shares_of_arms(self, saturation.arms, where=f"saturations.{name}.arms")
            for name, saturation in self.saturations.items()
        ]

    def _plan(self, roster: pd.DataFrame) -> tuple[Plan, Ints]:
        found, units = lay_out(roster, cluster=self.cluster, block_by=self.block_by)
        shares = tuple(saturation.share for saturation in self.saturations.values())
        plan = Plan(stratum=units.stratum, shares=(shares,) * len(found.label))
        check_sizes(plan, unit="clusters", blocks=", ".join(self.block_by))
        return plan, units.unit

    def _draw_one(self, roster: pd.DataFrame, rng: np.random.Generator) -> tuple[Codes, pd.DataFrame | None]:
        saturations, arms = self.draw_both(roster, 1, rng)
        names = np.array(tuple(self.saturations), dtype=object)[saturations[0]]
        detail = pd.DataFrame({"saturation": pd.Series(names, index=roster.index, dtype="str")})
        return arms[0], detail


def _ways_of_block(sizes: list[int], shares: Shares, within: list[Shares]) -> int:
    """Arms of people summed over saturations of clusters: a sum over the clusters, one at a time."""
    allowed = {counts for counts, _ in law(len(sizes), shares)}
    state: dict[tuple[int, ...], int] = {(0,) * len(shares): 1}
    for size in sizes:
        people = np.zeros(size, dtype=np.int64)
        ways = [plan_of_places.number(Plan(stratum=people, shares=(w,))) for w in within]
        after: dict[tuple[int, ...], int] = {}
        for counts, so_far in state.items():
            for s, more in enumerate(ways):
                reached = tuple(c + (s == i) for i, c in enumerate(counts))
                after[reached] = after.get(reached, 0) + so_far * more
        state = {
            counts: total
            for counts, total in after.items()
            if any(all(c <= a for c, a in zip(counts, top, strict=True)) for top in allowed)
        }
    return sum(total for counts, total in state.items() if counts in allowed)
