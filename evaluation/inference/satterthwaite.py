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
    """P = diag(d) + b Omega b' - b u' - u b', with b = Z'a and u = Z'Wa of each cluster.

    Of b, u and Omega the design's columns are dense and the levels' are sparse, so that P less diag(d) is
    S + x h' + h x': S of the levels alone, x the dense part of b, h = x Omega_x / 2 + b_levels Omega_cross - u_x.
    """
    omega = influence.omega
    assert omega is not None
    assert influence.weighted_dense is not None and influence.weighted_sparse is not None
    d, x = influence.square[:, c], influence.dense[:, :, c]
    h = x @ omega.design / 2 - influence.weighted_dense[:, :, c]
    outer = 2 * np.einsum("gk,gk->g", x, h)
    inner = x.T @ h
    square = 2 * float(np.sum((x.T @ x) * (h.T @ h)))
    if len(influence.sparse):
        count, levels = len(d), len(omega.levels)
        b = _pairs(influence, influence.sparse[:, c], count, levels)
        u = _pairs(influence, influence.weighted_sparse[:, c], count, levels)
        moved = b @ omega.cross
        h = h + moved
        outer += 2 * np.einsum("gk,gk->g", x, moved)
        inner = x.T @ h
        square = 2 * float(np.sum((x.T @ x) * (h.T @ h)))
        half = b @ sparse.diags_array(omega.levels / 2) - u  # S = b half' + half b'
        image = b @ (half.T @ x) + half @ (b.T @ x)
        square += 4 * float(np.sum(image * h)) + _levels(b, half)
        outer += 2 * np.asarray(b.multiply(half).sum(axis=1)).ravel()
    square += 2 * float(np.sum(inner * inner.T))
    return _ratio(float(np.sum(d + outer)), float(d @ d) + 2 * float(d @ outer) + square)


def _levels(b: sparse.csr_array, half: sparse.csr_array) -> float:
    """Squared norm of b half' + half b', through whichever products are sparser."""
    per_level, per_cluster = np.diff(b.tocsc().indptr), np.diff(b.indptr)
    if float(per_level @ per_level) <= float(per_cluster @ per_cluster):
        product = b @ half.T
        return 2 * float(product.multiply(product).sum()) + 2 * float(product.multiply(product.T).sum())
    bb, hh, bh = b.T @ b, half.T @ half, b.T @ half
    return 2 * float(bb.multiply(hh).sum()) + 2 * float(bh.multiply(bh.T).sum())


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
