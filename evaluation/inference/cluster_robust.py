"""Variances of least squares that allow rows of one cluster to depend on each other: CR0 to CR3.

    V = M [ sum_g X_g' W_g A_g e_g e_g' A_g' W_g X_g ] M,      M = (X'WX)^-1

CR0   A = I.
CR1   CR0 times G / (G - 1).
CR1S  CR0 times G / (G - 1) * (n - 1) / (n - p), as Stata and `lm_robust(se_type = "stata")`.
CR2   A_g = B_g^(+1/2), B_g = [(I - H)(I - H)']_gg: unbiased when errors are independent with one
      variance ("working model", the identity also when there are weights; Bell & McCaffrey 2002).
CR3   A_g = (I - H_gg)^(-1): the cluster jackknife without its factor (G - 1) / G.

Each cluster costs one symmetric k by k eigenproblem: for a design made orthonormal (least_squares),
B_g = I - Z Z' has B_g^(-1/2) Z = Z (I - Z'Z)^(-1/2), where Z holds the cluster's rows and, scaled, the
absorbed levels that it shares with other clusters (levels inside one cluster are orthogonal to the
rest and drop out). With weights B_g = I + U C U' of rank at most twice that. No n by n matrix is made,
and none of one cluster's rows by rows. Directions that a cluster fits exactly have eigenvalue zero and are
left out (the Moore-Penrose root).

Reference: Liang & Zeger (1986); Bell & McCaffrey (2002), Survey Methodology 28, 169-181; Pustejovsky &
Tipton (2018), Journal of Business & Economic Statistics 36, 672-683, equations 4 to 6, and its 2022
corrigendum on absorbed effects with weights (the full design is used here, so it does not bite).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.inference.cluster_rows import ClusterSums, cluster_sums, sort_rows
from evaluation.inference.cluster_weighted import weighted_adjustment
from evaluation.inference.factor_codes import factor_codes
from evaluation.inference.least_squares import Floats, Ints, NotEstimable, Projection
from evaluation.inference.satterthwaite import Influence, satterthwaite

ClusterVariance = Literal["CR0", "CR1", "CR1S", "CR2", "CR3"]

# Eigenvalues of I - Z'Z below this are directions that a cluster fits exactly, up to rounding.
EXACT = 1e-10
# Numbers in the padded matrices of one chunk of clusters: 16 megabytes a matrix.
ROOM = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clustered:
    """`covariance` (k, k) of the coefficients; `df` (contrasts,) by Satterthwaite, for each asked.

    `scores` S (G, k), one row a cluster, are such that covariance = root S'S root'.
    """

    covariance: Floats
    scores: Floats
    df: Floats
    clusters: int


def clustered(
    projection: Projection,
    residuals: Floats,
    cluster: Ints,
    kind: ClusterVariance,
    contrasts: Floats | None = None,
) -> Clustered:
    """Cluster-robust covariance, with Satterthwaite degrees of freedom of `contrasts` (c, k) @ beta.

    `residuals` (n,) belong to the rows with weight, `cluster` (rows as given,) to all rows.
    """
    p = projection
    codes = cluster if len(cluster) == len(p.rows) else cluster[p.used]
    codes, count = factor_codes(codes)
    if count < 2:
        raise NotEstimable(
            where="cluster",
            found=f"{count} cluster",
            expected="two or more",
            remedy="One cluster says nothing of how clusters differ; use a design-based test or more clusters.",
        )
    directions = np.empty((p.rows.shape[1], 0)) if contrasts is None else p.root.T @ contrasts.T
    if kind in ("CR0", "CR1", "CR1S") and directions.shape[1] == 0:
        scores = _scores(p.weighted(p.rows), residuals, codes, count)
        influence = None
    else:
        by = sort_rows(p, residuals, codes, count)
        if p.weight is None:
            scores, influence = _adjusted(cluster_sums(by, power=0, inside=False), kind, directions)
        else:
            scores, influence = weighted_adjustment(p, by, kind, directions)
    factor = 1.0
    if kind in ("CR1", "CR1S"):
        factor = count / (count - 1)
    if kind == "CR1S":
        factor *= (len(p.rows) - 1) / p.residual_df
    return Clustered(
        covariance=factor * p.root @ (scores.T @ scores) @ p.root.T,
        scores=factor**0.5 * scores,
        df=np.empty(0) if influence is None else satterthwaite(influence),
        clusters=count,
    )


def _scores(rows: Floats, residuals: Floats, codes: Ints, count: int) -> Floats:
    """(G, k) sums of row times residual."""
    columns = [np.bincount(codes, weights=column * residuals, minlength=count) for column in rows.T]
    return np.column_stack(columns)


def _adjusted(sums: ClusterSums, kind: ClusterVariance, directions: Floats) -> tuple[Floats, Influence]:
    """(G, k) scores Z_g' A_g e_g and the moments of a_g = A_g Z_g g for every direction g."""
    count, k = sums.outcome.shape
    asked = directions.shape[1]
    scores = np.empty((count, k))
    square = np.empty((count, asked))
    dense = np.empty((count, k, asked))
    sparse = np.empty((len(sums.pair_cluster), asked))
    for chosen in sums.chunks(ROOM):
        gram, product, slots = sums.padded(chosen)
        shared = gram.shape[1] - k
        root = _root(gram, kind)
        scores[chosen] = np.einsum("gij,gj->gi", root[:, shared:, :], product)
        if asked:
            a = root[:, :, shared:] @ directions
            b = gram @ a
            square[chosen] = np.einsum("gic,gic->gc", a, b)
            dense[chosen] = b[:, shared:, :]
            where, group, slot = slots
            sparse[where] = b[group, slot, :]
    return scores, Influence(
        square=square,
        dense=dense,
        sparse=sparse,
        pair_cluster=sums.pair_cluster,
        pair_level=sums.pair_level,
    )


def _root(gram: Floats, kind: ClusterVariance) -> Floats:
    """(g, K, K) matrices R with A_g Z_g = Z_g R_g, from the Gram matrices Z_g'Z_g."""
    if kind not in ("CR2", "CR3"):
        return np.broadcast_to(np.eye(gram.shape[1]), gram.shape)
    values, vectors = np.linalg.eigh(gram)
    slack = 1 - values
    power = -0.5 if kind == "CR2" else -1.0
    scale = np.where(slack > EXACT, np.where(slack > EXACT, slack, 1.0) ** power, 0.0)
    root: Floats = (vectors * scale[:, None, :]) @ vectors.transpose(0, 2, 1)
    return root
