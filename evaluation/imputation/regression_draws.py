"""Draws of a Bayesian regression's parameters, for many chains at once, with random intercepts by group.

    y = X beta + u[group] + e,   e ~ N(0, sigma2),   u ~ N(0, tau2)

Priors: beta flat (N(0, 25) for a probit), sigma2 ~ 1 / sigma2, tau half-Cauchy(1) in units of the
standardised response. With groups, a Gibbs step draws beta with u integrated out, then u, sigma2 and
tau2; without, the draw is exact. A binary response is a latent z = X beta + u + N(0, 1) above zero.

Shapes: M chains, n rows, p columns, C groups. Every chain has its own X, y and parameters.

References: Albert & Chib (1993), JASA 88, 669-679 (probit by latent normals); Huang & Wand (2013),
Bayesian Analysis 8, 439-452 (half-Cauchy as a mixture of inverse gammas); Schafer & Yucel (2002), J.
Comp. Graph. Stat. 11, 437-457 (imputation in clustered data).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import log_ndtr, ndtr, ndtri_exp

from evaluation.sample import Bools, Floats, Ints

PROBIT_PRECISION = 1 / 25.0
RIDGE = 1e-8


@dataclass(slots=True, kw_only=True, eq=False)
class Parameters:
    """One draw in each chain: `beta` (M, p), `u` (M, C), `sigma2`, `tau2` and its mixing `a` (M,).

    `beta_hat` and `u_hat` are the conditional means that the last draw was made around.
    """

    beta: Floats
    u: Floats
    sigma2: Floats
    tau2: Floats
    a: Floats
    beta_hat: Floats
    u_hat: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """Rows in groups: `code` (n,) from 0, `count` of groups, and `sums` (C, n) that adds rows up."""

    code: Ints
    count: int
    sums: csr_array

    @classmethod
    def of(cls, code: Ints, count: int) -> Groups:
        """Groups with codes below `count`; a group may have no rows here."""
        rows = np.arange(len(code))
        sums = csr_array((np.ones(len(code)), (code, rows)), shape=(count, len(code)))
        return cls(code=code, count=count, sums=sums)


def start(chains: int, columns: int, groups: int, variance: float) -> Parameters:
    """Where chains begin: no effects, and a tenth of the variance between groups."""
    return Parameters(
        beta=np.zeros((chains, columns)),
        u=np.zeros((chains, groups)),
        sigma2=np.full(chains, variance),
        tau2=np.full(chains, 0.1 * variance),
        a=np.ones(chains),
        beta_hat=np.zeros((chains, columns)),
        u_hat=np.zeros((chains, groups)),
    )


def draw_normal(
    x: Floats, y: Floats, groups: Groups | None, state: Parameters, steps: int, rng: np.random.Generator
) -> Parameters:
    """Parameters after `steps` Gibbs steps from `state` (one exact draw where there are no groups).

    x (M, n, p), y (M, n).
    """
    chains, n, p = x.shape
    xtx = np.swapaxes(x, 1, 2) @ x
    xty = np.einsum("mnp,mn->mp", x, y)
    if groups is None:
        beta_hat, factor = _solve(xtx, xty)
        residual = y - np.einsum("mnp,mp->mn", x, beta_hat)
        sigma2 = np.sum(residual**2, axis=1) / rng.chisquare(n - p, chains)
        beta = beta_hat + np.sqrt(sigma2)[:, None] * _spread(factor, rng)
        state.beta, state.beta_hat, state.sigma2 = beta, beta_hat, sigma2
        return state
    sx, sy, size = _group_sums(x, groups), _sum_rows(y, groups), groups.sums.sum(axis=1)
    for _ in range(steps):
        _draw_effects(xtx, xty, sx, sy, size, state, 0.0, rng)
        residual = y - np.einsum("mnp,mp->mn", x, state.beta) - state.u[:, groups.code]
        state.sigma2 = np.sum(residual**2, axis=1) / rng.chisquare(n, chains)
        _draw_tau(state, rng)
    return state


def draw_probit(
    x: Floats, y: Bools, groups: Groups | None, state: Parameters, steps: int, rng: np.random.Generator
) -> Parameters:
    """Parameters of a probit model after `steps` Gibbs steps; y is (M, n) True where it happened."""
    xtx = np.swapaxes(x, 1, 2) @ x
    size = None if groups is None else groups.sums.sum(axis=1)
    sx = None if groups is None else _group_sums(x, groups)
    state.sigma2 = np.ones(len(x))
    for _ in range(steps):
        centre = linear(x, groups, state.beta, state.u)
        z = latent(centre, y, rng)
        xtz = np.einsum("mnp,mn->mp", x, z)
        if groups is None or sx is None or size is None:
            precision = xtx + PROBIT_PRECISION * np.eye(x.shape[2])
            state.beta_hat, factor = _solve(precision, xtz)
            state.beta = state.beta_hat + _spread(factor, rng)
        else:
            _draw_effects(xtx, xtz, sx, _sum_rows(z, groups), size, state, PROBIT_PRECISION, rng)
            _draw_tau(state, rng)
    return state


def linear(x: Floats, groups: Groups | None, beta: Floats, u: Floats) -> Floats:
    """X beta + u[group], (M, n)."""
    fitted = np.einsum("mnp,mp->mn", x, beta)
    return np.asarray(fitted if groups is None else fitted + u[:, groups.code])


def latent(centre: Floats, y: Bools, rng: np.random.Generator) -> Floats:
    """z ~ N(centre, 1), above zero where y is True and below where it is not; accurate in both tails."""
    side = np.where(y, 1.0, -1.0)
    log_mass = log_ndtr(side * centre)
    return np.asarray(centre - side * ndtri_exp(np.log(rng.random(centre.shape)) + log_mass))


def probit_start(x: Floats, y: Bools, groups: int) -> Parameters:
    """The penalised maximum of each chain's probit likelihood, by eight Fisher scoring steps."""
    state = start(len(x), x.shape[2], groups, 1.0)
    penalty = PROBIT_PRECISION * np.eye(x.shape[2])
    for _ in range(8):
        eta = np.clip(linear(x, None, state.beta, state.u), -6, 6)
        p = np.clip(ndtr(eta), 1e-9, 1 - 1e-9)
        density = np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi)
        weight = density**2 / (p * (1 - p))
        working = eta + (y - p) / density
        xtwx = np.swapaxes(x, 1, 2) @ (x * weight[:, :, None]) + penalty
        state.beta, _ = _solve(xtwx, np.einsum("mnp,mn->mp", x, weight * working))
    return state


