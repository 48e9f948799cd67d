"""Complete randomisation: fixed numbers of units in each arm, every such assignment equally likely.

With N units and exact shares f_k, arm k takes floor(N f_k) places. The places left over go to
arms at random, at most one more each, by systematic sampling of the remainders in random order of
arms, so that every unit's chance of arm k is exactly f_k. Where `counts` gives numbers of units
instead (one arm may be left out and takes the rest), they replace the arms' shares.

Reference: Imbens & Rubin (2015), Causal Inference for Statistics, Social, and Biomedical Sciences,
section 4.4; systematic sampling of unequal probabilities: Madow (1949), Ann. Math. Stat. 20, 333-354.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from experiments.plan_of_places import Plan
from experiments.remainders import places as places
from experiments.stratified import Layout, Stratified, check_sizes, lay_out, shares_of_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(Stratified):
    """Give each arm its exact share of all units, or its fixed count."""

    counts: Mapping[str, int] = field(default_factory=dict)

    def layout(self, roster: pd.DataFrame) -> Layout:
        """All rows in one stratum."""
        _, units = lay_out(roster, cluster=None, block_by=())
        shares = (
            shares_of_counts(self, self.counts, len(roster), where="counts") if self.counts else self.shares
        )
        plan = Plan(stratum=units.stratum, shares=(shares,))
        check_sizes(plan, unit="units", blocks="")
        return Layout(plan=plan, unit=None)
