"""The linear mixed model with a random intercept per cluster, by REML along one line, so that it cannot fail to fit.

    y_gi = x_gi b + u_g + e_gi,   u_g ~ N(0, tau2), e_gi ~ N(0, sigma2),   V_g = sigma2 I + tau2 J

With lambda = tau2 / sigma2 >= 0, V_g^-1 = (I - lambda / (1 + n_g lambda) J) / sigma2, so b and sigma2 have closed forms
given lambda, and the restricted likelihood is a function of lambda alone, searched on [0, inf). A maximum at 0 is the
singular fit: it is found like any other and reported.

Degrees of freedom for c'b are Satterthwaite's: 2 V^2 / (g' A g), with V = c'(X'V^-1X)^-1 c, g its gradient in (sigma2, tau2) and A the inverse
of the observed information of the restricted likelihood, as lmerTest does.

References: Harville (1977), JASA 72, 320-338; Patterson & Thompson (1971), Biometrika 58, 545-554; Giesbrecht & Burns (1985), Biometrics 41,
477-486 (Satterthwaite); Kuznetsova, Brockhoff & Christensen (2017), J. Stat. Software 82(13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from evaluation.inference.estimating import segment_sum

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Products:
    """What the likelihood needs of the rows: cross-products in all, and sums by cluster."""

    xx: Floats
    xy: Floats
    yy: float
    x_sum: Floats
    y_sum: Floats
    sizes: Floats
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomIntercept:
    """`coefficient` (k,), `variance` (k, k), `within` sigma2, `between` tau2, the restricted log-likelihood."""

    coefficient: Floats
    variance: Floats
    within: float
    between: float
    log_likelihood: float
    products: Products

    @property
    def singular(self) -> bool:
        """True where the variance between clusters is estimated as nothing."""
        return self.between <= 1e-10 * self.within


def fit_random_intercept(y: Floats, x: Floats, starts: Ints) -> RandomIntercept:
    """REML for y (n,) and x (n, k), rows sorted by cluster, `starts` (G,) where each begins."""
    products = Products(
        xx=x.T @ x,
        xy=x.T @ y,
        yy=float(y @ y),
        x_sum=segment_sum(x, starts, 0),
        y_sum=segment_sum(y, starts, 0),
        sizes=np.diff(np.append(starts, len(y))).astype(np.float64),
        rows=len(y),
    )

    # On rho = lambda / (1 + lambda), the intraclass correlation, the line is bounded.
    def loss(rho: float) -> float:
        return -_profile(products, rho / (1 - rho))[0]

    grid = np.concatenate([[0.0], np.geomspace(1e-4, 0.999, 25)])
    values = np.array([loss(rho) for rho in grid])
    best = int(np.argmin(values))
    rho = 0.0
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12})
    if found.fun < values[0] - 1e-12 * abs(values[0]):
        rho = float(found.x)
    ratio = rho / (1 - rho)
    value, b, within, gram_inverse = _profile(products, ratio)
    return RandomIntercept(
        coefficient=b,
        variance=within * gram_inverse,
        within=within,
        between=ratio * within,
        log_likelihood=value,
        products=products,
    )


def satterthwaite(fitted: RandomIntercept, contrast: Floats) -> float | None:
    """Degrees of freedom for c'b; None where the fit is singular and the information has an edge."""
    if fitted.singular:
        return None
    theta = np.array([fitted.within, fitted.between])
    step = 1e-4 * theta

    def likelihood(at: Floats) -> float:
        return _restricted(fitted.products, at[0], at[1])

    def spread(at: Floats) -> float:
        gram = _gram(fitted.products, at[1] / at[0])[0] / at[0]
        return float(contrast @ np.linalg.solve(gram, contrast))

    unit = np.diag(step)
    gradient = np.array([(spread(theta + unit[j]) - spread(theta - unit[j])) / (2 * step[j]) for j in (0, 1)])
    hessian = np.empty((2, 2))
    for j in (0, 1):
        for k in (0, 1):
            hessian[j, k] = (
                likelihood(theta + unit[j] + unit[k])
                - likelihood(theta + unit[j] - unit[k])
                - likelihood(theta - unit[j] + unit[k])
                + likelihood(theta - unit[j] - unit[k])
            ) / (4 * step[j] * step[k])
    information = -hessian
    if np.linalg.eigvalsh(information).min() <= 0:
        return None
    denominator = float(gradient @ np.linalg.solve(information, gradient))
    return float(2 * spread(theta) ** 2 / denominator)


def whitening(fitted: RandomIntercept) -> float:
    """The intraclass correlation, tau2 / (tau2 + sigma2), of outcomes given the columns."""
    return fitted.between / (fitted.between + fitted.within)


def _gram(p: Products, ratio: float) -> tuple[Floats, Floats, float]:
    shrink = ratio / (1 + p.sizes * ratio)
    gram = p.xx - (p.x_sum * shrink[:, None]).T @ p.x_sum
    cross = p.xy - p.x_sum.T @ (shrink * p.y_sum)
    return gram, cross, p.yy - float(shrink @ p.y_sum**2)


def _profile(p: Products, ratio: float) -> tuple[float, Floats, float, Floats]:
    """(restricted log-likelihood at its best sigma2, b, sigma2, (X'V^-1X)^-1 / sigma2)."""
    gram, cross, square = _gram(p, ratio)
    inverse = np.linalg.inv(gram)
    b = inverse @ cross
    free = p.rows - len(b)
    within = max(square - float(cross @ b), 1e-300) / free
    value = _restricted(p, within, ratio * within)
    return value, b, within, inverse


def _restricted(p: Products, within: float, between: float) -> float:
    gram, cross, square = _gram(p, between / within)
    b = np.linalg.solve(gram, cross)
    k = len(b)
    residual = max(square - float(cross @ b), 0.0) / within
    logs = (p.rows - k) * np.log(2 * np.pi * within) + np.log1p(p.sizes * between / within).sum()
    return float(-0.5 * (logs + np.linalg.slogdet(gram)[1] + residual))
