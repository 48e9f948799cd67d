"""Intervals and tests from an estimate, its standard error and the degrees of freedom of a t."""

from __future__ import annotations

import math

from scipy.stats import norm
from scipy.stats import t as student

from evaluation.estimate import EstimatorRefused, Interval


def reach(df: float | None, level: float) -> float:
    """How many standard errors the interval goes to each side; the normal where `df` is None."""
    tail = 0.5 + level / 2
    return float(norm.ppf(tail) if df is None else student.ppf(tail, df))


def interval(value: float, standard_error: float, df: float | None, level: float) -> Interval:
    """value -/+ reach * standard error."""
    half = reach(df, level) * standard_error
    return Interval(low=value - half, high=value + half, level=level, kind="confidence")


def p_value(value: float, standard_error: float, df: float | None) -> float:
    """Two-sided, of no effect on a difference scale."""
    size = abs(value) / standard_error
    return float(2 * (norm.sf(size) if df is None else student.sf(size, df)))


def check_variance(standard_error: float, df: float | None, scale: float) -> None:
    """Refuse a standard error of zero, or degrees of freedom that do not exist.

    `scale` is the size of the outcome: a standard error below 1e-12 of it is rounding.
    """
    if not math.isfinite(standard_error) or standard_error <= 1e-12 * max(scale, 1e-300):
        raise EstimatorRefused(
            where="outcome",
            found="no variation of the outcome within arms",
            expected="an outcome that varies among the people, or the clusters, of at least one arm",
            remedy="Report the counts by arm; `randomisation_test` still gives a valid test.",
        )
    if df is not None and not (math.isfinite(df) and df > 0):
        raise EstimatorRefused(
            where="sample",
            found="no degrees of freedom left for the variance",
            expected="more units than coefficients, and two or more in each arm",
            remedy="Use fewer covariates, or `randomisation_test`.",
        )
