"""Cluster adjustments when rows have weights: the general case of `cluster_robust`.

With Z the whole design in coordinates in which Z'WZ = I (absorbed levels first, scaled) and
Omega = Z'W^2 Z, the rows of cluster g have

    B_g = I - Z_g Z_g'W_g - W_g Z_g Z_g' + Z_g Omega Z_g' = I + U C U',
    U = [Z_g, W_g Z_g],   C = [[Omega, -I], [-I, 0]],

the variance of their residuals under independent errors of one variance. B_g^(-1/2) differs from the
identity only on the span of U. With U'U = V S V', that span has the orthonormal basis Q = U V S^(-1/2), in
which B_g is I + S^(1/2) V'C V S^(1/2): clusters need only their K by K sums Z'Z, Z'WZ and Z'W^2 Z, and two
eigenproblems of size 2K. Directions of U below 1e-13 of its longest (squared) are rounding and left out.

Reference: Pustejovsky & Tipton (2018), equations 4 to 6, with identity working model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.inference.cluster_rows import ClusterSums, SortedRows, cluster_sums
from evaluation.inference.least_squares import Floats, Ints, Projection
from evaluation.inference.satterthwaite import Influence, Omega

EXACT = 1e-10
THIN = 1e-13
# Numbers in the padded matrices of one chunk of clusters: 16 megabytes a matrix.
ROOM = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adjusted:
    """Of a chunk: scores (g, k), a'a (g, c), Z'a and Z'Wa (g, K, c)."""

    scores: Floats
    square: Floats
    plain: Floats
    heavy: Floats


def weighted_adjustment(
    projection: Projection, by: SortedRows, kind: str, directions: Floats
) -> tuple[Floats, Influence]:
    """(G, k) scores X_g'W_g A_g e_g, and the moments of a_g = A_g'W_g X_g g for each direction g."""
    assert projection.weight is not None
    omega = _omega(projection, projection.weight)
    sums = [cluster_sums(by, power=power, inside=True) for power in (0, 1, 2)]
    k, asked = directions.shape
    pairs = len(sums[0].pair_cluster)
    scores = np.empty((by.count, k))
    square = np.empty((by.count, asked))
    dense, heavy_dense = np.empty((by.count, k, asked)), np.empty((by.count, k, asked))
    sparse, heavy_sparse = np.empty((pairs, asked)), np.empty((pairs, asked))
    for chosen in sums[0].chunks(ROOM):
        parts = [each.padded(chosen) for each in sums]
        grams, products = [part[0] for part in parts], [part[1] for part in parts]
        where, group, slot = parts[0][2]
        if kind == "CR2":
            core = _core(omega, sums[0], parts[0][2], grams[0].shape)
            found = _symmetric(grams, products, core, directions)
        else:
            found = _one_sided(grams, products, kind, directions)
        shared = grams[0].shape[1] - k
        scores[chosen], square[chosen] = found.scores, found.square
        dense[chosen], heavy_dense[chosen] = found.plain[:, shared:], found.heavy[:, shared:]
        sparse[where], heavy_sparse[where] = found.plain[group, slot], found.heavy[group, slot]
    return scores, Influence(
        square=square,
        dense=dense,
        sparse=sparse,
        pair_cluster=sums[0].pair_cluster,
        pair_level=sums[0].pair_level,
        weighted_dense=heavy_dense,
        weighted_sparse=heavy_sparse,
        omega=omega,
    )


def _symmetric(grams: list[Floats], products: list[Floats], core: Floats, directions: Floats) -> Adjusted:
    """A = B^(-1/2), in the coordinates of Q."""
    width, k = grams[0].shape[1], len(directions)
    outer = np.concatenate(
        [np.concatenate([grams[0], grams[1]], axis=2), np.concatenate([grams[1], grams[2]], axis=2)], axis=1
    )
    values, vectors = np.linalg.eigh(outer)
    real = values > THIN * values[:, -1:]
    length = np.where(real, np.sqrt(np.where(real, values, 1.0)), 0.0)
    inverse = np.where(real, 1 / np.where(real, length, 1.0), 0.0)
    top, bottom = vectors[:, :width], vectors[:, width:]
    cross = top.transpose(0, 2, 1) @ bottom
    inner = top.transpose(0, 2, 1) @ core @ top - cross - cross.transpose(0, 2, 1)
    inner = np.eye(2 * width) + length[:, :, None] * inner * length[:, None, :]
    root = _inverse_root(inner)
    # Columns W X of U, in Q's coordinates, adjusted.
    moved = root @ (length[:, :, None] * bottom[:, width - k :].transpose(0, 2, 1))
    residual = inverse * (np.concatenate(products[:2], axis=1)[:, None, :] @ vectors)[:, 0]
    a = moved @ directions
    back = vectors @ (length[:, :, None] * a)
    return Adjusted(
        scores=(residual[:, None, :] @ moved)[:, 0],
        square=np.einsum("gjc,gjc->gc", a, a),
        plain=back[:, :width],
        heavy=back[:, width:],
    )


def _one_sided(grams: list[Floats], products: list[Floats], kind: str, directions: Floats) -> Adjusted:
    """A = I, or (I - H)^-1 for CR3, through (I - W Z Z')^-1 W Z = W Z (I - Z'W Z)^-1."""
    width, k = grams[0].shape[1], len(directions)
    root = np.broadcast_to(np.eye(width), grams[0].shape)
    if kind == "CR3":
        root = np.linalg.pinv(root - grams[1], rcond=EXACT, hermitian=True)
    a = root[:, :, width - k :] @ directions
    heavy = grams[2] @ a
    return Adjusted(
        scores=np.einsum("gi,gik->gk", products[1], root[:, :, width - k :]),
        square=np.einsum("gic,gic->gc", a, heavy),
        plain=grams[1] @ a,
        heavy=heavy,
    )


def _inverse_root(matrix: Floats) -> Floats:
    """Moore-Penrose inverses of symmetric square roots, (g, m, m)."""
    values, vectors = np.linalg.eigh((matrix + matrix.transpose(0, 2, 1)) / 2)
    real = values > EXACT
    scale = np.where(real, 1 / np.sqrt(np.where(real, values, 1.0)), 0.0)
    root: Floats = (vectors * scale[:, None, :]) @ vectors.transpose(0, 2, 1)
    return root


def _core(omega: Omega, sums: ClusterSums, slots: tuple[Ints, Ints, Ints], shape: tuple[int, ...]) -> Floats:
    """Omega of the levels and columns of each cluster, padded as its sums are."""
    where, group, slot = slots
    k = len(omega.design)
    shared = shape[1] - k
    levels = sums.pair_level[where]
    core = np.zeros(shape)
    core[:, shared:, shared:] = omega.design
    core[group, slot, slot] = omega.levels[levels]
    core[group, slot, shared:] = omega.cross[levels]
    core[group, shared:, slot] = omega.cross[levels]
    return core


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
