"""Estimates, intervals and p-values after a group-sequential trial, by the stage-wise ordering.

A trial that stops because its estimate was extreme overstates the effect, and its ordinary interval does
not cover as it says. Order the results (look k, statistic z) stage by stage: a result ranks higher the
earlier the upper bound was crossed, and at the same look the larger its z. With z observed at look k,

    P_theta(result at least as high) = sum over j < k of P_theta(cross the upper bound at j)
                                       + P_theta(go on to look k, Z_k >= z),

which rises with theta. The median-unbiased estimate solves P_theta = 1/2, the interval's ends P_theta =
(1 - level) / 2 and (1 + level) / 2, and P_0 is the one-sided p-value. No look later than k enters, so the
answer does not hang on looks that were never taken. Bounds are those of the test: non-binding
futility bounds are left out, which is cautious.

The bias-adjusted estimate solves E_theta(estimate) = estimate observed, over all looks, those to come as
planned among them.

Reference: Fairbanks & Madsen (1982), Biometrika 69, 69-74; Tsiatis, Rosner & Mehta (1984), Biometrics 40,
797-803; Whitehead (1986), Biometrika 73, 573-581; Jennison & Turnbull (2000), sections 8.2 to 8.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from experiments.monitoring.crossing import GoingOn, Vector, go_on, stages, tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """What to report after stopping, in the direction in which the statistic was signed."""

    median_unbiased: float
    low: float
    high: float
    level: float
    p_value: float


def adjusted(
    information: Vector, lower: Vector, upper: Vector, statistic: float, *, level: float, sides: int
) -> Adjusted:
    """From the looks taken, (k,) each, and the last look's statistic.

    `information` is 1 / standard error squared at each look; the last look's own bounds do not enter.
    """

    def solve(chance: float) -> float:
        return _root(
            lambda theta: at_least(information, lower, upper, statistic, theta) - chance,
            statistic / float(np.sqrt(information[-1])),
            float(information[-1]) ** -0.5,
        )

    one_sided = at_least(information, lower, upper, statistic, 0.0)
    return Adjusted(
        median_unbiased=solve(0.5),
        low=solve((1 - level) / 2),
        high=solve((1 + level) / 2),
        level=level,
        p_value=one_sided if sides == 1 else min(1.0, 2 * min(one_sided, 1 - one_sided)),
    )


def at_least(information: Vector, lower: Vector, upper: Vector, statistic: float, theta: float) -> float:
    """P_theta(a result that ranks at least as high as `statistic` at the last of these looks)."""
    state: GoingOn | None = None
    chance = 0.0
    for _, crossed, going_on in stages(information[:-1], lower[:-1], upper[:-1], theta):
        chance, state = chance + crossed, going_on
    return chance + tail(state, float(information[-1]), statistic, theta, above=True)


def bias_adjusted(information: Vector, lower: Vector, upper: Vector, estimate: float) -> float:
    """The effect at which the estimate has `estimate` as its mean; looks are all (K,), taken and to come."""
    return _root(
        lambda theta: mean_estimate(information, lower, upper, theta) - estimate,
        estimate,
        float(information[0]) ** -0.5,
    )


def mean_estimate(information: Vector, lower: Vector, upper: Vector, theta: float) -> float:
    """E_theta of the estimate Z / sqrt(I) at the look where the trial ends; the last look ends all."""
    state: GoingOn | None = None
    total = 0.0
    last = len(information) - 1
    for look, (now, low, high) in enumerate(zip(information, lower, upper, strict=True)):
        if look == last:
            total += _mean_beyond(state, now, -np.inf, theta, above=True) / float(np.sqrt(now))
            break
        beyond = _mean_beyond(state, now, high, theta, above=True)
        beyond += _mean_beyond(state, now, low, theta, above=False)
        total += beyond / float(np.sqrt(now))
        state = go_on(state, now, low, high, theta)
    return total


def _mean_beyond(state: GoingOn | None, now: float, bound: float, theta: float, *, above: bool) -> float:
    """E(Z; Z beyond `bound`) at information `now`, among those in `state`."""
    if state is None:
        mean, sd, mass = np.array([theta * np.sqrt(now)]), 1.0, np.ones(1)
    else:
        step = now - state.information
        mean = (state.z * np.sqrt(state.information) + theta * step) / np.sqrt(now)
        sd, mass = float(np.sqrt(step / now)), state.mass
    if np.isinf(bound):
        return float(mass @ mean) if (bound < 0) == above else 0.0
    far = (bound - mean) / sd
    density = np.exp(-0.5 * far**2) / np.sqrt(2 * np.pi)
    return float(mass @ (mean * ndtr(-far) + sd * density if above else mean * ndtr(far) - sd * density))


def _root(rising: Callable[[float], float], start: float, step: float) -> float:
    low, high = start - step, start + step
    while rising(low) > 0:
        low -= step
        step *= 1.5
    while rising(high) < 0:
        high += step
        step *= 1.5
    return float(brentq(rising, low, high, xtol=1e-10, rtol=1e-12))
