"""A group-sequential plan held against the looks that were taken: bounds, and what to do.

Looks may come at other fractions of information than planned: the error spent by each is a function
of the fraction alone. The final analysis spends what is left, whether it comes early (recruitment
ended) or late.

The joint distribution of the statistics follows the `measure` of information: Cov(Z_j, Z_k) =
sqrt(n_j / n_k), which holds for people or events of one comparison with a constant share of arms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from experiments.monitoring.boundaries import (
    FARTHEST,
    classical,
    futility_bounds,
    spending_bounds,
    upper_bound,
)
from experiments.monitoring.crossing import Crossing, GoingOn, Vector, crossing, go_on
from experiments.monitoring.declared import MonitoringRefused, Sequential, check_shape
from experiments.monitoring.spending import spent

Floats = NDArray[np.float64]
Action = Literal["go on", "stop for benefit", "stop for harm", "stop for futility", "end without benefit"]
CLASSICAL = {"obrien_fleming": 0.0, "pocock": 0.5}
"""Wang and Tsiatis' delta of the classical families."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounds:
    """Bounds at each look on the scale of Z, all (looks,); `lower` is minus infinity where there is none.

    An upper bound of 30 means that no error may be spent yet. `spent` is the error spent by each look,
    both sides together; `binding` says whether the lower bound is part of the test (harm, or a binding
    futility bound).
    """

    fractions: Floats
    lower: Floats
    upper: Floats
    spent: Floats
    binding: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the plan says at one look."""

    fraction: float
    lower: float | None
    upper: float
    statistic: float
    nominal_p: float
    spent: float
    action: Action


def bounds(plan: Sequential, information: Vector, *, final: bool) -> Bounds:
    """The bounds at looks with this much information, in the unit of the plan's measure.

    `final` says that the last of them is the last analysis of the trial.
    """
    fractions = check_information(plan.maximum, information, final=final)
    share = plan.alpha / plan.sides
    cumulative = _spent(plan, share, fractions)
    floor: Floats | None = None
    if plan.futility is not None:
        floor = _futility(plan, fractions)
    binding = floor is not None and plan.futility is not None and plan.futility.binding
    used = np.asarray(information, dtype=np.float64) / plan.maximum
    upper = spending_bounds(used, cumulative, plan.sides, floor if binding else None)
    lower = -upper if plan.sides == 2 else np.full(len(upper), -np.inf) if floor is None else floor
    if plan.sides == 1 and floor is not None:
        lower = np.minimum(lower, upper)
    return Bounds(
        fractions=fractions,
        lower=lower,
        upper=upper,
        spent=cumulative * plan.sides,
        binding=binding or plan.sides == 2,
    )


def decide(plan: Sequential, information: Vector, statistics: Vector, *, final: bool) -> Decision:
    """The decision at the last of these looks; a look after one that stopped the trial is refused."""
    found = bounds(plan, information, final=final)
    actions = [
        _action(found, look, value, plan, last=final and look == len(information) - 1)
        for look, value in enumerate(statistics)
    ]
    stopped = [
        look
        for look, action in enumerate(actions[:-1])
        if action in ("stop for benefit", "stop for harm")
        or (action == "stop for futility" and found.binding)
    ]
    if stopped:
        raise MonitoringRefused(
            where=f"look {stopped[0] + 2}",
            found=f"a look after look {stopped[0] + 1}, which said: {actions[stopped[0]]}",
            expected="no further look once a bound was crossed",
            remedy="Report the trial as stopped then; what came in later is over-running and is shown beside it.",
        )
    last = len(actions) - 1
    value = float(statistics[last])
    low = float(found.lower[last])
    return Decision(
        fraction=float(found.fractions[last]),
        lower=None if low <= -FARTHEST else low,
        upper=float(found.upper[last]),
        statistic=value,
        nominal_p=float(ndtr(-value)) if plan.sides == 1 else 2 * float(ndtr(-abs(value))),
        spent=float(found.spent[last]),
        action=actions[last],
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operating:
    """What a plan promises under one effect, at the planned looks.

    `drift` is the effect times the square root of the final information: what Z has as mean at the end.
    """

    drift: float
    crossing: Crossing
    power: float
    expected_fraction: float


def operating(plan: Sequential, drift: float) -> Operating:
    """Stopping chances, power and expected information of the plan as declared."""
    return _operating(_planned(plan), drift)


def drift_for(plan: Sequential, power: float) -> float:
    """The drift at which the plan has this power of stopping, or ending, for benefit."""
    planned = _planned(plan)
    return float(brentq(lambda drift: _operating(planned, drift).power - power, 0.0, 15.0, xtol=1e-9))


def inflation(plan: Sequential, power: float) -> float:
    """How much more information, at the most, than a trial with one analysis and the same error and power."""
    fixed = float(-ndtri(plan.alpha / plan.sides) + ndtri(power))
    return (drift_for(plan, power) / fixed) ** 2


def check_information(maximum: float, information: Vector, *, final: bool) -> Floats:
    """(looks,) fractions of the planned information, none above 1, the last 1 where it is final."""
    amounts = np.asarray(information, dtype=np.float64)
    if not len(amounts) or not np.isfinite(amounts).all() or amounts[0] <= 0 or (np.diff(amounts) <= 0).any():
        raise MonitoringRefused(
            where="information",
            found="looks whose information does not rise from above zero",
            expected="more information at every look",
            remedy="Check the counts at each look; each includes those before it.",
        )
    if (amounts[:-1] >= maximum).any() or (amounts[-1] >= maximum and not final):
        raise MonitoringRefused(
            where="information",
            found=f"a look at the planned maximum of {maximum:g} or beyond that is not the final analysis",
            expected="the final analysis there",
            remedy="Say that it is final; a trial that goes on beyond its plan needs an amendment.",
        )
    fractions = amounts / maximum
    if final:
        fractions[-1] = 1.0
    return np.asarray(fractions)


def _operating(planned: Bounds, drift: float) -> Operating:
    chance = crossing(planned.fractions, planned.lower, planned.upper, drift)
    early = (chance.upper + chance.lower)[:-1]
    return Operating(
        drift=drift,
        crossing=chance,
        power=float(chance.upper.sum()),
        expected_fraction=float(early @ planned.fractions[:-1] + (1 - early.sum())),
    )


def _planned(plan: Sequential) -> Bounds:
    return bounds(plan, [float(look) * plan.maximum for look in plan.looks], final=True)


def _spent(plan: Sequential, share: float, fractions: Floats) -> Floats:
    """Error of one side spent by each fraction: by its function, or as the classical bounds spend it."""
    if plan.rule == "obrien_fleming" or plan.rule == "pocock" or plan.rule == "wang_tsiatis":
        delta = CLASSICAL.get(plan.rule, check_shape(plan.rule, plan.shape))
        planned = [float(look) for look in plan.looks]
        bound = classical(planned, plan.alpha, plan.sides, delta)
        low = -bound if plan.sides == 2 else np.full(len(bound), -np.inf)
        by_look = np.cumsum(crossing(planned, list(low), list(bound), 0.0).upper)
        by_look[-1] = share
        return np.asarray(np.interp(fractions, [0.0, *planned], [0.0, *by_look]), dtype=np.float64)
    return spent(plan.rule, share, plan.shape, list(fractions))


def _futility(plan: Sequential, fractions: Floats) -> Floats:
    """Lower bounds that spend beta under the effect for which the plan as declared has power 1 - beta."""
    assert plan.futility is not None
    rule = plan.futility
    planned = np.array([float(look) for look in plan.looks])
    alpha = _spent(plan, plan.alpha, planned)
    by_plan = spent(rule.rule, rule.beta, rule.shape, list(planned))

    def floor(at: Floats, upper: Floats | None, error: Floats, alpha_spent: Floats, drift: float) -> Floats:
        if upper is not None:
            return futility_bounds(list(at), list(upper), list(error), drift)
        return _both(at, alpha_spent, error, drift)

    def shortfall(drift: float) -> float:
        upper = None if rule.binding else spending_bounds(planned, alpha, 1)
        low = floor(planned, upper, by_plan, alpha, drift)
        high = upper if upper is not None else spending_bounds(planned, alpha, 1, low)
        return float(crossing(planned, low, high, drift).upper.sum()) - (1 - rule.beta)

    drift = float(brentq(shortfall, 0.5, 12.0, xtol=1e-10))
    error = spent(rule.rule, rule.beta, rule.shape, list(fractions))
    alpha_now = _spent(plan, plan.alpha, fractions)
    upper = None if rule.binding else spending_bounds(fractions, alpha_now, 1)
    return floor(fractions, upper, error, alpha_now, drift)


def _both(fractions: Floats, alpha: Floats, beta: Floats, drift: float) -> Floats:
    """Lower bounds where upper and lower are solved together, each seeing the other (binding)."""
    null: GoingOn | None = None
    other: GoingOn | None = None
    out: list[float] = []
    steps = zip(fractions, np.diff(alpha, prepend=0.0), np.diff(beta, prepend=0.0), strict=True)
    for now, up, down in steps:
        high = upper_bound(null, now, float(up), 0.0)
        mirrored = (
            None if other is None else GoingOn(z=-other.z, mass=other.mass, information=other.information)
        )
        low = min(-upper_bound(mirrored, now, float(down), -drift), high)
        null, other = go_on(null, now, low, high, 0.0), go_on(other, now, low, high, drift)
        out.append(low)
    return np.array(out)


def _action(found: Bounds, look: int, value: float, plan: Sequential, *, last: bool) -> Action:
    if value >= found.upper[look]:
        return "stop for benefit"
    if plan.sides == 2 and value <= found.lower[look]:
        return "stop for harm"
    if last:
        return "end without benefit"
    if plan.sides == 1 and value <= found.lower[look]:
        return "stop for futility"
    return "go on"
