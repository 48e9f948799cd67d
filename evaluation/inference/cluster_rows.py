"""Sums over the rows of each cluster, and over the cells of clusters with shared absorbed levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.inference.least_squares import Floats, Ints, Projection

# Above this many rows a cluster, one small matrix product per cluster beats segment sums.
LARGE = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterRows:
    """Z_g'Z_g and Z_g'e_g in parts, for unweighted rows.

    `gram` (G, k, k) and `outcome` (G, k) are of the design's own columns. A pair is a cluster and an
    absorbed level that it shares with another cluster, sorted by cluster: `pair_square` (P,) is the
    level's column times itself, `pair_gram` (P, k) times the design, `pair_outcome` (P,) times e.
    """

    gram: Floats
    outcome: Floats
    pair_cluster: Ints
    pair_level: Ints
    pair_square: Floats
    pair_gram: Floats
    pair_outcome: Floats

    def padded(self, chosen: slice) -> tuple[Floats, Floats, tuple[Ints, Ints, Ints]]:
        """Z'Z (g, K, K) and Z'e (g, K) of some clusters, levels first, padded with zeros to one K.

        Also which pairs these are, and for each its cluster and slot within the padded arrays.
        """
        low, high = np.searchsorted(self.pair_cluster, [chosen.start, chosen.stop])
        where = np.arange(low, high)
        group = self.pair_cluster[low:high] - chosen.start
        size = chosen.stop - chosen.start
        levels = np.bincount(group, minlength=size)
        slot = where - low - (np.cumsum(levels) - levels)[group]
        shared = int(levels.max(initial=0))
        k = self.outcome.shape[1]
        gram = np.zeros((size, shared + k, shared + k))
        product = np.zeros((size, shared + k))
        gram[:, shared:, shared:] = self.gram[chosen]
        product[:, shared:] = self.outcome[chosen]
        gram[group, slot, slot] = self.pair_square[low:high]
        gram[group, slot, shared:] = self.pair_gram[low:high]
        gram[group, shared:, slot] = self.pair_gram[low:high]
        product[group, slot] = self.pair_outcome[low:high]
        return gram, product, (where, group, slot)


def cluster_rows(projection: Projection, residuals: Floats, codes: Ints, count: int) -> ClusterRows:
    """The sums for clusters coded 0..count-1."""
    rows, level = projection.rows, projection.level
    if np.any(np.diff(codes) < 0):
        order = np.argsort(codes, kind="stable")
        rows, residuals, codes = rows[order], residuals[order], codes[order]
        level = None if level is None else level[order]
    starts = np.searchsorted(codes, np.arange(count))
    k = rows.shape[1]
    gram = np.empty((count, k, k))
    if len(rows) > LARGE * count:
        outcome = np.empty((count, k))
        for g, (low, high) in enumerate(zip(starts, [*starts[1:], len(rows)], strict=True)):
            part = rows[low:high]
            gram[g] = part.T @ part
            outcome[g] = residuals[low:high] @ part
    else:
        outcome = np.add.reduceat(rows * residuals[:, None], starts, axis=0)
        for j in range(k):
            gram[:, j, j:] = np.add.reduceat(rows[:, j, None] * rows[:, j:], starts, axis=0)
            gram[:, j:, j] = gram[:, j, j:]
    if level is None or projection.level_weight is None:
        none = np.empty(0, dtype=np.int64)
        return ClusterRows(
            gram=gram,
            outcome=outcome,
            pair_cluster=none,
            pair_level=none,
            pair_square=np.empty(0),
            pair_gram=np.empty((0, k)),
            pair_outcome=np.empty(0),
        )
    return _with_levels(gram, outcome, rows, residuals, codes, level, projection.level_weight)


def _with_levels(
    gram: Floats,
    outcome: Floats,
    rows: Floats,
    residuals: Floats,
    codes: Ints,
    level: Ints,
    level_weight: Floats,
) -> ClusterRows:
    """Add the pairs of clusters and levels that straddle clusters, found once per run of rows."""
    levels = len(level_weight)
    pairs, pair = np.unique(codes * levels + level, return_inverse=True)
    pair_cluster, pair_level = np.divmod(pairs, levels)
    straddles = np.bincount(pair_level, minlength=levels)[pair_level] > 1
    number = np.cumsum(straddles) - 1
    inside = straddles[pair]
    pair, total = number[pair[inside]], int(straddles.sum())
    scale = 1 / np.sqrt(level_weight[pair_level[straddles]])
    sums = [np.bincount(pair, weights=column[inside], minlength=total) for column in rows.T]
    return ClusterRows(
        gram=gram,
        outcome=outcome,
        pair_cluster=pair_cluster[straddles],
        pair_level=pair_level[straddles],
        pair_square=np.bincount(pair, minlength=total) * scale**2,
        pair_gram=np.column_stack(sums) * scale[:, None] if sums else np.empty((total, 0)),
        pair_outcome=np.bincount(pair, weights=residuals[inside], minlength=total) * scale,
    )
