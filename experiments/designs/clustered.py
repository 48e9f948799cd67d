"""Complete randomisation of whole clusters.

Schools, teams, hot spots or neighbourhoods are drawn, and everybody in a cluster shares its arm. The
arms' shares are shares of clusters, whatever their sizes; `counts` gives numbers of clusters instead.
People of one cluster never hold different arms, so their joint chance of two arms is zero.

Reference: Hayes & Moulton (2017), Cluster Randomised Trials, 2nd edition, chapters 4 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from experiments.plan_of_places import Plan
from experiments.stratified import Layout, Stratified, check_sizes, lay_out, shares_of_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustered(Stratified):
    """Give each arm its exact share, or its fixed count, of the clusters; `cluster` is a roster column."""

    cluster: str
    counts: Mapping[str, int] = field(default_factory=dict)

    def layout(self, roster: pd.DataFrame) -> Layout:
        """Clusters in one stratum."""
        _, units = lay_out(roster, cluster=self.cluster, block_by=())
        clusters = len(units.stratum)
        shares = shares_of_counts(self, self.counts, clusters, where="counts") if self.counts else self.shares
        plan = Plan(stratum=units.stratum, shares=(shares,))
        check_sizes(plan, unit="clusters", blocks="")
        return Layout(plan=plan, unit=units.unit)
