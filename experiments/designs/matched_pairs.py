"""Matched pairs: like with like, and chance decides within each pair.

`pair` is the roster column of pairs. Where the roster does not have it yet, the pairs are made from
the covariates in `match_on`: the pairing with the smallest sum of squared Mahalanobis distances (or of
their ranks), within the combinations of the `exact_on` columns. The pairing is a function of the
roster alone; `pairs(roster)` gives the column to store with it. With `cluster`, clusters are paired, on
the means of their people.

More than two arms, or unequal shares, need matched sets of a size that the shares divide, given in the
roster column: finding optimal sets of three or more is not attempted. Within a set every arrangement
is equally likely.

Reference: Greevy, Lu, Silber & Rosenbaum (2004), Biostatistics 5, 263-275; Imai, King & Nall (2009),
Statistical Science 24, 29-53 (pairs of clusters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from experiments.covariates import covariate_matrix, unit_means
from experiments.design import Codes, DesignRefused, Ints, check_roster
from experiments.pairing import optimal_pairs, squared_distances
from experiments.plan_of_places import inexact_strata
from experiments.roster import drawn_units, strata
from experiments.stratified import Layout, Stratified, equal_layout


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPairs(Stratified):
    """Draw within pairs given in the roster, or made on `match_on`."""

    pair: str
    match_on: tuple[str, ...] = ()
    exact_on: tuple[str, ...] = ()
    distance: Literal["mahalanobis", "rank mahalanobis"] | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        Stratified.__post_init__(self)
        if bool(self.match_on) != (self.distance is not None):
            raise DesignRefused(
                where="distance",
                found="nothing" if self.distance is None else "a distance without `match_on`",
                expected="`distance` exactly where `match_on` names covariates",
                remedy="Write `mahalanobis` or `rank mahalanobis`, or leave both out.",
            )

    def pairs(self, roster: pd.DataFrame) -> pd.Series[str]:
        """Each row's pair: the roster's own, or the optimal pairing, as labels to store."""
        if self.pair in roster.columns:
            check_roster(roster, self.pair)
            return roster[self.pair].astype("str")
        if not self.match_on:
            check_roster(roster, self.pair)
        made = self._made(roster)
        width = len(str(int(made.max()) + 1))
        labels = np.array([f"pair_{number + 1:0{width}d}" for number in range(int(made.max()) + 1)])
        return pd.Series(labels[made], index=roster.index, name=self.pair, dtype="str")

    def layout(self, roster: pd.DataFrame) -> Layout:
        """Units in the strata of their pairs."""
        paired = roster.assign(**{self.pair: self.pairs(roster)})
        layout = equal_layout(self, paired, cluster=self.cluster, block_by=(self.pair,))
        uneven = inexact_strata(layout.plan)
        if uneven:
            raise DesignRefused(
                where="roster",
                found=f"{uneven} of {len(layout.plan.shares)} pairs or sets of a size that the shares do not divide",
                expected=f"sets of a size that {', '.join(str(share) for share in self.shares)} divide",
                remedy="Give every pair two units (every set as many as the shares need).",
            )
        return layout

    def _made(self, roster: pd.DataFrame) -> Ints:
        """(rows,) pair numbers of the optimal pairing within `exact_on`."""
        if len(self.arms) != 2 or self.shares[0] != self.shares[1]:
            raise DesignRefused(
                where="match_on",
                found=f"{len(self.arms)} arms with shares {', '.join(str(s) for s in self.shares)}",
                expected="two arms of equal share, to be paired",
                remedy=f"Give the matched sets in the roster column '{self.pair}'.",
            )
        cluster = (self.cluster,) if self.cluster else ()
        check_roster(roster, *self.match_on, *self.exact_on, *cluster)
        exact = strata(roster, self.exact_on)
        units = drawn_units(roster, self.cluster, exact.code)
        values = unit_means(
            covariate_matrix(roster, self.match_on, where="match_on"), units.unit, len(units.stratum)
        )
        distance = squared_distances(values, self.distance or "mahalanobis")
        pair = np.empty(len(units.stratum), dtype=np.int64)
        used = 0
        for label in range(len(exact.label)):
            members = np.flatnonzero(units.stratum == label)
            pair[members] = used + optimal_pairs(distance[np.ix_(members, members)])
            used = int(pair[members].max()) + 1
        return np.asarray(pair[units.unit])

    def _draw_one(self, roster: pd.DataFrame, rng: np.random.Generator) -> tuple[Codes, pd.DataFrame | None]:
        pairs = self.pairs(roster)
        paired = roster.assign(**{self.pair: pairs})
        return self.draw_many(paired, 1, rng)[0], pd.DataFrame({self.pair: pairs})
