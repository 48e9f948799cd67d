"""Variances of least squares that allow each row a variance of its own: HC0 to HC3.

    V = (X'WX)^-1 [ sum_i w_i^2 x_i x_i' e_i^2 a_i ] (X'WX)^-1

with a_i = 1 (HC0), n / (n - p) (HC1), 1 / (1 - h_i) (HC2), 1 / (1 - h_i)^2 (HC3), h_i the leverage
and p the parameters, absorbed levels among them. In a two-arm trial without covariates HC2 is
Neyman's conservative variance. A row of leverage one has no residual: it adds nothing under HC2 and
HC3. The published degrees of freedom are n - p; Bell & McCaffrey's come from `cluster_robust` with
every row as its own cluster.

Reference: MacKinnon & White (1985), Journal of Econometrics 29, 305-325; Samii & Aronow (2012),
Statistics & Probability Letters 82, 365-370, for HC2 and Neyman.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from evaluation.inference.least_squares import Floats, Projection

RowVariance = Literal["HC0", "HC1", "HC2", "HC3"]

# Rows whose leverage is this near to one are fitted exactly, up to rounding.
EXACT = 1e-10


def row_covariance(projection: Projection, residuals: Floats, kind: RowVariance) -> Floats:
    """(k, k) covariance of the coefficients; `residuals` is (n,)."""
    scores = row_scores(projection, residuals, kind)
    covariance: Floats = projection.root @ (scores.T @ scores) @ projection.root.T
    return covariance


def row_scores(projection: Projection, residuals: Floats, kind: RowVariance) -> Floats:
    """(n, k) scores S such that the covariance is root S'S root'; linear in the residuals."""
    size = projection.weighted(residuals)
    if kind == "HC1":
        size = size * (len(residuals) / projection.residual_df) ** 0.5
    elif kind == "HC2" or kind == "HC3":
        slack = 1 - projection.leverage()
        power = 0.5 if kind == "HC2" else 1.0
        size = np.where(slack > EXACT, size / np.where(slack > EXACT, slack, 1.0) ** power, 0.0)
    scores: Floats = projection.rows * size[:, None]
    return scores
