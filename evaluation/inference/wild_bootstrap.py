"""Wild cluster bootstrap of one regression coefficient, with few clusters.

For y = beta x + W gamma + u with G clusters, each cluster's residuals are multiplied by one random
v_g, and t is computed again. With x~ what is left of x after W, X = (x, W) = Q R, A_g = sum x~_i Q_i
and U_g = sum u_i Q_i over cluster g, and c_g = sum x~_i u_i / x~'x~,

    beta* - beta_0 = sum_g v_g c_g
    cluster g's score, after the fit, over x~'x~:  v_g c_g - A_g' sum_h U_h v_h / x~'x~
    V* = m sum_g (score_g)^2,   m = G / (G - 1) (N - 1) / (N - k)

so a draw costs one row of a G-by-G product and never touches the N rows. Restricted (WCR) residuals
are those of the fit with beta fixed at the hypothesis; being linear in it, they make beta* linear
and V* quadratic in it, and the test is inverted for an interval without drawing again. Unrestricted
(WCU) residuals are those of the full fit. Weights v: Rademacher (-1 or 1; all 2^G listed where there
are no more than the draws asked), or Webb's six points (+-sqrt(1/2), +-1, +-sqrt(3/2)).

References: Cameron, Gelbach & Miller (2008), Review of Economics and Statistics 90(3); Roodman,
Nielsen, MacKinnon & Webb (2019), Stata Journal 19(1), 4-60; MacKinnon (2023), Econometrics and
Statistics 26, 52-71, on scores by cluster; Webb (2023), Canadian Journal of Economics 56(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import qr

from evaluation.estimate import EstimatorRefused
from evaluation.inference.inversion import Convention, invert, p_value
from evaluation.inference.statistics import Coefficients
from evaluation.sample import Floats, Ints

Multiplier = Literal["rademacher", "webb"]

_WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))
_RANK = 1e-9
"""A column whose length after the others is below this share of its own length adds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WildResult:
    """beta, its CR1 standard error, t, the bootstrap p-value and interval; `redrawn` (B,) are the t*."""

    value: float
    standard_error: float
    t: float
    p: float
    low: float
    high: float
    redrawn: Floats
    clusters: int
    enumerated: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterScores:
    """What the bootstrap needs of the data, at a cost of one pass over the rows.

    `fit` (G, 2) holds c_g for y and for x, so that c_g at hypothesis h is fit[:, 0] - h fit[:, 1];
    `lever` (G, k) is A and `spread` (G, k, 2) is U likewise, both over x~'x~ where they meet.
    `full` and `full_spread` are c and U of the unrestricted residuals.
    """

    value: float
    scale: float
    fit: Floats
    spread: Floats
    lever: Floats
    full: Floats
    full_spread: Floats


def cluster_scores(
    y: Floats, x: Floats, others: Floats, cluster: Ints, weight: Floats | None
) -> ClusterScores:
    """Reduce the rows to clusters; y and x are (N,), `others` (N, k - 1) with any constant in it."""
    labels, group = np.unique(cluster, return_inverse=True)
    clusters = len(labels)
    if weight is not None:
        root = np.sqrt(weight)
        y, x, others = y * root, x * root, others * root[:, None]
    basis = _basis(others)
    x_left = _left(x, basis)
    size = float(x_left @ x_left)
    if size <= (_RANK**2) * float(x @ x):
        raise EstimatorRefused(
            where="covariates",
            found="a treatment that the other columns fix entirely",
            expected="treatment that varies given blocks and covariates",
            remedy="Remove the covariate or block that is the same as treatment.",
        )
    y_left = _left(y, basis)
    value = float(x_left @ y_left) / size
    q = np.column_stack([basis, x_left / np.sqrt(size)])
    n, k = q.shape

    def by_cluster(rows: Floats) -> Floats:
        order = np.argsort(group, kind="stable")
        starts = np.searchsorted(group[order], np.arange(clusters))
        return np.asarray(np.add.reduceat(rows[order], starts, axis=0), dtype=np.float64)

    full = y_left - value * x_left
    return ClusterScores(
        value=value,
        scale=clusters / (clusters - 1) * (n - 1) / (n - k),
        fit=by_cluster(np.column_stack([x_left * y_left, x_left * x_left])) / size,
        spread=np.stack([by_cluster(q * y_left[:, None]), by_cluster(q * x_left[:, None])], axis=2),
        lever=by_cluster(q * x_left[:, None]) / size,
        full=by_cluster((x_left * full)[:, None])[:, 0] / size,
        full_spread=by_cluster(q * full[:, None]),
    )


