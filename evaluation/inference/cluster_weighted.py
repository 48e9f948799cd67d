"""Cluster adjustments when rows have weights: the general case of `cluster_robust`.

With Z the whole design in coordinates in which Z'WZ = I (absorbed levels first, scaled) and
Omega = Z'W^2 Z, the rows of cluster g have

    B_g = I - Z_g Z_g'W_g - W_g Z_g Z_g' + Z_g Omega Z_g',

the variance of their residuals under independent errors of one variance. Its inverse root differs
from the identity only on the span of [Z_g, W_g Z_g].

Reference: Pustejovsky & Tipton (2018), equations 4 to 6, with identity working model.
"""

from __future__ import annotations

import numpy as np

from evaluation.inference.least_squares import Floats, Ints, Projection
from evaluation.inference.satterthwaite import Influence, Omega

EXACT = 1e-10


def weighted_adjustment(
    projection: Projection, residuals: Floats, codes: Ints, kind: str, directions: Floats
) -> tuple[Floats, Influence]:
    """(G, k) scores X_g'W_g A_g e_g, and the moments of a_g = A_g'W_g X_g g for each direction g."""
    p, w = projection, projection.weight
    assert w is not None
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(codes.max() + 2))
    omega = _omega(p, w)
    k, asked = p.rows.shape[1], directions.shape[1]
    count = len(edges) - 1
    scores = np.empty((count, k))
    moments = [np.empty((count, asked)), np.empty((count, k, asked)), np.empty((count, k, asked))]
    pairs: list[tuple[Ints, Ints, Floats, Floats]] = []
    for g in range(count):
        inside = order[edges[g] : edges[g + 1]]
        z, levels = _rows(p, inside)
        shared = len(levels)
        core = np.empty((shared + k, shared + k))
        core[:shared, :shared] = np.diag(omega.levels[levels])
        core[:shared, shared:] = omega.cross[levels]
        core[shared:, :shared] = omega.cross[levels].T
        core[shared:, shared:] = omega.design
        wz = w[inside, None] * z
        # Under CR3 the adjustment is not symmetric: a_g carries its transpose.
        targets = np.column_stack([wz[:, shared:], wz[:, shared:] @ directions])
        adjusted = _adjust(z, wz, core, kind, targets)
        scores[g] = residuals[inside] @ adjusted[:, :k]
        a = adjusted[:, k:]
        b, u = z.T @ a, wz.T @ a
        moments[0][g] = np.einsum("nc,nc->c", a, a)
        moments[1][g], moments[2][g] = b[shared:], u[shared:]
        if shared:
            pairs.append((np.full(shared, g), levels, b[:shared], u[:shared]))
    empty = np.empty(0, dtype=np.int64)
    return scores, Influence(
        square=moments[0],
        dense=moments[1],
        sparse=np.concatenate([x[2] for x in pairs]) if pairs else np.empty((0, asked)),
        pair_cluster=np.concatenate([x[0] for x in pairs]) if pairs else empty,
        pair_level=np.concatenate([x[1] for x in pairs]) if pairs else empty,
        weighted_dense=moments[2],
        weighted_sparse=np.concatenate([x[3] for x in pairs]) if pairs else np.empty((0, asked)),
        omega=omega,
    )


def _omega(p: Projection, w: Floats) -> Omega:
    """Z'W^2 Z over all rows."""
    heavy = p.rows * w[:, None] ** 2
    if p.level is None or p.level_weight is None:
        return Omega(levels=np.empty(0), cross=np.empty((0, p.rows.shape[1])), design=p.rows.T @ heavy)
    levels = len(p.level_weight)
    sums = [np.bincount(p.level, weights=column, minlength=levels) for column in heavy.T]
    return Omega(
        levels=np.bincount(p.level, weights=w**2, minlength=levels) / p.level_weight,
        cross=np.column_stack(sums) / np.sqrt(p.level_weight)[:, None],
        design=p.rows.T @ heavy,
    )


def _rows(p: Projection, inside: Ints) -> tuple[Floats, Ints]:
    """Z_g: scaled columns of the absorbed levels in the cluster, then its rows of the design."""
    if p.level is None or p.level_weight is None:
        return p.rows[inside], np.empty(0, dtype=np.int64)
    levels, code = np.unique(p.level[inside], return_inverse=True)
    marks = np.zeros((len(inside), len(levels)))
    marks[np.arange(len(inside)), code] = 1 / np.sqrt(p.level_weight[p.level[inside]])
    return np.column_stack([marks, p.rows[inside]]), levels


def _adjust(z: Floats, wz: Floats, core: Floats, kind: str, targets: Floats) -> Floats:
    """A_g' @ targets, through whichever is smaller: the cluster's rows or the span of [Z, WZ]."""
    rows, columns = z.shape
    if kind == "CR3":  # (I - W Z Z')^-1 = I + W Z (I - Z'WZ)^-1 Z'
        slack = np.eye(columns) - z.T @ wz
        adjusted: Floats = targets + wz @ (
            np.linalg.pinv(slack, rcond=EXACT, hermitian=True) @ (z.T @ targets)
        )
        return adjusted
    if kind != "CR2":
        return targets
    if rows <= 2 * columns:
        hat = z @ wz.T
        return _inverse_root(np.eye(rows) - hat - hat.T + z @ core @ z.T) @ targets
    basis, r = np.linalg.qr(np.column_stack([z, wz]))
    one = np.eye(columns)
    middle = np.block([[core, -one], [-one, np.zeros_like(one)]])
    inner = _inverse_root(np.eye(2 * columns) + r @ middle @ r.T)
    part = basis.T @ targets
    moved: Floats = targets + basis @ (inner @ part - part)
    return moved


def _inverse_root(matrix: Floats) -> Floats:
    """The Moore-Penrose inverse of the symmetric square root."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    scale = np.where(values > EXACT, 1 / np.sqrt(np.where(values > EXACT, values, 1.0)), 0.0)
    root: Floats = (vectors * scale) @ vectors.T
    return root
