"""Do effects differ: contrasts of a regression's effects and their joint test.

With effects d (q,) and covariance V under any robust convention,

    F = d' V^-1 d / q

is set against F(q, df), df the smallest of the effects' own degrees of freedom: with few clusters
that is on the safe side. One effect gives the square of its t and the same p-value.

Reference: Bell & McCaffrey (2002), Survey Methodology 28, 169-181, on degrees of freedom; Tipton &
Pustejovsky (2015), Journal of Educational and Behavioral Statistics 40(6), on joint tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import f

from evaluation.estimate import EstimatorRefused
from evaluation.inference.least_squares import Fit, Floats, Ints
from evaluation.inference.robust import Variance, robust_scores


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """`value`, `error` and `df` (c,) of contrasts of coefficients, and their `covariance` (c, c)."""

    value: Floats
    error: Floats
    df: Floats
    covariance: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """F with (q, df) degrees of freedom, and its p-value."""

    f: float
    numerator_df: int
    denominator_df: float
    p: float


def effects(regression: Fit, contrasts: Floats, kind: Variance, cluster: Ints | None) -> Effects:
    """Contrasts (c, k) of the kept coefficients."""
    p = regression.projection
    scores, df = robust_scores(p, regression.residuals, kind, cluster, contrasts)
    image = scores @ (p.root.T @ contrasts.T)
    covariance = image.T @ image
    return Effects(
        value=np.asarray(contrasts @ regression.coefficients, dtype=np.float64),
        error=np.sqrt(np.diag(covariance)),
        df=np.asarray(df, dtype=np.float64),
        covariance=np.asarray(covariance, dtype=np.float64),
    )


def joint_test(found: Effects) -> JointTest:
    """The test that all these effects are zero."""
    q = len(found.value)
    scale = found.error
    if (
        not (scale > 0).all()
        or np.linalg.matrix_rank(found.covariance / np.outer(scale, scale), tol=1e-9) < q
    ):
        raise EstimatorRefused(
            where="sample",
            found=f"too few units to test {q} differences in effect together",
            expected="more people, or clusters, in each arm than differences asked about",
            remedy="Ask about fewer or larger groups, or fewer covariates.",
        )
    statistic = float(found.value @ np.linalg.solve(found.covariance, found.value)) / q
    df = float(found.df.min())
    return JointTest(f=statistic, numerator_df=q, denominator_df=df, p=float(f.sf(statistic, q, df)))
