"""Who would take the treatment if assigned, if not, always, never; and what bounds follow.

With assignment Z, treatment taken D (0/1) and nobody who does the opposite of the assignment
(monotonicity), the shares of always-takers, never-takers and compliers are

    P(D = 1 | Z = 0),   P(D = 0 | Z = 1),   P(D = 1 | Z = 1) - P(D = 1 | Z = 0).

`complier_bounds` drops the exclusion restriction (assignment may itself do something): the treated cell
Z = 1, D = 1 mixes compliers with always-takers and the cell Z = 0, D = 0 mixes compliers with
never-takers, in known shares, so the compliers' means lie between the means of the lowest and the
highest such share of the cell (Zhang & Rubin 2003, JEBS 28, 353-368; Lee 2009 for trimming).

`everyone_bounds` keeps the exclusion restriction and drops monotonicity: the sharp bounds of Balke &
Pearl (1997, JASA 92, 1171-1176) on the effect of taking the treatment in everybody, for a binary outcome,
by linear programming over the 16 types of person. None where the data contradict the instrument.

Both are bounds of the sample's own frequencies: sampling error comes on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import linprog

from evaluation.inference.least_squares import Bools, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """Shares of the three kinds of people, under monotonicity; `compliers` may come out below zero."""

    always: float
    never: float
    compliers: float


def strata_shares(taken: Bools, assigned: Bools, weight: Floats | None = None) -> Strata:
    """Shares from who took the treatment in each arm; arrays are (n,)."""
    w = np.ones(len(taken)) if weight is None else weight
    if_assigned = float(np.average(taken[assigned], weights=w[assigned]))
    if_not = float(np.average(taken[~assigned], weights=w[~assigned]))
    return Strata(always=if_not, never=1 - if_assigned, compliers=if_assigned - if_not)


def complier_bounds(
    outcome: Floats, taken: Bools, assigned: Bools, weight: Floats | None = None
) -> tuple[float, float] | None:
    """Lowest and highest complier effect without the exclusion restriction; None without compliers."""
    w = np.ones(len(taken)) if weight is None else weight
    shares = strata_shares(taken, assigned, weight)
    if shares.compliers <= 0:
        return None
    with_it, without = assigned & taken, ~assigned & ~taken
    if not with_it.any() or not without.any():
        return None
    low1, high1 = tail_means(outcome[with_it], w[with_it], shares.compliers / (1 - shares.never))
    low0, high0 = tail_means(outcome[without], w[without], shares.compliers / (1 - shares.always))
    return low1 - high0, high1 - low0


def tail_means(values: Floats, weight: Floats, share: float) -> tuple[float, float]:
    """Means of the lowest and of the highest `share` (of weight) of the values."""
    order = np.argsort(values, kind="stable")
    v, w = values[order], weight[order] / weight.sum()
    share = min(share, 1.0)
    upto = np.minimum(np.cumsum(w), share)
    low = float(np.diff(upto, prepend=0.0) @ v) / share
    above = np.minimum(np.cumsum(w[::-1]), share)
    return low, float(np.diff(above, prepend=0.0) @ v[::-1]) / share


def everyone_bounds(
    outcome: Bools, taken: Bools, assigned: Bools, weight: Floats | None = None
) -> tuple[float, float] | None:
    """Sharp bounds on the average effect of the treatment in everybody, for a binary outcome."""
    w = np.ones(len(taken)) if weight is None else weight
    types = list(product((0, 1), repeat=4))  # D if not assigned, D if assigned, Y untreated, Y treated
    rows, seen = [], []
    for z, d, y in product((0, 1), repeat=3):
        cell = (taken == d) & (outcome == y) & (assigned == z)
        seen.append(float(w[cell].sum() / w[assigned == z].sum()))
        rows.append([float(t[z] == d and t[2 + d] == y) for t in types])
    effect = np.array([t[3] - t[2] for t in types], dtype=np.float64)
    ends = []
    for sign in (1.0, -1.0):
        found = linprog(
            sign * effect, A_eq=np.array(rows), b_eq=np.array(seen), bounds=(0, 1), method="highs"
        )
        if found.status != 0 or found.x is None:
            return None
        ends.append(float(found.x @ effect))
    return ends[0], ends[1]
