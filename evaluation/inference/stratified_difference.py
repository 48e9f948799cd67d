"""Differences in means as the assignment was drawn: plain, in blocks, in clusters, in pairs.

Plain       tau = ybar_1 - ybar_0;  V = s2_1 / n_1 + s2_0 / n_0 (Neyman);  Welch's degrees of freedom.
Clusters    the same tau;  V is CR2 of the regression on treatment, with Satterthwaite's df.
Blocks      tau = sum_b share_b tau_b;  V = sum_b share_b^2 V_b;  df = units - 2 blocks, where share_b is
            the block's share of people (or of weight) and units are people, or clusters where these were drawn.
Pairs       one unit of each arm in each block: tau as for blocks, and
            V = J / (J - 1) sum_j (share_j tau_j - tau / J)^2;  df = J - 1.
Weighted    V is HC2 of the weighted regression on treatment;  df = n - 2.

V is too large on average when effects vary between people, never too small.

Reference: Neyman (1923); Imbens & Rubin (2015), chapters 6, 9 and 10; Imai, King & Nall (2009),
Statistical Science 24, 29-53, equation 6, for pairs; Bell & McCaffrey (2002) for clusters. The degrees of
freedom follow estimatr 1.0.4 (Blair et al.), whose numbers are matched in tests/golden/test_estimatr.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.inference.cluster_robust import clustered
from evaluation.inference.heteroskedastic import row_covariance
from evaluation.inference.least_squares import Bools, Floats, Ints, fit, project


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """tau, V and degrees of freedom, as defined at the top of this file."""

    value: float
    variance: float
    df: float


def plain(outcome: Floats, treated: Bools) -> Difference:
    """People drawn one by one; both arrays (n,), two or more people in each arm."""
    y1, y0 = outcome[treated], outcome[~treated]
    v1, v0 = float(y1.var(ddof=1)) / len(y1), float(y0.var(ddof=1)) / len(y0)
    bottom = v1**2 / (len(y1) - 1) + v0**2 / (len(y0) - 1)
    return Difference(
        value=float(y1.mean() - y0.mean()),
        variance=v1 + v0,
        df=(v1 + v0) ** 2 / bottom if bottom > 0 else float("nan"),
    )


def weighted(outcome: Floats, treated: Bools, weight: Floats) -> Difference:
    """People with weights above zero: HC2 of the weighted regression on treatment."""
    regression = fit(outcome, project(_design(treated), weight=weight))
    covariance = row_covariance(regression.projection, regression.residuals, "HC2")
    return Difference(
        value=float(regression.coefficients[1]),
        variance=float(covariance[1, 1]),
        df=float(len(outcome) - 2),
    )


def by_cluster(outcome: Floats, treated: Bools, cluster: Ints, weight: Floats | None = None) -> Difference:
    """Clusters drawn whole: CR2, two or more clusters in each arm."""
    regression = fit(outcome, project(_design(treated), weight=weight))
    found = clustered(
        regression.projection, regression.residuals, cluster, "CR2", contrasts=np.array([[0.0, 1.0]])
    )
    return Difference(
        value=float(regression.coefficients[1]),
        variance=float(found.covariance[1, 1]),
        df=float(found.df[0]),
    )


def in_blocks(
    outcome: Floats, treated: Bools, block: Ints, cluster: Ints | None = None, weight: Floats | None = None
) -> Difference:
    """Drawn within blocks, with two or more units of each arm in each."""
    labels, codes = np.unique(block, return_inverse=True)
    share = np.bincount(codes, weights=weight)
    share = share / share.sum()
    value = variance = 0.0
    for b in range(len(labels)):
        inside = codes == b
        y, z = outcome[inside], treated[inside]
        w = None if weight is None else weight[inside]
        if cluster is not None:
            part = by_cluster(y, z, cluster[inside], w)
        elif w is not None:
            part = weighted(y, z, w)
        else:
            part = plain(y, z)
        value += float(share[b]) * part.value
        variance += float(share[b]) ** 2 * part.variance
    units = len(outcome) if cluster is None else len(np.unique(cluster))
    return Difference(value=value, variance=variance, df=float(units - 2 * len(labels)))


def in_pairs(outcome: Floats, treated: Bools, pair: Ints, weight: Floats | None = None) -> Difference:
    """One unit (a person, or a whole cluster) of each arm in each pair, and two or more pairs."""
    labels, codes = np.unique(pair, return_inverse=True)
    w = np.ones(len(outcome)) if weight is None else weight
    mass = [np.bincount(codes[arm], weights=w[arm], minlength=len(labels)) for arm in (treated, ~treated)]
    total = [
        np.bincount(codes[arm], weights=(w * outcome)[arm], minlength=len(labels))
        for arm in (treated, ~treated)
    ]
    difference = total[0] / mass[0] - total[1] / mass[1]
    share = (mass[0] + mass[1]) / w.sum()
    count = len(labels)
    value = float(share @ difference)
    spread = float(np.sum((share * difference - value / count) ** 2))
    return Difference(value=value, variance=count / (count - 1) * spread, df=float(count - 1))


def _design(treated: Bools) -> Floats:
    return np.column_stack([np.ones(len(treated)), treated.astype(np.float64)])
