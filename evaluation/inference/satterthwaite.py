"""Degrees of freedom for a cluster-robust variance, by matching its first two moments.

Under the working model of independent errors with one variance, the variance estimate of c'beta is
v = sum_g (a_g'(I - H)_g e)^2, a quadratic form with E v = tr P and Var v = 2 tr P^2, where
P_gh = a_g' [(I - H)(I - H)']_gh a_h (G by G). A chi-square with the same two moments has

    df = (tr P)^2 / tr P^2.

P is never formed: it is a diagonal less (or plus) products of (G, K) arrays.

Reference: Bell & McCaffrey (2002), Survey Methodology 28, 169-181; Imbens & Kolesar (2016), Review of
Economics and Statistics 98, 701-712; Pustejovsky & Tipton (2018), equation 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from evaluation.inference.least_squares import Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Influence:
    """a_g in moments, per cluster and contrast: a_g'a_g, and Z_g'a_g for design and shared levels.

    `square` (G, c); `dense` (G, k, c); `sparse` (P, c) by pairs of cluster and level. With weights,
    `weighted_dense` and `weighted_sparse` hold Z_g'W_g a_g and `omega` is Z'W^2 Z (levels first).
    """

    square: Floats
    dense: Floats
    sparse: Floats
    pair_cluster: Ints
    pair_level: Ints
    weighted_dense: Floats | None = None
    weighted_sparse: Floats | None = None
    omega: Omega | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Omega:
    """Z'W^2 Z in blocks: `levels` (L,) its diagonal, `cross` (L, k), `design` (k, k)."""

    levels: Floats
    cross: Floats
    design: Floats


def satterthwaite(influence: Influence) -> Floats:
    """(c,) degrees of freedom of each contrast."""
    each = range(influence.square.shape[1])
    return np.array([_weighted(influence, c) if influence.omega else _plain(influence, c) for c in each])


def _plain(influence: Influence, c: int) -> float:
    """P = diag(d) - B B', with B = [S | D] sparse in the shared levels and dense in the design."""
    d, dense = influence.square[:, c], influence.dense[:, :, c]
    norm = np.einsum("gk,gk->g", dense, dense)
    inner = dense.T @ dense
    square = float(np.sum(inner**2))
    if len(influence.sparse):
        shared = _pairs(influence, influence.sparse[:, c], len(d))
        norm = norm + np.asarray(shared.multiply(shared).sum(axis=1)).ravel()
        small = shared.T @ shared if shared.shape[1] <= shared.shape[0] else shared @ shared.T
        square += float(small.multiply(small).sum()) + 2 * float(np.sum((shared.T @ dense) ** 2))
    trace = float(np.sum(d - norm))
    return _ratio(trace, float(d @ d) - 2 * float(d @ norm) + square)


def _weighted(influence: Influence, c: int) -> float:
    """P = diag(d) + F C F', F = [b, u], C = [[Omega, -I], [-I, 0]]."""
    omega = influence.omega
    assert omega is not None
    assert influence.weighted_dense is not None and influence.weighted_sparse is not None
    d = influence.square[:, c]
    levels = len(omega.levels)
    k = influence.dense.shape[1]
    # scipy's stubs do not know stacks of sparse beside dense blocks, hence Any.
    stack: Any = sparse.hstack
    b = stack([_pairs(influence, influence.sparse[:, c], len(d), levels), influence.dense[:, :, c]])
    shared = _pairs(influence, influence.weighted_sparse[:, c], len(d), levels)
    u = stack([shared, influence.weighted_dense[:, :, c]])
    corner: list[Any] = [[sparse.diags_array(omega.levels), omega.cross], [omega.cross.T, omega.design]]
    block: Any = sparse.block_array(corner)
    one = sparse.eye_array(levels + k)
    f = stack([b, u]).tocsr()
    whole: list[Any] = [[block, -one], [-one, None]]
    core: Any = sparse.block_array(whole).tocsr()
    image = f @ core
    diagonal = np.asarray(image.multiply(f).sum(axis=1)).ravel()
    inner = core @ (f.T @ f)
    square = float(inner.multiply(inner.T).sum())
    return _ratio(float(np.sum(d + diagonal)), float(d @ d) + 2 * float(d @ diagonal) + square)


def _pairs(influence: Influence, values: Floats, count: int, levels: int | None = None) -> sparse.csr_array:
    """(G, L) with one value for each pair; levels that no pair has are left out unless L is given."""
    columns = influence.pair_level
    if levels is None:
        _, columns = np.unique(columns, return_inverse=True)
        levels = int(columns.max(initial=-1)) + 1
    return sparse.csr_array((values, (influence.pair_cluster, columns)), shape=(count, levels))


def _ratio(trace: float, square: float) -> float:
    """(tr P)^2 / tr P^2; NaN where the variance is zero for every outcome."""
    return trace**2 / square if square > 1e-14 * trace**2 and trace > 0 else float("nan")
