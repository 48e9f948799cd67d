"""The probability that each arm is the best, from Beta posteriors of its success probability.

On the logit scale the posterior of arm k has the density proportional to x^a (1 - x)^b at
z = log(x / (1 - x)), smooth and with exponential tails, so that

    P(k is best) = integral f_k(z) prod_{j != k} F_j(z) dz

is computed by the trapezium rule on a grid that covers every arm's mean +- 12 standard deviations with
at least four points to the narrowest, F by the same rule with its Euler-Maclaurin corrections:
deterministic, so that the allocation probabilities of a
response-adaptive trial can be recomputed exactly by anybody.

Reference: Thompson (1933), Biometrika 25, 285-294; Russo (2020), Operations Research 68, 1625-1647
(top-two sampling).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

Floats = NDArray[np.float64]

REACH = 12.0
PER_DEVIATION = 4
FEWEST, MOST = 257, 40_001
CELLS, SIDE_BY_SIDE = 1_000_000, 256


def best_arm(successes: Floats, failures: Floats) -> Floats:
    """(n, arms) probabilities of being best, from Beta parameters (n, arms), each above zero."""
    states, back = np.unique(np.concatenate([successes, failures], axis=1), axis=0, return_inverse=True)
    arms = successes.shape[1]
    a, b = states[:, :arms], states[:, arms:]
    centre = digamma(a) - digamma(b)
    spread = np.sqrt(polygamma(1, a) + polygamma(1, b))
    low = (centre - REACH * spread).min(axis=1)
    high = (centre + REACH * spread).max(axis=1)
    needed = np.clip(PER_DEVIATION * (high - low) / spread.min(axis=1), FEWEST, MOST).astype(np.int64)
    out = np.empty_like(a)
    order = np.argsort(needed, kind="stable")
    first = 0
    while first < len(order):
        rows = max(1, min(SIDE_BY_SIDE, CELLS // int(needed[order[first]] * arms)))
        part = order[first : first + rows]
        out[part] = _integrate(a[part], b[part], low[part], high[part], int(needed[part].max()))
        first += rows
    return np.asarray(out[back.ravel()])


def top_two(best: Floats, leader: float) -> Floats:
    """(n, arms) top-two Thompson probabilities: the leader with chance `leader`, else the next best.

    p_k = best_k (leader + (1 - leader) sum_{j != k} best_j / (1 - best_j)).
    """
    odds = best / np.maximum(1.0 - best, 1e-12)
    found = best * (leader + (1.0 - leader) * (odds.sum(axis=1, keepdims=True) - odds))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _integrate(a: Floats, b: Floats, low: Floats, high: Floats, points: int) -> Floats:
    z = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, points)
    log_x, log_rest = -np.logaddexp(0.0, -z), -np.logaddexp(0.0, z)
    log_density = a[:, :, None] * log_x[:, None, :] + b[:, :, None] * log_rest[:, None, :]
    density = np.exp(log_density - log_density.max(axis=2, keepdims=True))
    density /= density.sum(axis=2, keepdims=True)
    below = np.cumsum(density, axis=2) + density * _correction(a, b, np.exp(log_x), z[:, 1] - z[:, 0])
    arms = a.shape[1]
    best = np.stack(
        [(density[:, k] * np.delete(below, k, axis=1).prod(axis=1)).sum(axis=1) for k in range(arms)],
        axis=1,
    )
    return np.asarray(best / best.sum(axis=1, keepdims=True))


def _correction(a: Floats, b: Floats, x: Floats, step: Floats) -> Floats:
    """(n, arms, points) what turns a running sum into an integral up to each point, per unit density.

    Euler and Maclaurin: -1/2 - h g / 12 + h^3 (g^3 + 3 g g' + g'') / 720, where g = a - (a + b) x is
    the derivative of the log density.
    """
    total = (a + b)[:, :, None]
    rate = x[:, None, :]
    g = a[:, :, None] - total * rate
    slope = -total * rate * (1 - rate)
    bend = slope * (1 - 2 * rate)
    h = step[:, None, None]
    return np.asarray(-0.5 - h * g / 12 + h**3 * (g**3 + 3 * g * slope + bend) / 720)
