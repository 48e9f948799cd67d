"""Boundaries of a group-sequential trial, on the scale of the standardised statistic Z.

Classical families are b_k = C t_k^(D - 1/2) with t_k = I_k / I_K and C such that the whole error is
alpha: D = 0 is O'Brien & Fleming, D = 1/2 is Pocock, between them Wang & Tsiatis. Spending rules solve,
look by look, for the b_k that spends what the function allows.

Where information slips from what was planned, a classical boundary is carried on as a spending
function too: the error that it spends at the planned looks, joined by straight lines. Without slips
this is the classical boundary itself.

With two sides, boundaries are symmetric and each side spends half of alpha by its own function, as in
ldbounds, gsDesign and rpact. A futility bound spends beta under the effect that the trial was planned for.
If it is non-binding, the efficacy bound ignores it, and going on after crossing it costs no error.

Reference: Pocock (1977), Biometrika 64, 191-199; O'Brien & Fleming (1979), Biometrics 35, 549-556; Wang &
Tsiatis (1987), Biometrics 43, 193-199; Lan & DeMets (1983), Biometrika 70, 659-663; Pampallona, Tsiatis &
Kim (2001), Drug Information Journal 35, 1113-1121 (beta spending).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri

from experiments.monitoring.crossing import GoingOn, Vector, crossing, go_on, tail

Floats = NDArray[np.float64]
Sides = Literal[1, 2]

FARTHEST = 30.0
"""A bound where no error may be spent yet: beyond any statistic that a trial could give."""


def classical(fractions: Vector, alpha: float, sides: Sides, delta: float) -> Floats:
    """(looks,) b_k = C t_k^(delta - 1/2), with a chance alpha of crossing (either side, with two)."""
    shape = np.asarray(fractions, dtype=np.float64) ** (delta - 0.5)

    def excess(constant: float) -> float:
        bound = constant * shape
        lower = -bound if sides == 2 else np.full(len(bound), -np.inf)
        chance = crossing(fractions, list(lower), list(bound), 0.0)
        return float(chance.upper.sum() + (chance.lower.sum() if sides == 2 else 0.0)) - alpha

    constant = brentq(excess, 0.1, 20.0, xtol=1e-10)
    return np.asarray(float(constant) * shape)


def spending_bounds(
    information: Vector,
    spent: Vector,
    sides: Sides,
    futility: Vector | None = None,
) -> Floats:
    """(looks,) upper bounds that have spent `spent` (cumulative, one side) by each look, under no effect.

    `futility` are binding lower bounds of a one-sided trial, which let less error pass.
    """
    state: GoingOn | None = None
    bounds: list[float] = []
    for look, (now, increment) in enumerate(zip(information, np.diff(spent, prepend=0.0), strict=True)):
        bound = upper_bound(state, now, float(increment), 0.0)
        low = -bound if sides == 2 else -np.inf if futility is None else futility[look]
        state = go_on(state, now, min(low, bound), bound, 0.0)
        bounds.append(bound)
    return np.array(bounds)


def futility_bounds(information: Vector, upper: Vector, spent: Vector, theta: float) -> Floats:
    """(looks,) lower bounds that have spent `spent` (cumulative, of beta) under effect `theta`, none above `upper`."""
    state: GoingOn | None = None
    bounds: list[float] = []
    for now, high, increment in zip(information, upper, np.diff(spent, prepend=0.0), strict=True):
        bound = min(-upper_bound(_mirror(state), now, float(increment), -theta), high)
        state = go_on(state, now, bound, high, theta)
        bounds.append(bound)
    return np.array(bounds)


def upper_bound(state: GoingOn | None, now: float, chance: float, theta: float) -> float:
    """The bound that trials in `state` cross at information `now` with `chance`, or everybody if they are too few."""
    if chance <= 1e-15:
        return FARTHEST
    if state is None:
        return float(-ndtri(chance)) + theta * float(np.sqrt(now))
    if state.mass.sum() <= chance:
        return -FARTHEST
    return float(
        brentq(
            lambda bound: tail(state, now, bound, theta, above=True) - chance, -FARTHEST, FARTHEST, xtol=1e-10
        )
    )


def _mirror(state: GoingOn | None) -> GoingOn | None:
    return None if state is None else GoingOn(z=-state.z, mass=state.mass, information=state.information)
