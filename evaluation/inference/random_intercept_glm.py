"""Logistic, Poisson and negative binomial models with a random intercept per cluster, by adaptive quadrature.

    g(E[y_gi | u_g]) = x_gi b + offset_gi + tau u_g,    u_g ~ N(0, 1)
    L_g = integral of prod_i f(y_gi | u) phi(u) du,  at nodes moved to the mode of the integrand and scaled by its curvature

All clusters' modes are found together by Newton's method, and the likelihood is maximised over (b, log tau) and, for the negative
binomial (variance mu + alpha mu^2 given u), log alpha. Standard errors come from the observed information. Where the likelihood keeps rising as tau falls to 0 the fit is singular: it is then the model
without the random intercept, and is reported as such.

References: Pinheiro & Bates (1995), J. Comput. Graph. Stat. 4, 12-35; Liu & Pierce (1994), Biometrika 81, 624-629. Checked against
lme4::glmer with 25 nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, gammaln, logsumexp

from evaluation.inference.estimating import segment_sum, solve, solve_negative_binomial

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomInterceptGlm:
    """`coefficient` (k,), `variance` (k, k), `sd` tau of the intercepts on the link's scale, `shape` alpha."""

    coefficient: Floats
    variance: Floats
    sd: float
    shape: float
    log_likelihood: float
    singular: bool
    solved: bool


def fit_random_intercept_glm(
    y: Floats,
    x: Floats,
    starts: Ints,
    *,
    family: Literal["binomial", "poisson", "negative_binomial"],
    offset: Floats | None,
    nodes: int,
) -> RandomInterceptGlm:
    """Maximum likelihood for y (n,), x (n, k), rows sorted by cluster; `nodes` of 1 is Laplace's approximation."""
    eta0 = np.zeros_like(y) if offset is None else offset
    k = x.shape[1]
    if family == "negative_binomial":
        marginal = solve_negative_binomial(y, x, starts=starts, offset=offset, working="independence")
    else:
        marginal = solve(y, x, family=family, starts=starts, offset=offset)
    scale = 1 / np.sqrt(np.diag(marginal.bread))
    point, weight = np.polynomial.hermite.hermgauss(nodes)

    def loss(theta: Floats) -> float:
        alpha = float(np.exp(theta[k + 1])) if family == "negative_binomial" else 0.0
        linear = eta0 + x @ (theta[:k] / scale)
        return -_log_likelihood(y, linear, float(np.exp(theta[k])), alpha, starts, family, point, weight)

    begin = np.append(marginal.coefficient * scale, np.log(0.3))
    if family == "negative_binomial":
        begin = np.append(begin, np.log(max(marginal.shape, 1e-3)))
    flat = begin.copy()
    flat[k] = np.log(1e-4)
    nothing = loss(flat)
    best = minimize(loss, begin, method="BFGS", options={"gtol": 1e-7, "maxiter": 200})
    at = np.asarray(best.x, dtype=np.float64)
    sd = float(np.exp(at[k]))
    if not float(best.fun) < nothing - 1e-7 or sd < 2e-3:
        return RandomInterceptGlm(
            coefficient=marginal.coefficient,
            variance=marginal.bread,
            sd=0.0,
            shape=marginal.shape,
            log_likelihood=-nothing,
            singular=True,
            solved=bool(marginal.solved),
        )
    free = np.arange(len(at)) if family != "negative_binomial" or at[-1] > -8 else np.arange(k + 1)
    information = _hessian(loss, at, k)[np.ix_(free, free)]
    covariance = np.linalg.pinv(information, hermitian=True)[:k, :k] / np.outer(scale, scale)
    return RandomInterceptGlm(
        coefficient=at[:k] / scale,
        variance=covariance,
        sd=sd,
        shape=float(np.exp(at[-1])) if family == "negative_binomial" else 0.0,
        log_likelihood=-float(best.fun),
        singular=False,
        solved=bool(marginal.solved) and bool(np.linalg.eigvalsh(information).min() > 0),
    )


def _log_likelihood(
    y: Floats,
    linear: Floats,
    tau: float,
    alpha: float,
    starts: Ints,
    family: str,
    point: Floats,
    weight: Floats,
) -> float:
    sizes = np.diff(np.append(starts, len(y)))
    mode = np.zeros(len(starts))
    curvature = np.ones(len(starts))
    for _ in range(100):
        gradient, slope = _derivatives(y, linear + tau * np.repeat(mode, sizes), alpha, family)
        curvature = tau**2 * segment_sum(slope, starts, 0) + 1
        move = np.clip((tau * segment_sum(gradient, starts, 0) - mode) / curvature, -3.0, 3.0)
        mode = mode + move
        if np.abs(move).max() < 1e-10:
            break
    spread = 1 / np.sqrt(curvature)
    u = mode[:, None] + np.sqrt(2) * spread[:, None] * point
    each = _density(y[:, None], linear[:, None] + tau * np.repeat(u, sizes, axis=0), alpha, family)
    inside = segment_sum(each, starts, 0) - u**2 / 2 + point**2 + np.log(weight)
    total = logsumexp(inside, axis=1) + np.log(spread) - 0.5 * np.log(np.pi)
    return float(total.sum()) + _constant(y, alpha, family)


def _density(y: Floats, eta: Floats, alpha: float, family: str) -> Floats:
    """The log density's terms in eta."""
    if family == "binomial":
        return np.asarray(y * eta - np.logaddexp(0, eta))
    mu = np.exp(np.clip(eta, -600, 600))
    if alpha == 0:
        return np.asarray(y * eta - mu)
    return np.asarray(y * eta - (y + 1 / alpha) * np.log1p(alpha * mu))


def _constant(y: Floats, alpha: float, family: str) -> float:
    if family == "binomial":
        return 0.0
    value = -float(gammaln(y + 1).sum())
    if alpha > 0:
        value += float((gammaln(y + 1 / alpha) - gammaln(1 / alpha) + y * np.log(alpha)).sum())
    return value


def _derivatives(y: Floats, eta: Floats, alpha: float, family: str) -> tuple[Floats, Floats]:
    """First derivative of the log density in eta, and less the second."""
    if family == "binomial":
        mu = expit(eta)
        return y - mu, mu * (1 - mu)
    mu = np.exp(np.clip(eta, -600, 600))
    shrink = 1 + alpha * mu
    return (y - mu) / shrink, mu * (1 + alpha * y) / shrink**2


def _hessian(loss: Callable[[Floats], float], at: Floats, k: int) -> Floats:
    """Central differences; the steps suit coefficients scaled to unit standard error."""
    unit = np.diag(np.where(np.arange(len(at)) < k, 2e-2, 1e-2))
    out = np.empty((len(at), len(at)))
    middle = loss(at)
    for i in range(len(at)):
        for j in range(i + 1):
            if i == j:
                out[i, i] = (loss(at + unit[i]) - 2 * middle + loss(at - unit[i])) / unit[i, i] ** 2
                continue
            mixed = loss(at + unit[i] + unit[j]) - loss(at + unit[i] - unit[j])
            mixed += loss(at - unit[i] - unit[j]) - loss(at - unit[i] + unit[j])
            out[i, j] = out[j, i] = mixed / (4 * unit[i, i] * unit[j, j])
    return out
