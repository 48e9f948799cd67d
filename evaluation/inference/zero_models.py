"""Counts with more (or fewer) zeros than a Poisson or negative binomial has: zero-inflated and hurdle models.

    inflated   P(0) = pi + (1 - pi) f(0),    P(y) = (1 - pi) f(y)                  mean (1 - pi) mu
    hurdle     P(0) = 1 - p,                 P(y) = p f(y) / (1 - f(0))            mean p mu / (1 - f(0))

f Poisson or negative binomial (variance mu + alpha mu^2) with log mu = x b + offset; logit pi, or logit p, = z c. Maximum
likelihood over (b, c, log alpha). Rows' scores are by central differences, so that errors can be summed over rows or clusters.

References: Lambert (1992), Technometrics 34, 1-14; Mullahy (1986), J. Econometrics 33, 341-365; Cameron & Trivedi (2013), Regression
Analysis of Count Data, chapter 4. Checked against R's pscl 1.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, gammaln, log_expit

from evaluation.inference.estimating import negative_binomial_shape, solve

Floats = NDArray[np.float64]
Zeros = Literal["inflated", "hurdle"]
Law = Literal["poisson", "negative_binomial"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZeroModel:
    """`theta` is (b, c, log alpha); `bread` the inverse information; `scores` (n, len(theta))."""

    theta: Floats
    bread: Floats
    scores: Floats
    log_likelihood: float
    columns: int
    solved: bool


def fit_zero_model(y: Floats, x: Floats, z: Floats, *, offset: Floats, zeros: Zeros, law: Law) -> ZeroModel:
    """Fit to y (n,), x (n, k) and z (n, m), both with a first column of ones."""
    k, m = x.shape[1], z.shape[1]
    started = solve(y, x, family="poisson", starts=np.arange(len(y)), offset=offset)
    share = float(np.mean(y == 0))
    lean = np.zeros(m)
    excess = max(share - float(np.exp(-started.mean).mean()), 0.05)
    lean[0] = np.log(excess / (1 - excess)) if zeros == "inflated" else np.log((1 - share) / share)
    begin = np.concatenate([started.coefficient, lean])
    if law == "negative_binomial":
        alpha = max(negative_binomial_shape(y, started.mean), 0.05)
        begin = np.append(begin, np.log(alpha))
    scale = np.concatenate(
        [np.sqrt(np.mean(x**2, axis=0)), np.sqrt(np.mean(z**2, axis=0)), np.ones(len(begin) - k - m)]
    )

    def each(theta: Floats) -> Floats:
        return _log_density(theta, y, x, z, offset, zeros, law)

    def loss(scaled: Floats) -> float:
        value = -float(each(scaled / scale).mean())
        return value if np.isfinite(value) else 1e10

    best = minimize(loss, begin * scale, method="BFGS", options={"gtol": 1e-8, "maxiter": 1000})
    theta = np.asarray(best.x, dtype=np.float64) / scale
    for _ in range(4):  # Newton's last steps: BFGS stops where its numerical slope is noise
        scores, information = _scores(each, theta, scale)
        if np.linalg.eigvalsh(information).min() <= 0:
            break
        theta = theta + np.linalg.solve(information, scores.sum(axis=0))
    scores, information = _scores(each, theta, scale)
    # A zero part with chances of about 0 or 1 somewhere is one that the data do not identify.
    lean = z @ theta[k : k + m]
    solved = (
        bool(np.linalg.eigvalsh(information).min() > 0)
        and bool(np.abs(scores.sum(axis=0) / scale).max() < 1e-2)
        and bool(np.abs(lean).max() < 12)
    )
    return ZeroModel(
        theta=theta,
        bread=np.linalg.pinv(information, hermitian=True),
        scores=scores,
        log_likelihood=float(each(theta).sum()),
        columns=k,
        solved=solved,
    )


def expected(theta: Floats, x: Floats, z: Floats, offset: Floats, zeros: Zeros, law: Law) -> Floats:
    """(n,) mean counts."""
    k, m = x.shape[1], z.shape[1]
    mu = np.exp(offset + x @ theta[:k])
    chance = expit(z @ theta[k : k + m])
    if zeros == "inflated":
        return np.asarray((1 - chance) * mu)
    alpha = float(np.exp(theta[-1])) if law == "negative_binomial" else 0.0
    return np.asarray(chance * mu / -np.expm1(_log_zero(mu, alpha)))


def any_event(theta: Floats, x: Floats, z: Floats, offset: Floats, zeros: Zeros, law: Law) -> Floats:
    """(n,) chance of at least one event."""
    k, m = x.shape[1], z.shape[1]
    chance = expit(z @ theta[k : k + m])
    if zeros == "hurdle":
        return np.asarray(chance)
    alpha = float(np.exp(theta[-1])) if law == "negative_binomial" else 0.0
    return np.asarray((1 - chance) * -np.expm1(_log_zero(np.exp(offset + x @ theta[:k]), alpha)))


def _log_density(
    theta: Floats, y: Floats, x: Floats, z: Floats, offset: Floats, zeros: Zeros, law: Law
) -> Floats:
    k, m = x.shape[1], z.shape[1]
    eta = np.clip(offset + x @ theta[:k], -30, 30)
    mu, lean = np.exp(eta), z @ theta[k : k + m]
    alpha = float(np.exp(np.clip(theta[-1], -15, 10))) if law == "negative_binomial" else 0.0
    at_zero = _log_zero(mu, alpha)
    if alpha > 0:
        r = 1 / alpha
        law_of_y = (
            gammaln(y + r)
            - gammaln(r)
            - gammaln(y + 1)
            + y * np.log(alpha)
            + y * eta
            - (y + r) * np.log1p(alpha * mu)
        )
    else:
        law_of_y = y * eta - mu - gammaln(y + 1)
    if zeros == "inflated":
        zero = np.logaddexp(log_expit(lean), log_expit(-lean) + at_zero)
        return np.asarray(np.where(y == 0, zero, log_expit(-lean) + law_of_y))
    above = log_expit(lean) + law_of_y - np.log(-np.expm1(at_zero))
    return np.asarray(np.where(y == 0, log_expit(-lean), above))


def _log_zero(mu: Floats, alpha: float) -> Floats:
    return np.asarray(-np.log1p(alpha * mu) / alpha if alpha > 0 else -mu)


def _scores(call: Callable[[Floats], Floats], theta: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Rows' scores and the observed information, by central differences."""
    step = 1e-4 / scale
    unit = np.diag(step)
    scores = np.column_stack(
        [(call(theta + u) - call(theta - u)) / (2 * h) for u, h in zip(unit, step, strict=True)]
    )
    size = len(theta)
    information = np.empty((size, size))
    wide = np.diag(1e-3 / scale)
    middle = call(theta)
    for i in range(size):
        for j in range(i + 1):
            if i == j:
                change = call(theta + wide[i]) - 2 * middle + call(theta - wide[i])
                information[i, i] = -change.sum() / wide[i, i] ** 2
                continue
            mixed = call(theta + wide[i] + wide[j]) - call(theta + wide[i] - wide[j])
            mixed = mixed + call(theta - wide[i] - wide[j]) - call(theta - wide[i] + wide[j])
            information[i, j] = information[j, i] = -mixed.sum() / (4 * wide[i, i] * wide[j, j])
    return scores, information
