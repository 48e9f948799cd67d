"""Generalised estimating equations, solved in coordinates in which rows are uncorrelated.

For row i of cluster g with mean mu_i = h(x_i b + offset_i), derivative d_i = h'(.) and variance phi v(mu_i) / w_i,
the scaled rows

    x~_i = d_i sqrt(w_i / v_i) x_i        e~_i = (y_i - mu_i) sqrt(w_i / v_i)

are whitened by R^{-1/2}, R exchangeable with correlation rho within clusters (rho = 0: independence):

    R^{-1/2} z = (z - zbar_g) / sqrt(1 - rho) + zbar_g / sqrt(1 + (n_g - 1) rho)

so that b solves sum x~ e~ = 0 by Fisher scoring, and every robust variance is one of least squares in x~, e~
(`small_sample_gee`). With rho = 0 these are the likelihood equations of the generalised linear model.
phi and rho are Pearson's moments; a negative rho is set to zero. All arrays may carry leading batch
dimensions, so that thousands of simulated or resampled trials are solved at once.

References: Liang & Zeger (1986), Biometrika 73, 13-22; McCullagh & Nelder (1989), chapters 2 and 9; Lawless
(1987), Can. J. Stat. 15, 209-225 (negative binomial).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import digamma, expit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Family = Literal["gaussian", "binomial", "poisson", "negative_binomial"]
Working = Literal["independence", "exchangeable"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Equations:
    """A solution. Leading batch dimensions `...`; rows sorted by cluster.

    `coefficient` (..., k); `mean` (..., n); `rows` x~ (..., n, k); `residual` e~ (..., n); `bread`
    (sum x~ x~')^-1 (..., k, k); `dispersion` phi and `correlation` rho (...); `shape` the negative binomial's alpha in
    v = mu + alpha mu^2; `solved` (...) False where scoring ran away, as it does under separation.
    """

    coefficient: Floats
    mean: Floats
    rows: Floats
    residual: Floats
    bread: Floats
    dispersion: Floats
    correlation: Floats
    shape: float
    solved: Bools
    starts: Ints


def solve(
    y: Floats,
    x: Floats,
    *,
    family: Family,
    starts: Ints,
    offset: Floats | None = None,
    weight: Floats | None = None,
    working: Working = "independence",
    shape: float = 0.0,
) -> Equations:
    """Solve for y (..., n), x (..., n, k), first column 1; `starts` (G,) is where each cluster's rows begin."""
    eta0 = np.zeros_like(y) if offset is None else np.broadcast_to(offset, y.shape)
    w = np.ones_like(y) if weight is None else np.broadcast_to(weight, y.shape)
    b = _start(y, eta0, w, x.shape[-1], family)
    rho = np.zeros(y.shape[:-1])
    solved = np.zeros(y.shape[:-1], dtype=bool)
    for _ in range(80):
        eta = eta0 + _apply(x, b)
        mu, scaled, residual = _scale(y, x, eta, w, family, shape)
        if working == "exchangeable":
            rho = _correlation(residual, starts, x.shape[-1])
            scaled = whiten(scaled, starts, rho)
            residual = whiten(residual[..., None], starts, rho)[..., 0]
        gram = np.swapaxes(scaled, -1, -2) @ scaled
        bread = _inverse(gram)
        move = _apply(bread, _apply(np.swapaxes(scaled, -1, -2), residual))
        reach = np.abs(_apply(x, move)).max(axis=-1)
        b = b + move * np.minimum(1.0, 4.0 / np.maximum(reach, 1e-300))[..., None]
        solved = reach <= 1e-10 * np.maximum(1.0, np.abs(eta).max(axis=-1))
        if solved.all():
            break
    eta = eta0 + _apply(x, b)
    mu, scaled, residual = _scale(y, x, eta, w, family, shape)
    phi = (residual**2).sum(axis=-1) / (y.shape[-1] - x.shape[-1])
    if working == "exchangeable":
        scaled = whiten(scaled, starts, rho)
        residual = whiten(residual[..., None], starts, rho)[..., 0]
    if family == "binomial":
        solved = solved & (np.minimum(mu, 1 - mu).min(axis=-1) > 1e-9)
    return Equations(
        coefficient=b,
        mean=mu,
        rows=scaled,
        residual=residual,
        bread=_inverse(np.swapaxes(scaled, -1, -2) @ scaled),
        dispersion=phi,
        correlation=rho,
        shape=shape,
        solved=solved,
        starts=starts,
    )


def solve_negative_binomial(
    y: Floats,
    x: Floats,
    *,
    starts: Ints,
    offset: Floats | None,
    working: Working,
    weight: Floats | None = None,
) -> Equations:
    """One trial: coefficients and alpha in turn, alpha by maximum likelihood (0: no overdispersion)."""
    alpha = 0.0
    for _ in range(50):
        fitted = solve(
            y,
            x,
            family="negative_binomial",
            starts=starts,
            offset=offset,
            working=working,
            shape=alpha,
            weight=weight,
        )
        update = negative_binomial_shape(y, fitted.mean, weight)
        if abs(update - alpha) <= 1e-10 * max(1.0, alpha):
            break
        alpha = update
    return fitted


def negative_binomial_shape(y: Floats, mu: Floats, weight: Floats | None = None) -> float:
    """alpha maximising the likelihood at means mu; 0 where the Poisson is its limit."""
    w = np.ones_like(y) if weight is None else weight

    def slope(log_theta: float) -> float:
        theta = np.exp(log_theta)
        inner = digamma(y + theta) - digamma(theta) + np.log(theta / (theta + mu)) + (mu - y) / (theta + mu)
        return float(w @ inner)

    # The slope's sign at the Poisson end is that of sum(w (mu - (y - mu)^2 + ...)): compare moments there.
    if w @ ((y - mu) ** 2 - y) <= 0:
        return 0.0
    low, high = -12.0, 16.0
    if slope(low) * slope(high) > 0:
        return 0.0 if slope(high) > 0 else float(np.exp(-low))
    return float(np.exp(-brentq(slope, low, high, xtol=1e-13)))


def segment_sum(values: Floats, starts: Ints, axis: int) -> Floats:
    """Sums over the rows of each cluster along `axis`."""
    return np.asarray(np.add.reduceat(values, starts, axis=axis))


def whiten(z: Floats, starts: Ints, rho: Floats) -> Floats:
    """R^{-1/2} z for z (..., n, k), by the formula at the top of this file."""
    n = z.shape[-2]
    sizes = np.diff(np.append(starts, n))
    mean = np.repeat(segment_sum(z, starts, -2) / sizes[:, None], sizes, axis=-2)
    within = 1 / np.sqrt(1 - rho)[..., None, None]
    between = 1 / np.sqrt(1 + (np.repeat(sizes, sizes) - 1) * rho[..., None])[..., None]
    return np.asarray((z - mean) * within + mean * between)


def _start(y: Floats, offset: Floats, w: Floats, k: int, family: Family) -> Floats:
    b = np.zeros((*y.shape[:-1], k))
    total = (w * y).sum(axis=-1)
    if family in ("poisson", "negative_binomial"):
        b[..., 0] = np.log(np.maximum(total, 0.5) / (w * np.exp(offset)).sum(axis=-1))
    elif family == "binomial":
        share = (total + 0.5) / (w.sum(axis=-1) + 1)
        b[..., 0] = np.log(share / (1 - share))
    return b


def _scale(
    y: Floats, x: Floats, eta: Floats, w: Floats, family: Family, shape: float
) -> tuple[Floats, Floats, Floats]:
    if family == "gaussian":
        mu, slope, variance = eta, np.ones_like(eta), np.ones_like(eta)
    elif family == "binomial":
        mu = expit(eta)
        slope = variance = np.maximum(mu * (1 - mu), 1e-14)
    else:
        mu = np.exp(np.clip(eta, -600, 600))
        slope, variance = mu, mu + shape * mu**2
    root = np.sqrt(w / variance)
    return mu, x * (slope * root)[..., None], (y - mu) * root


def _correlation(residual: Floats, starts: Ints, k: int) -> Floats:
    n = residual.shape[-1]
    sizes = np.diff(np.append(starts, n))
    phi = (residual**2).sum(axis=-1) / (n - k)
    pairs = (segment_sum(residual, starts, -1) ** 2).sum(axis=-1) - (residual**2).sum(axis=-1)
    number = float((sizes * (sizes - 1)).sum()) / 2 - k
    if number <= 0:
        return np.zeros_like(phi)
    return np.asarray(np.clip(pairs / 2 / (number * np.maximum(phi, 1e-300)), 0.0, 0.95))


def _apply(matrix: Floats, vector: Floats) -> Floats:
    return np.asarray((matrix @ vector[..., None])[..., 0])


def _inverse(gram: Floats) -> Floats:
    """Inverse of symmetric matrices, scaled first; singular ones give their pseudo-inverse."""
    root = np.sqrt(np.maximum(np.diagonal(gram, axis1=-2, axis2=-1), 1e-300))
    unit = gram / (root[..., :, None] * root[..., None, :])
    return np.asarray(
        np.linalg.pinv(unit, rcond=1e-12, hermitian=True) / (root[..., :, None] * root[..., None, :])
    )
