"""Complete randomisation of people within blocks.

Each combination of the `block_by` columns is a block, and within it every arm takes its exact share,
so the blocking variables are balanced by construction. A block whose size the shares do not divide
draws its left-over places, independently of other blocks, so that every chance is exact. `shares`
gives some blocks shares of their own and `counts` fixed numbers; a block is named by its value, or by
its values joined with ' / ' in the order of `block_by`. A block must have as many units as arms.

Reference: Imbens & Rubin (2015), Causal Inference for Statistics, Social, and Biomedical Sciences,
chapter 9; Fisher (1935), The Design of Experiments, chapter 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pandas as pd

from experiments.plan_of_places import Plan
from experiments.stratified import Layout, Stratified, check_named, check_sizes, lay_out, shares_by_stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked(Stratified):
    """Give each arm its exact share of every block; `block_by` names roster columns."""

    block_by: tuple[str, ...]
    shares_by_block: Mapping[str, Mapping[str, Fraction]] = field(default_factory=dict)
    counts_by_block: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Stratified.__post_init__(self)
        check_named(self.block_by, "block_by")

    def layout(self, roster: pd.DataFrame) -> Layout:
        """Rows in the strata of `block_by`."""
        found, units = lay_out(roster, cluster=None, block_by=self.block_by)
        sizes = np.bincount(units.stratum)
        plan = Plan(
            stratum=units.stratum,
            shares=shares_by_stratum(
                self, found, sizes.astype(np.int64), shares=self.shares_by_block, counts=self.counts_by_block
            ),
        )
        check_sizes(plan, unit="units", blocks=", ".join(self.block_by))
        return Layout(plan=plan, unit=None)
