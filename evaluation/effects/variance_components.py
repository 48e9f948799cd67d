"""Restricted maximum likelihood for a linear model with random effects of one grouping factor.

    y_i = X_i beta + Z_i b_i + e_i,   b_i ~ N(0, D),   e_i ~ N(0, sigma^2 I)

With D = sigma^2 L L', the profiled criterion is (Bates et al. 2015, equation 41)

    d(L) = sum_i log |I + L'Z_i'Z_i L| + log |X'V^-1 X| + (n - p) [1 + log(2 pi r^2 / (n - p))]

where V = I + Z L L'Z' and r^2 is the generalised least squares sum of squares. Only sums over groups
enter, so each evaluation costs the groups times q^3. L is free (its columns' signs do not matter), so a
variance of zero is an ordinary minimum and not a failure; `singular` says when it was reached.

Reference: Patterson & Thompson (1971), Biometrika 58, 545-554; Bates, Machler, Bolker & Walker (2015),
Journal of Statistical Software 67(1). Checked against lme4 1.1 in tests/golden/test_effect_sizes.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, log, pi, sqrt
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.stats import chi2

from evaluation.inference.least_squares import Floats, Ints, NotEstimable, project

# A group's variance below this share of the residual variance is zero to the optimiser's precision.
SINGULAR = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Components:
    """beta (p,) and its covariance (p, p); sigma^2; D (q, q); the criterion at its minimum.

    `kept` are the columns of the design that entered. `singular`: D has a variance, or a combination, of zero.
    """

    coefficients: Floats
    covariance: Floats
    residual: float
    random: Floats
    criterion: float
    singular: bool
    kept: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """What the criterion needs of the data: products of X, Z and y, within groups (g, ...) and overall."""

    zz: Floats
    zx: Floats
    zy: Floats
    xx: Floats
    xy: Floats
    yy: float
    rows: int

    def solve(self, root: Floats) -> tuple[float, Floats, Floats, float]:
        """The criterion at L = `root` (q, q), beta, (X'V^-1 X)^-1 and r^2 / (n - p)."""
        q = root.shape[0]
        inner = np.eye(q) + root.T @ self.zz @ root
        lower = np.linalg.cholesky(inner)
        w = np.linalg.solve(lower, root.T @ self.zx)
        u = np.linalg.solve(lower, (self.zy @ root)[:, :, None])[:, :, 0]
        xvx = self.xx - np.einsum("gqa,gqb->ab", w, w)
        xvy = self.xy - np.einsum("gqa,gq->a", w, u)
        beta = np.linalg.solve(xvx, xvy)
        freedom = self.rows - len(beta)
        s2 = (self.yy - float(np.sum(u**2)) - float(beta @ xvy)) / freedom
        if s2 <= 0:
            return float("inf"), beta, np.linalg.inv(xvx), s2
        logs = 2 * float(np.sum(np.log(np.einsum("gqq->gq", lower))))
        criterion = logs + float(np.linalg.slogdet(xvx)[1]) + freedom * (1 + log(2 * pi * s2))
        return criterion, beta, np.linalg.inv(xvx), s2


def group_sums(outcome: Floats, design: Floats, random: Floats, group: Ints) -> Sums:
    """Products of the columns within groups, and over all rows."""
    _, codes = np.unique(group, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    y, x, z = outcome[order], design[order], random[order]
    starts = np.searchsorted(codes[order], np.arange(codes.max() + 1))
    return Sums(
        zz=np.add.reduceat(z[:, :, None] * z[:, None, :], starts, axis=0),
        zx=np.add.reduceat(z[:, :, None] * x[:, None, :], starts, axis=0),
        zy=np.add.reduceat(z * y[:, None], starts, axis=0),
        xx=x.T @ x,
        xy=x.T @ y,
        yy=float(y @ y),
        rows=len(y),
    )


def reml(outcome: Floats, design: Floats, random: Floats, group: Ints) -> Components:
    """Fit by REML: `design` (n, p) with its intercept, `random` (n, q), `group` (n,)."""
    kept = project(design).kept
    _check(group, len(outcome), len(kept))
    centre = float(outcome.mean())
    sums = group_sums(outcome - centre, design[:, kept], random, group)
    q = random.shape[1]

    def criterion(theta: Floats) -> float:
        return sums.solve(_root(theta, q))[0]

    root = _root(_least(criterion, q), q)
    value, beta, inverse, s2 = sums.solve(root)
    # The outcome was centred for precision; the intercept's direction takes the mean back.
    ones = np.linalg.lstsq(design[:, kept], np.ones(len(outcome)), rcond=None)[0]
    spread = root @ root.T
    return Components(
        coefficients=beta + centre * ones,
        covariance=s2 * inverse,
        residual=s2,
        random=s2 * spread,
        criterion=value,
        singular=bool(np.linalg.eigvalsh(spread).min() < SINGULAR),
        kept=kept,
    )


def icc_interval(
    outcome: Floats, design: Floats, group: Ints, fitted: Components, level: float
) -> tuple[float, float]:
    """Profile interval of D / (D + sigma^2), one random intercept: where d rises by a chi-square(1)."""
    ones = np.ones((len(outcome), 1))
    sums = group_sums(outcome - float(outcome.mean()), design[:, fitted.kept], ones, group)
    limit = fitted.criterion + float(chi2.ppf(level, 1))
    top = sqrt(float(fitted.random[0, 0]) / fitted.residual)

    def excess(theta: float) -> float:
        return sums.solve(np.array([[theta]]))[0] - limit

    low = 0.0 if excess(0.0) <= 0 else brentq(excess, 0.0, top, xtol=1e-12)
    high = max(top, 0.1)
    while excess(high) <= 0 and isfinite(high) and high < 1e4:
        high *= 2
    high = brentq(excess, top, high, xtol=1e-12) if excess(high) > 0 else float("inf")
    return low**2 / (1 + low**2), 1.0 if not isfinite(high) else high**2 / (1 + high**2)


def _least(criterion: Callable[[Floats], float], q: int) -> Floats:
    """Where the criterion is least: a bracketed line search for one variance, simplexes for more."""
    if q == 1:
        grid = np.concatenate([[0.0], np.geomspace(0.01, 1000.0, 24)])
        at = int(np.argmin([criterion(np.array([theta])) for theta in grid]))
        ends = (float(grid[max(at - 1, 0)]), float(grid[min(at + 1, len(grid) - 1)]))
        found = minimize_scalar(
            lambda theta: criterion(np.array([theta])),
            bounds=ends,
            method="bounded",
            options={"xatol": 1e-11},
        )
        # The search does not visit its ends: zero is an end that may be the minimum.
        edge = criterion(np.zeros(1))
        return np.zeros(1) if edge <= float(found.fun) else np.array([float(found.x)])
    diagonal = np.equal(*np.tril_indices(q))
    settings: Any = {"xatol": 1e-10, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000}
    searches = [
        minimize(criterion, np.where(diagonal, size, 0.0), method="Nelder-Mead", options=settings)
        for size in (0.05, 0.5, 1.5)
    ]
    return np.asarray(min(searches, key=lambda search: float(search.fun)).x)


def _root(theta: Floats, q: int) -> Floats:
    root = np.zeros((q, q))
    root[np.tril_indices(q)] = theta
    return root


def _check(group: Ints, rows: int, columns: int) -> None:
    groups = len(np.unique(group))
    if groups < 3 or rows <= groups or rows <= columns:
        raise NotEstimable(
            where="sample",
            found=f"{rows} rows in {groups} groups, for {columns} coefficients",
            expected="three or more groups, and more rows than groups and than coefficients",
            remedy="Report the difference in the outcome's own unit; variances between groups cannot be told here.",
        )
