"""Complete randomisation: fixed numbers of units in each arm, every such assignment equally likely.

With N units and exact shares f_k, arm k takes floor(N f_k) places. The places left over go to
arms at random, at most one more each, by systematic sampling of the remainders in random order of
arms, so that every unit's chance of arm k is exactly f_k.

Reference: Imbens & Rubin (2015), Causal Inference for Statistics, Social, and Biomedical Sciences,
section 4.4; systematic sampling of unequal probabilities: Madow (1949), Ann. Math. Stat. 20, 333-354.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from experiments.design import Design, Floats, Ints, check_roster


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(Design):
    """Give each arm its exact share of all units."""

    def draw_many(self, roster: pd.DataFrame, n: int, rng: np.random.Generator) -> Ints:
        """(n, units) codes: the places are filled, then shuffled, independently in each row."""
        check_roster(roster)
        counts = places(len(roster), tuple(arm.share for arm in self.arms), n, rng)
        ordered = np.empty((n, len(roster)), dtype=np.int64)
        edges = np.cumsum(counts, axis=1)
        position = np.arange(len(roster))
        ordered[:] = (position[None, :, None] >= edges[:, None, :]).sum(axis=2)
        return rng.permuted(ordered, axis=1)

    def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
        """Every unit's chance of arm k is that arm's share."""
        check_roster(roster)
        shares = np.array([float(arm.share) for arm in self.arms])
        table: Floats = np.tile(shares, (len(roster), 1))
        return pd.DataFrame(table, index=roster.index, columns=list(self.names))


def places(units: int, shares: tuple[Fraction, ...], n: int, rng: np.random.Generator) -> Ints:
    """(n, arms) places in each arm: whole parts, and remainders by systematic sampling."""
    whole = [int(units * share) for share in shares]
    remainder = [units * share - part for share, part in zip(shares, whole, strict=True)]
    counts = np.tile(np.array(whole, dtype=np.int64), (n, 1))
    if not any(remainder):
        return counts
    order = np.argsort(rng.random((n, len(shares))), axis=1)
    upper = np.cumsum(np.array([float(r) for r in remainder])[order], axis=1)
    start = rng.random((n, 1))
    ticks = np.floor(np.round(upper - start, 12)) + 1
    extra_in_order = np.diff(np.concatenate([np.zeros((n, 1)), ticks], axis=1), axis=1).astype(np.int64)
    extra = np.empty_like(extra_in_order)
    np.put_along_axis(extra, order, extra_in_order, axis=1)
    return counts + extra
