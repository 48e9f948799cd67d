"""A trial in many sites, each with its own shares.

Every site randomises its own people (or its own clusters) to every arm, and a site may offer the
arms in shares of its own, because its places are few or its waiting list long. `shares_by_site`
gives those; a site not named uses the arms' shares, and an arm left out of a site's shares is not
offered there. Chances then differ between sites, so people must be compared within sites or weighted
by the inverse of their chance: a plain difference of means would confound sites with arms.

Reference: Raudenbush & Liu (2000), Psychological Methods 5, 199-213; Gerber & Green (2012), Field
Experiments, section 4.5 (unequal chances between blocks).
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
    check_sizes,
    lay_out,
    shares_by_stratum,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSite(Stratified):
    """Randomise within every site; `site`, and `cluster` where clusters are drawn, are roster columns."""

    site: str
    shares_by_site: Mapping[str, Mapping[str, Fraction]]
    cluster: str | None = None
    block_by: tuple[str, ...] = field(default=())

    def layout(self, roster: pd.DataFrame) -> Layout:
        """Units in the strata of site, and of `block_by` within sites."""
        columns = (self.site, *self.block_by)
        sites, _ = lay_out(roster, cluster=None, block_by=(self.site,))
        found, units = lay_out(roster, cluster=self.cluster, block_by=columns)
        by_site = shares_by_stratum(
            self,
            sites,
            np.bincount(sites.code).astype(np.int64),
            shares=self.shares_by_site,
            counts={},
        )
        site_of_stratum = np.zeros(len(found.label), dtype=np.int64)
        site_of_stratum[found.code] = sites.code
        plan = Plan(stratum=units.stratum, shares=tuple(by_site[s] for s in site_of_stratum))
        check_sizes(plan, unit="clusters" if self.cluster else "units", blocks=", ".join(columns))
        return Layout(plan=plan, unit=None if self.cluster is None else units.unit)
