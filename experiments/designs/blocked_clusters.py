"""Complete randomisation of whole clusters within blocks of clusters.

The usual design of a school or borough trial: clusters are drawn inside blocks (borough, size class),
every arm taking its exact share of the clusters of each block. A cluster lies in one block. Blocks may
have shares or counts of clusters of their own, named as in `blocked`.

Reference: Hayes & Moulton (2017), Cluster Randomised Trials, 2nd edition, chapter 5 (stratification);
Imai, King & Nall (2009), Statistical Science 24, 29-53.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pandas as pd

from experiments.plan_of_places import Plan
from experiments.stratified import (
    Layout,
    Stratified,
    check_named,
    check_sizes,
    lay_out,
    shares_by_stratum,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedClusters(Stratified):
    """Give each arm its exact share of the clusters of every block."""

    cluster: str
    block_by: tuple[str, ...]
    shares_by_block: Mapping[str, Mapping[str, Fraction]] = field(default_factory=dict)
    counts_by_block: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Stratified.__post_init__(self)
        check_named(self.block_by, "block_by")

    def layout(self, roster: pd.DataFrame) -> Layout:
        """Clusters in the strata of `block_by`."""
        found, units = lay_out(roster, cluster=self.cluster, block_by=self.block_by)
        sizes = np.bincount(units.stratum).astype(np.int64)
        shares = shares_by_stratum(
            self, found, sizes, shares=self.shares_by_block, counts=self.counts_by_block
        )
        plan = Plan(stratum=units.stratum, shares=shares)
        check_sizes(plan, unit="clusters", blocks=", ".join(self.block_by))
        return Layout(plan=plan, unit=units.unit)
