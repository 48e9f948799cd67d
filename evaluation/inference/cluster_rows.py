"""Sums over the rows of each cluster, and over the cells of clusters with absorbed levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.inference.factor_codes import cluster_order, factor_codes
from evaluation.inference.least_squares import Floats, Ints, Projection

# Above this many rows a cluster, one small matrix product per cluster beats segment sums.
LARGE = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SortedRows:
    """Rows of the design, residuals, clusters, levels and weights with each cluster's rows together."""

    rows: Floats
    residuals: Floats
    codes: Ints
    count: int
    level: Ints | None
    level_weight: Floats | None
    weight: Floats | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterSums:
    """Z_g'V Z_g and Z_g'V e_g in parts, V a power of the weights.

    `gram` (G, k, k) and `outcome` (G, k) are of the design's own columns. A pair is a cluster and an
    absorbed level in it, sorted by cluster: `pair_square` (P,) is the level's column times itself,
    `pair_gram` (P, k) times the design, `pair_outcome` (P,) times e.
    """

    gram: Floats
    outcome: Floats
    pair_cluster: Ints
    pair_level: Ints
    pair_square: Floats
    pair_gram: Floats
    pair_outcome: Floats

    def padded(self, chosen: slice) -> tuple[Floats, Floats, tuple[Ints, Ints, Ints]]:
        """Z'VZ (g, K, K) and Z'Ve (g, K) of some clusters, levels first, padded with zeros to one K.

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

    def chunks(self, room: int) -> list[slice]:
        """Runs of clusters whose padded matrices hold at most `room` numbers."""
        width = self.outcome.shape[1] + int(np.bincount(self.pair_cluster, minlength=1).max())
        step = max(1, room // (4 * width * width))
        count = len(self.outcome)
        return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def sort_rows(projection: Projection, residuals: Floats, codes: Ints, count: int) -> SortedRows:
    """Rows by cluster, clusters coded 0..count-1."""
    rows, level, weight = projection.rows, projection.level, projection.weight
    order = cluster_order(codes, count)
    if order is not None:
        rows, residuals, codes = rows[order], residuals[order], codes[order]
        level = None if level is None else level[order]
        weight = None if weight is None else weight[order]
    return SortedRows(
        rows=rows,
        residuals=residuals,
        codes=codes,
        count=count,
        level=level,
        level_weight=projection.level_weight,
        weight=weight,
    )


def cluster_sums(by: SortedRows, *, power: int, inside: bool) -> ClusterSums:
    """Sums with weights to `power`; `inside` keeps the levels that lie inside one cluster."""
    rows, residuals = by.rows, by.residuals
    v = None if by.weight is None or power == 0 else by.weight**power
    heavy = rows if v is None else rows * v[:, None]
    starts = np.searchsorted(by.codes, np.arange(by.count))
    k = rows.shape[1]
    gram = np.empty((by.count, k, k))
    if len(rows) > LARGE * by.count:
        outcome = np.empty((by.count, k))
        for g, (low, high) in enumerate(zip(starts, [*starts[1:], len(rows)], strict=True)):
            gram[g] = rows[low:high].T @ heavy[low:high]
            outcome[g] = residuals[low:high] @ heavy[low:high]
    else:
        outcome = np.add.reduceat(heavy * residuals[:, None], starts, axis=0)
        for j in range(k):
            gram[:, j, j:] = np.add.reduceat(rows[:, j, None] * heavy[:, j:], starts, axis=0)
            gram[:, j:, j] = gram[:, j, j:]
    if by.level is None or by.level_weight is None:
        none = np.empty(0, dtype=np.int64)
        return ClusterSums(
            gram=gram,
            outcome=outcome,
            pair_cluster=none,
            pair_level=none,
            pair_square=np.empty(0),
            pair_gram=np.empty((0, k)),
            pair_outcome=np.empty(0),
        )
    levels = len(by.level_weight)
    chosen = slice(None) if inside else _straddling(by.codes, by.level, levels)
    key = by.codes[chosen] * levels + by.level[chosen]
    pair, total = factor_codes(key)
    at = np.empty(total, dtype=np.int64)
    at[pair] = key
    pair_cluster, pair_level = np.divmod(at, levels)
    scale = 1 / np.sqrt(by.level_weight[pair_level])
    sums = [np.bincount(pair, weights=column[chosen], minlength=total) for column in heavy.T]
    moved = residuals if v is None else residuals * v
    return ClusterSums(
        gram=gram,
        outcome=outcome,
        pair_cluster=pair_cluster,
        pair_level=pair_level,
        pair_square=np.bincount(pair, weights=None if v is None else v[chosen], minlength=total) * scale**2,
        pair_gram=np.column_stack(sums) * scale[:, None] if sums else np.empty((total, 0)),
        pair_outcome=np.bincount(pair, weights=moved[chosen], minlength=total) * scale,
    )


def _straddling(codes: Ints, level: Ints, levels: int) -> Ints:
    """Rows whose absorbed level has rows in more than one cluster."""
    one = np.empty(levels, dtype=np.int64)
    one[level] = codes  # some cluster of each level: the level straddles if any row is in another
    apart = np.zeros(levels, dtype=bool)
    apart[level[codes != one[level]]] = True
    return np.flatnonzero(apart[level])
