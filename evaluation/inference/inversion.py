"""p-values of a re-draw distribution at any hypothesised effect, and the interval they imply.

At a hypothesis theta, with T_i the statistic of assignment i and T_obs the observed one,

    p(theta) = #{i: |T_i| >= |T_obs|} / B               when the B assignments are all there are
    p(theta) = (1 + #{i: |T_i| >= |T_obs|}) / (1 + B)   when they were drawn

and the interval at level 1 - alpha is the smallest one that holds every theta with p(theta) > alpha.
p jumps, and need not fall on each side of the estimate; the ends are found by walking outwards on a
grid of standard errors and then halving between the last theta kept and the next one rejected.

References: Rosenbaum (2002), Observational Studies, 2.6; Phipson & Smyth (2010), Statistical
Applications in Genetics and Molecular Biology 9(1), on the one added to a drawn p-value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from evaluation.inference.statistics import Coefficients
from evaluation.sample import Floats

Tail = Literal["two_sided", "upper", "lower"]
Convention = Literal["inclusive", "strict"]
"""`inclusive` is the p(theta) above; `strict` is #{i: |T_i| > |T_obs|} / B, as in Stata's boottest."""

# Equal statistics reached by sums in another order differ in their last digits: closer than this is a tie.
_RELATIVE, _ABSOLUTE = 1e-9, 1e-10
_GRID = np.concatenate([np.arange(0.25, 8.01, 0.25), np.geomspace(10.0, 1e4, 13)])


def p_value(
    redrawn: Coefficients,
    observed: Coefficients,
    theta: float,
    *,
    exact: bool,
    tail: Tail = "two_sided",
    convention: Convention = "inclusive",
    probability: Floats | None = None,
) -> float:
    """p at `theta`; `observed` is the statistic of the one assignment that happened.

    `probability` (B,) are the chances of listed assignments that are not equally likely: p is then
    the chance of those at least as extreme.
    """
    difference, reach = redrawn.difference(theta), np.sqrt(redrawn.variance(theta))
    seen = float(observed.difference(theta)[0])
    scale = float(np.sqrt(observed.variance(theta)[0]))
    if tail == "two_sided":
        left, right = np.abs(difference) * scale, abs(seen) * reach
    elif tail == "upper":
        left, right = difference * scale, seen * reach
    else:
        left, right = -difference * scale, -seen * reach
    tie = _RELATIVE * np.abs(right) + _ABSOLUTE * scale * reach
    if convention == "strict":
        return int(np.count_nonzero(left > right + tie)) / len(left)
    reached = left >= right - tie
    if probability is not None:
        return float(probability[reached].sum() / probability.sum())
    extreme = int(np.count_nonzero(reached))
    return extreme / len(left) if exact else (1 + extreme) / (1 + len(left))


def statistics(redrawn: Coefficients, theta: float) -> Floats:
    """(B,) D / sqrt(V) at theta; zero over zero is zero."""
    difference, reach = redrawn.difference(theta), np.sqrt(redrawn.variance(theta))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / reach)


def invert(p: Callable[[float], float], centre: float, step: float, alpha: float) -> tuple[float, float]:
    """(low, high) of the hull of {x: p(x) > alpha}; infinite on a side that p never rejects.

    `centre` is the estimate, where p is one, and `step` its standard error.
    """
    ends = []
    for sign in (-1.0, 1.0):
        kept = np.array([p(centre + sign * g * step) > alpha for g in _GRID])
        if kept[-1]:
            ends.append(sign * np.inf)
            continue
        last = int(np.flatnonzero(kept)[-1]) if kept.any() else -1
        inner, outer = (_GRID[last] if last >= 0 else 0.0), _GRID[last + 1]
        while outer - inner > 1e-10 * max(outer, 1.0):
            middle = 0.5 * (inner + outer)
            inner, outer = (middle, outer) if p(centre + sign * middle * step) > alpha else (inner, middle)
        ends.append(centre + sign * inner * step)
    return float(ends[0]), float(ends[1])