def _draw_effects(
    xtx: Floats, xty: Floats, sx: Floats, sy: Floats, size: Floats, state: Parameters, prior: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """beta with u integrated out, then u given beta."""
    s2, t2 = state.sigma2[:, None], state.tau2[:, None]
    shrink = t2 / (s2 + size * t2)
    a = xtx - np.einsum("mc,mcp,mcq->mpq", shrink, sx, sx, optimize=True)
    b = xty - np.einsum("mc,mcp,mc->mp", shrink, sx, sy, optimize=True)
    precision = a + prior * s2[:, :, None] * np.eye(a.shape[1])
    state.beta_hat, factor = _solve(precision, b)
    state.beta = state.beta_hat + np.sqrt(s2) * _spread(factor, rng)
    state.u_hat = shrink * (sy - np.einsum("mcp,mp->mc", sx, state.beta_hat))
    mean = shrink * (sy - np.einsum("mcp,mp->mc", sx, state.beta))
    state.u = mean + np.sqrt(s2 * shrink) * rng.standard_normal(mean.shape)


def _draw_tau(state: Parameters, rng: np.random.Generator) -> None:
    """tau2 given u, and the mixing variable that makes tau half-Cauchy(1)."""
    chains, groups = state.u.shape
    scale = np.sum(state.u**2, axis=1) / 2 + 1 / state.a
    state.tau2 = scale / rng.standard_gamma((groups + 1) / 2, chains)
    state.a = (1 + 1 / state.tau2) / rng.standard_gamma(1.0, chains)


def _solve(precision: Floats, right: Floats) -> tuple[Floats, Floats]:
    """(precision^-1 right, lower Cholesky factor), with a ridge too small to matter."""
    scale = np.einsum("mpp->m", precision) / precision.shape[1]
    factor = np.linalg.cholesky(precision + RIDGE * scale[:, None, None] * np.eye(precision.shape[1]))
    half = np.linalg.solve(factor, right[:, :, None])
    return np.linalg.solve(np.swapaxes(factor, 1, 2), half)[:, :, 0], factor


def _spread(factor: Floats, rng: np.random.Generator) -> Floats:
    """Draws from N(0, precision^-1), (M, p)."""
    noise = rng.standard_normal(factor.shape[:2])
    return np.asarray(np.linalg.solve(np.swapaxes(factor, 1, 2), noise[:, :, None])[:, :, 0])


def _group_sums(x: Floats, groups: Groups) -> Floats:
    """(M, C, p) sums of the rows of x in each group."""
    chains, n, p = x.shape
    flat = np.moveaxis(x, 1, 0).reshape(n, chains * p)
    return np.ascontiguousarray(np.moveaxis((groups.sums @ flat).reshape(groups.count, chains, p), 0, 1))


def _sum_rows(y: Floats, groups: Groups) -> Floats:
    """(M, C) sums of y in each group."""
    return np.ascontiguousarray((groups.sums @ y.T).T)
