"""Two-stage least squares, with the small-sample variances of least squares and three diagnostics.

For y = D b + X c + e, with instruments Z for D,

    (b, c) = (W^' V W^)^-1 W^' V y,    W = [D, X],    W^ = the projection of W on [Z, X]

(V the weights). Residuals are e = y - D b - X c, with D as taken and not as fitted; variances are the
sandwiches of least squares on W^ with these residuals, HC2 and CR2 adjustments and Satterthwaite's
df being those of W^ (as `iv_robust` in estimatr 1.0.4).

Weak instruments: Wald's F that the instruments have no part in the first stage. Endogeneity (Wu and
Hausman): Wald's F of the first-stage residuals added to the regression of y on W. Over-identification:
n R^2 of e on the instruments (Sargan 1958) under equal variances, otherwise Wooldridge's score test.
All three use the variance asked; their denominator df is n - p, or clusters - 1.

Reference: Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, 2nd ed., sections
5.2, 6.2.1 and 6.2.2; Wooldridge (1995), in Advances in Econometrics and Quantitative Economics, 66-87.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2
from scipy.stats import f as fisher

from evaluation.inference.least_squares import (
    Fit,
    Floats,
    Ints,
    NotEstimable,
    Projection,
    fit,
    project,
    within,
)
from evaluation.inference.robust import Variance, robust_scores


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instrumented:
    """The arrays of one problem, rows with weight alone: all (n, .), absorbed levels (n,)."""

    outcome: Floats
    endogenous: Floats
    exogenous: Floats
    instruments: Floats
    weight: Floats | None = None
    absorb: Ints | None = None
    cluster: Ints | None = None

    @property
    def first(self) -> Projection:
        """The column space of [Z, X]."""
        return self.space(self.instruments, self.exogenous)

    def space(self, *parts: Floats) -> Projection:
        """The column space of some columns, with this problem's weights and absorbed levels."""
        return project(np.hstack(parts), weight=self.weight, absorb=self.absorb)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A diagnostic: its statistic, degrees of freedom (denominator None for chi-square) and p."""

    statistic: float
    df: float
    denominator_df: float | None
    p_value: float


def two_stage(problem: Instrumented) -> Fit:
    """Coefficients of the endogenous columns first; refuses instruments fewer than they need be."""
    endogenous = problem.endogenous.shape[1]
    first = problem.first
    _check_instruments(problem, first)
    actual = _centred(np.hstack([problem.endogenous, problem.exogenous]), first)
    fitted = first.rows @ (first.rows.T @ first.weighted(actual))
    second = problem.space(fitted)
    if any(j in second.dropped for j in range(endogenous)):
        raise NotEstimable(
            where="instrument",
            found="a treatment that the instruments do not move",
            expected="instruments that change the treatment taken",
            remedy="The complier effect does not exist here; report the effect of assignment.",
        )
    y = _centred(problem.outcome[:, None], first)[:, 0]
    coefficients = second.root @ (second.rows.T @ second.weighted(y))
    kept = list(second.kept)
    return Fit(projection=second, coefficients=coefficients, residuals=y - actual[:, kept] @ coefficients)


def weak_instruments(problem: Instrumented, kind: Variance | None, at: int = 0) -> Diagnostic:
    """F of the instruments in the first stage of endogenous column `at`; `kind` None: equal variances."""
    first = problem.first
    regression = fit(problem.endogenous[:, at], first)
    asked = [i for i, j in enumerate(first.kept) if j < problem.instruments.shape[1]]
    return wald(regression, asked, kind, problem.cluster)


def endogeneity(problem: Instrumented, kind: Variance | None) -> Diagnostic:
    """Wu and Hausman: do least squares and two stages differ by more than chance?"""
    first = problem.first
    surprise = np.column_stack([fit(column, first).residuals for column in problem.endogenous.T])
    space = problem.space(problem.endogenous, problem.exogenous, surprise)
    start = problem.endogenous.shape[1] + problem.exogenous.shape[1]
    asked = [i for i, j in enumerate(space.kept) if j >= start]
    return wald(fit(problem.outcome, space), asked, kind, problem.cluster)


def over_identification(problem: Instrumented, regression: Fit, kind: Variance | None) -> Diagnostic | None:
    """Do the instruments agree? None with as many instruments as treatments."""
    spare = problem.instruments.shape[1] - problem.endogenous.shape[1]
    if spare <= 0:
        return None
    first, e = problem.first, regression.residuals
    n = len(e)
    if kind is None:
        explained = first.rows.T @ first.weighted(e)
        statistic = n * float(explained @ explained) / float(e @ first.weighted(e))
    else:
        hat = np.column_stack([column - fit(column, first).residuals for column in _both(problem, first)])
        space = problem.space(hat, problem.exogenous)
        extra = problem.instruments[:, :spare]
        left = np.column_stack([fit(column, space).residuals for column in extra.T])
        scores = first.weighted(left * e[:, None])
        ones = np.ones(n)
        solved, *_ = np.linalg.lstsq(scores, ones, rcond=None)
        statistic = n - float(np.sum((ones - scores @ solved) ** 2))
    return Diagnostic(
        statistic=statistic, df=spare, denominator_df=None, p_value=float(chi2.sf(statistic, spare))
    )


def wald(regression: Fit, asked: list[int], kind: Variance | None, cluster: Ints | None) -> Diagnostic:
    """F that the coefficients at these positions are all zero."""
    p = regression.projection
    if kind is None:
        covariance, below = regression.classical, float(p.residual_df)
    else:
        none = np.empty((0, len(regression.coefficients)))
        scores, _ = robust_scores(p, regression.residuals, kind, cluster, none)
        covariance = p.root @ (scores.T @ scores) @ p.root.T
        below = float(p.residual_df)
        if kind.startswith("CR") and cluster is not None:
            below = float(len(np.unique(cluster)) - 1)
    b = regression.coefficients[asked]
    statistic = float(b @ np.linalg.solve(covariance[np.ix_(asked, asked)], b)) / len(asked)
    return Diagnostic(
        statistic=statistic,
        df=float(len(asked)),
        denominator_df=below,
        p_value=float(fisher.sf(statistic, len(asked), below)),
    )


def _both(problem: Instrumented, first: Projection) -> Floats:
    """(m, n) the endogenous columns, centred within absorbed levels."""
    return _centred(problem.endogenous, first).T


def _centred(columns: Floats, projection: Projection) -> Floats:
    if projection.level is None or projection.level_weight is None:
        return columns
    return within(columns, projection.level, projection.level_weight, projection.weight)


def _check_instruments(problem: Instrumented, first: Projection) -> None:
    able = sum(j < problem.instruments.shape[1] for j in first.kept)
    needed = problem.endogenous.shape[1]
    if able < needed:
        raise NotEstimable(
            where="instrument",
            found=f"{able} instruments that vary when the covariates are held still",
            expected=f"{needed} or more",
            remedy="Remove the covariate or block that repeats the instrument.",
        )
