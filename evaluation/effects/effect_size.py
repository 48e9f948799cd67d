"""Standardised mean differences (Hedges' g), each with the label that says which one it is.

g = J(v) * b / s, with b the effect in the outcome's unit (adjusted when there are covariates), and s

    within or total   the SD of people within clusters (sites), or of people anywhere in an arm;
    conditional       ... left when treatment and covariates are in the model,
    unconditional     ... left when treatment alone (and blocks) is: the pooled SD of WWC and EEF,
    empty             ... with nothing in the model, as eefAnalytics computes it.

J(v) = Gamma(v/2) / [sqrt(v/2) Gamma((v-1)/2)], v the degrees of freedom of s (Hedges 1981, equation 6d;
about 1 - 3 / (4v - 1)). Variance of d = b / s, times J^2:

    individual   N / (n_1 n_0) + d^2 / (2N)
    cluster      within  N/(N_1 N_0) (1 + (n~ - 1) rho) / (1 - rho) + d^2 / (2 (N - M))
                 total   N/(N_1 N_0) (1 + (n~ - 1) rho)
                         + d^2 [(N-2)(1-rho)^2 + A rho^2 + 2 B rho (1-rho)] / {2 (N-2) [(N-2) - rho (N-2-B)]}
    multi-site   1 / sum_i [s^2 / (s_t^2 + s_w^2 / h_i)] + d^2 / (2N - 4M),   h_i = n_i1 n_i0 / (n_i1 + n_i0)

with M clusters (sites) of sizes n_i, n~ = N_0 sum_1 n_i^2 / (N_1 N) + N_1 sum_0 n_i^2 / (N_0 N), B = sum over arms of
N_a - sum n_i^2 / N_a and A = sum over arms of S2 + S2^2 / N_a^2 - 2 S3 / N_a (S2, S3 sums of squares and
cubes of sizes in the arm): E and Var of the pooled total SD under one rho. v is N - 2, N - M, 2 E^2 / Var,
or N - 2M. When b is adjusted, the first term is (SE of b / s)^2 instead. s comes from REML components,
so that the correction that Hedges (2007, equation 15) makes to the pooled total SD is not needed.

Reference: Hedges (1981), JES 6, 107-128; Hedges (2007), Journal of Educational and Behavioral Statistics 32,
341-370, equations 9 to 20; What Works Clearinghouse (2022), Procedures Handbook 5.0, appendix E; Raudenbush &
Liu (2000), Psychological Methods 5, 199-213, for multi-site trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, sqrt
from typing import Literal

import numpy as np

from evaluation.inference.least_squares import Bools, Floats, Ints
from evaluation.inference.student import interval

Spread = Literal["within", "total"]
Standardiser = Literal["conditional", "unconditional", "empty"]
Shape = Literal["individual", "cluster", "multi_site"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSize:
    """One g with everything that distinguishes it from the others."""

    design: Shape
    spread: Spread
    standardiser: Standardiser
    value: float
    standard_error: float
    low: float
    high: float
    level: float
    df: float
    sd: float
    adjusted: bool

    @property
    def label(self) -> str:
        """As a table prints it."""
        by = "covariate-adjusted difference" if self.adjusted else "difference"
        over = {"within": "SD within groups", "total": "total SD"}[self.spread]
        return f"Hedges' g: {by} over the {self.standardiser} {over}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Sizes that the formulas need: people by arm, and cluster (or site) sizes by arm, (M_a,) each."""

    treated: int
    reference: int
    treated_sizes: tuple[int, ...] = ()
    reference_sizes: tuple[int, ...] = ()

    @property
    def people(self) -> int:
        """N."""
        return self.treated + self.reference

    @property
    def groups(self) -> int:
        """M, for clusters."""
        return len(self.treated_sizes) + len(self.reference_sizes)


def layout(treated: Bools, group: Ints | None) -> Layout:
    """Sizes of arms, and of groups within arms."""
    sizes = [
        () if group is None else tuple(int(n) for n in np.unique(group[arm], return_counts=True)[1])
        for arm in (treated, ~treated)
    ]
    count = int(treated.sum())
    return Layout(
        treated=count, reference=len(treated) - count, treated_sizes=sizes[0], reference_sizes=sizes[1]
    )


def small_sample(df: float) -> float:
    """J(v), Hedges (1981), equation 6d."""
    return exp(lgamma(df / 2) - lgamma((df - 1) / 2) - 0.5 * log(df / 2))


def individual_variance(d: float, sizes: Layout, adjusted_error: float | None) -> float:
    """Variance of d; `adjusted_error` is SE(b) / s when b is adjusted."""
    first = sizes.people / (sizes.treated * sizes.reference) if adjusted_error is None else adjusted_error**2
    return first + d**2 / (2 * sizes.people)


def cluster_variance(
    d: float, spread: Spread, sizes: Layout, rho: float, adjusted_error: float | None
) -> tuple[float, float]:
    """Variance of d, and the degrees of freedom of s, for clusters of unequal size."""
    n, n1, n0 = sizes.people, sizes.treated, sizes.reference
    s1, s0 = np.array(sizes.treated_sizes, dtype=float), np.array(sizes.reference_sizes, dtype=float)
    typical = n0 * float(np.sum(s1**2)) / (n1 * n) + n1 * float(np.sum(s0**2)) / (n0 * n)
    first = n / (n1 * n0) * (1 + (typical - 1) * rho)
    if spread == "within":
        first, df = first / (1 - rho), float(n - sizes.groups)
        second = d**2 / (2 * df)
    else:
        b = sum(float(m - np.sum(s**2) / m) for s, m in ((s1, n1), (s0, n0)))
        a = sum(
            float(np.sum(s**2) + np.sum(s**2) ** 2 / m**2 - 2 * np.sum(s**3) / m)
            for s, m in ((s1, n1), (s0, n0))
        )
        mean = (n - 2) - rho * (n - 2 - b)
        spread_of = (n - 2) * (1 - rho) ** 2 + a * rho**2 + 2 * b * rho * (1 - rho)
        second = d**2 * spread_of / (2 * (n - 2) * mean)
        df = mean**2 / spread_of
    if adjusted_error is not None:
        first = adjusted_error**2
    return first + second, df


def site_variance(
    d: float, s: float, within: float, between_effects: float, pairs: Floats, sizes: tuple[int, int]
) -> float:
    """Variance of d for a multi-site trial; `pairs` (M,) are n_1 n_0 / (n_1 + n_0) by site.

    `within` is the residual variance, `between_effects` the variance of effects between sites, and
    `sizes` people and sites.
    """
    people, sites = sizes
    precision = float(np.sum(s**2 / (between_effects + within / pairs)))
    return 1 / precision + d**2 / (2 * people - 4 * sites)


def effect_size(
    *,
    design: Shape,
    spread: Spread,
    standardiser: Standardiser,
    d: float,
    variance: float,
    df: float,
    sd: float,
    interval_df: float,
    level: float,
    adjusted: bool,
) -> EffectSize:
    """g = J d with SE = J sqrt(V), and its interval by t with `interval_df`."""
    j = small_sample(df)
    error = j * sqrt(variance)
    limits = interval(j * d, error, interval_df, level)
    return EffectSize(
        design=design,
        spread=spread,
        standardiser=standardiser,
        value=j * d,
        standard_error=error,
        low=limits.low,
        high=limits.high,
        level=level,
        df=df,
        sd=sd,
        adjusted=adjusted,
    )
