"""Progression from an internal pilot: red, amber or green, from counts and never from typed percentages.

A criterion compares a proportion (or a rate over time) with two limits: green at or beyond the one, red
at or beyond the other, amber between. A pilot is small, so beside the colour stand an exact interval,
the exact one-sided test that the truth is no better than the red limit, and the chance of each colour
under any truth, which tells before the pilot whether its limits can be told apart by so few.

All criteria green: go on. Any red: do not go on as designed. Otherwise: go on with changes.

Reference: Avery et al. (2017), BMJ Open 7, e013537 (traffic lights); Lewis et al. (2021), Pilot and
Feasibility Studies 7, 40 (testing against the red limit; sample size); Clopper & Pearson (1934),
Biometrika 26, 404-413; Garwood (1936), Biometrika 28, 437-442.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom, chi2, norm, poisson

from experiments.monitoring.declared import Criterion, MonitoringRefused

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Colour = Literal["red", "amber", "green"]
Advice = Literal["go on", "go on with changes", "do not go on as designed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One criterion judged: the count behind it, its value, an exact interval, and its colour.

    `p_value` is of the exact one-sided test that the truth is at the red limit (or worse).
    """

    criterion: Criterion
    count: int
    out_of: float
    value: float
    low: float
    high: float
    p_value: float
    colour: Colour

    @property
    def better_than_red(self) -> bool:
        """Whether the pilot shows, at the declared error, that the truth is better than the red limit."""
        return self.p_value <= self.criterion.alpha


def judge(criterion: Criterion, count: int, out_of: float, *, level: float) -> Judged:
    """`count` people or events out of `out_of` people or units of time, with an interval at `level`."""
    _check(criterion, count, out_of)
    tail = (1 - level) / 2
    value = count / out_of
    if criterion.kind == "proportion":
        low = float(beta.ppf(tail, count, out_of - count + 1)) if count else 0.0
        high = float(beta.ppf(1 - tail, count + 1, out_of - count)) if count < out_of else 1.0
    else:
        low = float(chi2.ppf(tail, 2 * count)) / 2 / out_of if count else 0.0
        high = float(chi2.ppf(1 - tail, 2 * count + 2)) / 2 / out_of
    return Judged(
        criterion=criterion,
        count=count,
        out_of=out_of,
        value=value,
        low=low,
        high=high,
        p_value=_p_value(criterion, count, out_of),
        colour=colour(criterion, value),
    )


def colour(criterion: Criterion, value: float) -> Colour:
    """The colour of a value; a limit belongs to its own colour."""
    sign = 1 if criterion.better == "higher" else -1
    # Counts over counts: 14/20 must be green at a limit written 0.7, whatever its last binary digit.
    close = 1e-12 * max(1.0, abs(value))
    if sign * (value - criterion.green) >= -close:
        return "green"
    return "red" if sign * (value - criterion.red) <= close else "amber"


def advise(colours: Mapping[str, Colour]) -> Advice:
    """What all criteria together say."""
    if not colours:
        raise MonitoringRefused(
            where="pilot",
            found="no criteria judged",
            expected="at least one",
            remedy="Give the pilot's counts.",
        )
    if "red" in colours.values():
        return "do not go on as designed"
    return "go on" if set(colours.values()) == {"green"} else "go on with changes"


def chances(criterion: Criterion, truth: float, out_of: float) -> dict[Colour, float]:
    """The chance of each colour if the truth is `truth`, for a pilot of this size."""
    counts, chance = _law(criterion, truth, out_of)
    found = np.array([colour(criterion, count / out_of) for count in counts])
    colours: tuple[Colour, ...] = ("red", "amber", "green")
    return {name: float(chance[found == name].sum()) for name in colours}


def people_needed(criterion: Criterion, power: float) -> int:
    """The smallest pilot from which on the exact test against red has this power if the truth is green."""
    if criterion.kind != "proportion":
        raise MonitoringRefused(
            where="kind",
            found=criterion.kind,
            expected="a proportion",
            remedy="For a rate, read the chances of each colour over the planned time.",
        )
    limits = np.array([criterion.red, criterion.green])
    spread = np.sqrt(limits * (1 - limits))
    quantile = norm.isf([criterion.alpha, 1 - power])
    normal = float((quantile @ spread / (limits[1] - limits[0])) ** 2)
    most = int(4 * normal) + 100
    if most > 20_000:
        raise MonitoringRefused(
            where="pilot",
            found=f"about {normal:.0f} people needed",
            expected="limits that a pilot can tell apart",
            remedy="Move green and red apart, or accept less power.",
        )
    # The exact power is a saw: the last size at which it falls short is one below the answer.
    for people in range(most, 0, -1):
        counts = np.arange(people + 1)
        rejects = _tail(criterion, counts, people) <= criterion.alpha
        if float(binom.pmf(counts, people, criterion.green)[rejects].sum()) < power:
            return people + 1
    return 1


def _p_value(criterion: Criterion, count: int, out_of: float) -> float:
    if criterion.kind == "proportion":
        return float(_tail(criterion, np.array([count]), int(out_of))[0])
    mean = criterion.red * out_of
    return float(poisson.sf(count - 1, mean) if criterion.better == "higher" else poisson.cdf(count, mean))


def _tail(criterion: Criterion, counts: Ints, people: int) -> Floats:
    """The chance of a count at least this good if the truth is at the red limit."""
    if criterion.better == "higher":
        return np.asarray(binom.sf(counts - 1, people, criterion.red))
    return np.asarray(binom.cdf(counts, people, criterion.red))


def _law(criterion: Criterion, truth: float, out_of: float) -> tuple[Ints, Floats]:
    if criterion.kind == "proportion":
        counts = np.arange(int(out_of) + 1)
        return counts, np.asarray(binom.pmf(counts, int(out_of), truth))
    counts = np.arange(int(poisson.isf(1e-12, truth * out_of)) + 2)
    return counts, np.asarray(poisson.pmf(counts, truth * out_of))


def _check(criterion: Criterion, count: int, out_of: float) -> None:
    whole = criterion.kind == "rate" or float(out_of).is_integer()
    inside = criterion.kind == "rate" or count <= out_of
    if not (count >= 0 and out_of > 0 and whole and inside):
        raise MonitoringRefused(
            where="pilot",
            found="a count below zero, above its total, or of nobody",
            expected="people out of people, or a count over a time above zero",
            remedy="Give the counts themselves, not a percentage.",
        )
