"""Rubin's rules with Barnard and Rubin's degrees of freedom.

For m completed analyses with estimates q_i, variances w_i and complete-data degrees of freedom v:

    q = mean q_i     W = mean w_i     B = sum (q_i - q)^2 / (m - 1)     T = W + (1 + 1/m) B
    lambda = (1 + 1/m) B / T          v_m = (m - 1) / lambda^2
    v_obs = v (v + 1) / (v + 3) (1 - lambda)        df = 1 / (1 / v_m + 1 / v_obs)

The variances are the estimator's own: cluster-robust where it is. Fraction of missing information:
(r + 2 / (df + 3)) / (r + 1), r = (1 + 1/m) B / W.

References: Barnard & Rubin (1999), Biometrika 86, 948-955, equations 1 to 3; Rubin (1987), Multiple
Imputation for Nonresponse in Surveys, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from evaluation.sample import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """`monte_carlo_error` is the standard error of `value` that more imputations would take away."""

    value: float
    standard_error: float
    df: float
    within: float
    between: float
    fraction_missing: float
    monte_carlo_error: float

    def interval(self, level: float) -> tuple[float, float]:
        """(low, high) from Student's t."""
        reach = float(student.ppf(0.5 + level / 2, self.df)) * self.standard_error
        return self.value - reach, self.value + reach

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided, of the value being `null`."""
        return float(2 * student.sf(abs(self.value - null) / self.standard_error, self.df))


def pool(values: Floats, variances: Floats, complete_df: float) -> Pooled:
    """One answer from m completed analyses; `complete_df` may be infinite."""
    m = len(values)
    value, within = float(values.mean()), float(variances.mean())
    between = float(values.var(ddof=1))
    added = (1 + 1 / m) * between
    total = within + added
    share = added / total
    observed = (
        np.inf if np.isinf(complete_df) else complete_df * (complete_df + 1) / (complete_df + 3) * (1 - share)
    )
    between_df = (m - 1) / share**2 if share > 0 else np.inf
    inverse = (0.0 if np.isinf(between_df) else 1 / between_df) + (
        0.0 if np.isinf(observed) else 1 / observed
    )
    df = 1 / inverse if inverse > 0 else np.inf
    ratio = added / within
    return Pooled(
        value=value,
        standard_error=float(np.sqrt(total)),
        df=float(df),
        within=within,
        between=between,
        fraction_missing=float((ratio + (0.0 if np.isinf(df) else 2 / (df + 3))) / (ratio + 1))
        if between > 0
        else 0.0,
        monte_carlo_error=float(np.sqrt(between / m)),
    )
