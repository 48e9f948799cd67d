"""Optimal pairs: the pairing of an even number of units with the smallest sum of distances.

A minimum-weight perfect matching, found exactly. The linear relaxation over each unit's nearest
neighbours is solved, and edges with a negative reduced cost are added until its dual prices hold for
every pair, which makes its value a lower bound. An integer solution gives an upper bound, and an
optimal pairing can only use edges whose reduced cost is at most the gap between the two bounds: the
integer programme over those edges is therefore optimal over all pairs.

The distance is Mahalanobis', (x_i - x_j)' S^-1 (x_i - x_j), with S the covariance over the units (a
pseudo-inverse where columns are collinear), on the values or on their ranks.

Reference: Greevy, Lu, Silber & Rosenbaum (2004), Biostatistics 5, 263-275 (optimal multivariate
matching before randomisation); Edmonds (1965), J. Res. NBS 69B, 125-130 (the matching polytope).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csc_matrix
from scipy.stats import rankdata

from experiments.roster import DesignRefused

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Edges = tuple[Ints, Ints]

NEIGHBOURS = 10
SECONDS = 300.0
ROUNDING = 1e-9


def squared_distances(covariates: Floats, kind: Literal["mahalanobis", "rank mahalanobis"]) -> Floats:
    """(units, units) squared Mahalanobis distances between the rows of `covariates` (units, k)."""
    x = np.apply_along_axis(rankdata, 0, covariates) if kind == "rank mahalanobis" else covariates
    centred = x - x.mean(axis=0)
    inverse = np.linalg.pinv(np.atleast_2d(np.cov(centred, rowvar=False)), hermitian=True)
    inner = centred @ inverse @ centred.T
    own = np.diag(inner)
    return np.maximum(own[:, None] + own[None, :] - 2 * inner, 0.0)


def optimal_pairs(distance: Floats) -> Ints:
    """(units,) pair numbers from 0, for an even number of units; pairs are numbered by first member."""
    units = len(distance)
    if units % 2:
        raise DesignRefused(
            where="roster",
            found=f"{units} units to pair",
            expected="an even number",
            remedy="Leave one out by a rule written before the draw, or block on fewer columns.",
        )
    if units == 2:
        return np.zeros(2, dtype=np.int64)
    edges = _nearest(distance, min(NEIGHBOURS, units - 1))
    edges, price, lower = _relaxation(distance, edges)
    chosen, upper = _integer(distance, edges)
    reduced = distance - price[:, None] - price[None, :]
    slack = max(upper - lower, 0.0) + ROUNDING * max(1.0, abs(upper))
    near = np.triu(reduced <= slack, 1)
    held = np.zeros_like(near)
    held[edges] = True
    if (near & ~held).any():
        chosen, _ = _integer(distance, _index(near))
    pair = np.empty(units, dtype=np.int64)
    for number, (a, b) in enumerate(sorted(zip(*chosen, strict=True))):
        pair[[a, b]] = number
    return pair


def _relaxation(distance: Floats, edges: Edges) -> tuple[Edges, Floats, float]:
    """Edges, dual prices that hold for every pair, and the relaxation's value."""
    units = len(distance)
    solve: Any = linprog  # its stubs do not admit sparse constraints
    while True:
        found = solve(distance[edges], A_eq=_incidence(edges, units), b_eq=np.ones(units), method="highs")
        if found.status == 2:
            edges = _nearest(distance, min(2 * len(edges[0]) // units + NEIGHBOURS, units - 1))
            continue
        price = np.asarray(found.eqlin.marginals, dtype=np.float64)
        scale = max(1.0, float(np.abs(price).max()))
        missing = np.triu(distance - price[:, None] - price[None, :] < -ROUNDING * scale, 1)
        missing[edges] = False
        if not missing.any():
            return edges, price, float(found.fun)
        more = _index(missing)
        edges = (np.concatenate([edges[0], more[0]]), np.concatenate([edges[1], more[1]]))


def _integer(distance: Floats, edges: Edges) -> tuple[Edges, float]:
    """The best perfect matching that uses only these edges, or all edges where none is perfect."""
    units = len(distance)
    found: Any = milp(
        distance[edges],
        constraints=LinearConstraint(_incidence(edges, units), 1, 1),
        integrality=np.ones(len(edges[0]), dtype=np.int64),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0, "time_limit": SECONDS},
    )
    if found.status == 2:
        every = _index(np.triu(np.ones_like(distance, dtype=bool), 1))
        if len(every[0]) > len(edges[0]):
            return _integer(distance, every)
    if found.status != 0:
        raise DesignRefused(
            where="roster",
            found=f"no optimal pairing of {units} units within {SECONDS:.0f} seconds",
            expected="units that can be paired",
            remedy="Pair within strata (`exact_on`), or give the pairs in a roster column.",
        )
    used = np.asarray(found.x) > 0.5
    return (edges[0][used], edges[1][used]), float(found.fun)


def _incidence(edges: Edges, units: int) -> csc_matrix:
    count = len(edges[0])
    rows = np.concatenate(edges)
    columns = np.tile(np.arange(count), 2)
    return csc_matrix((np.ones(2 * count), (rows, columns)), shape=(units, count))


def _nearest(distance: Floats, neighbours: int) -> Edges:
    away = distance.copy()
    np.fill_diagonal(away, np.inf)
    near = np.argsort(away, axis=1, kind="stable")[:, :neighbours]
    mark = np.zeros_like(distance, dtype=bool)
    np.put_along_axis(mark, near, True, axis=1)
    return _index(np.triu(mark | mark.T, 1))


def _index(mark: NDArray[np.bool_]) -> Edges:
    first, second = np.nonzero(mark)
    return first.astype(np.int64), second.astype(np.int64)