def wild_bootstrap(
    y: Floats,
    x: Floats,
    others: Floats,
    cluster: Ints,
    *,
    multiplier: Multiplier,
    restricted: bool,
    convention: Convention,
    redraws: int,
    level: float,
    rng: np.random.Generator,
    weight: Floats | None = None,
    null: float = 0.0,
) -> WildResult:
    """Test beta = `null`, two-sided on |t|, and the interval of all hypotheses not rejected.

    `inclusive`: p = #{|t*| >= |t|} / 2^G for listed draws, the one that changes nothing and its
    mirror among them, and (1 + #) / (1 + B) for random ones, so that p is never zero. `strict`:
    #{|t*| > |t|} / B, the convention of Stata's boottest and R's fwildclusterboot.
    """
    scores = cluster_scores(y, x, others, cluster, weight)
    clusters = len(scores.full)
    if clusters < 2:
        raise EstimatorRefused(
            where="cluster",
            found=f"{clusters} cluster",
            expected="at least two, and in practice six or more",
            remedy="No cluster-robust answer exists; state the comparison without one.",
        )
    enumerated = multiplier == "rademacher" and 2**clusters <= redraws
    v = _all_signs(clusters) if enumerated else draw_multipliers(multiplier, redraws, clusters, rng)
    redrawn = bootstrap_coefficients(scores, v, restricted=restricted)
    own = bootstrap_coefficients(scores, np.ones((1, clusters)), restricted=False)
    error = float(np.sqrt(own.v0[0]))
    zero = np.zeros(1)
    observed = Coefficients(d0=zero + scores.value, d1=zero - 1.0, v0=own.v0, v1=zero, v2=zero)

    def p_at(hypothesis: float) -> float:
        return p_value(redrawn, observed, hypothesis, exact=enumerated, convention=convention)

    low, high = invert(p_at, scores.value, error, 1.0 - level)
    return WildResult(
        value=scores.value,
        standard_error=error,
        t=(scores.value - null) / error,
        p=p_at(null),
        low=low,
        high=high,
        redrawn=np.asarray(redrawn.difference(null) / np.sqrt(redrawn.variance(null)), dtype=np.float64),
        clusters=clusters,
        enumerated=enumerated,
    )


def bootstrap_coefficients(scores: ClusterScores, v: Floats, *, restricted: bool) -> Coefficients:
    """beta* - hypothesis, and V*, of each row of v (B, G), as polynomials in the hypothesis."""
    if not restricted:
        beta = v @ scores.full
        s = v * scores.full - (v @ scores.full_spread) @ scores.lever.T
        none = np.zeros_like(beta)
        return Coefficients(d0=beta, d1=none, v0=scores.scale * (s * s).sum(axis=1), v1=none, v2=none)
    p = v * scores.fit[:, 0] - (v @ scores.spread[:, :, 0]) @ scores.lever.T
    q = -v * scores.fit[:, 1] + (v @ scores.spread[:, :, 1]) @ scores.lever.T
    return Coefficients(
        d0=v @ scores.fit[:, 0],
        d1=-(v @ scores.fit[:, 1]),
        v0=scores.scale * np.einsum("bg,bg->b", p, p),
        v1=scores.scale * 2 * np.einsum("bg,bg->b", p, q),
        v2=scores.scale * np.einsum("bg,bg->b", q, q),
    )


def draw_multipliers(multiplier: Multiplier, n: int, clusters: int, rng: np.random.Generator) -> Floats:
    """(n, clusters) independent draws of v, with mean 0 and variance 1."""
    signs = rng.integers(0, 2, (n, clusters), dtype=np.int8).astype(np.float64) * 2.0 - 1.0
    if multiplier == "rademacher":
        return signs
    return np.asarray(signs * _WEBB[rng.integers(0, 3, (n, clusters), dtype=np.int8)], dtype=np.float64)


def _all_signs(clusters: int) -> Floats:
    codes = np.arange(2**clusters, dtype=np.int64)
    return np.asarray((codes[:, None] >> np.arange(clusters) & 1) * 2.0 - 1.0, dtype=np.float64)


def _basis(columns: Floats) -> Floats:
    """An orthonormal basis of the columns' span, leaving out columns that add nothing."""
    if columns.shape[1] == 0:
        return columns
    length = np.linalg.norm(columns, axis=0)
    columns = columns[:, length > 0] / length[length > 0]
    q, r, _ = qr(columns, mode="economic", pivoting=True)
    kept = int((np.abs(np.diag(r)) > _RANK).sum())
    return np.asarray(q[:, :kept], dtype=np.float64)


def _left(column: Floats, basis: Floats) -> Floats:
    """What is left of a column after the basis, taken out twice so that rounding leaves nothing of it."""
    once = column - basis @ (basis.T @ column)
    return np.asarray(once - basis @ (basis.T @ once), dtype=np.float64)
