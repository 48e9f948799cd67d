"""Randomisation test: the observed statistic among those of the assignments that could have been.

`redraw_test` takes a sample, draws its design again, and returns the estimate, the p-value of no
effect and the interval found by inverting the test. The hypothesis behind each end of the interval
is one constant effect: a shift of every unit for differences, a factor for ratios.

References: Fisher (1935), The Design of Experiments; Imbens & Rubin (2015), Causal Inference,
chapter 5; Wu & Ding (2021), JASA 116(536), 1898-1913.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.inference.drawn_units import DrawnUnits, drawn_units
from evaluation.inference.inversion import Tail, invert, p_value, statistics
from evaluation.inference.redraws import redraw
from evaluation.inference.statistics import (
    Coefficients,
    Variance,
    join,
    scaled,
    shifted,
    statistic_of,
    variance_for,
    without_place_means,
)
from evaluation.inference.trial_structure import positive_weights
from evaluation.sample import Floats, Sample

Statistic = Literal["difference", "studentised"]

_FARTHEST = 60.0
"""Log ratios beyond this are as good as infinite; it keeps their exponentials finite."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomisationResult:
    """What a test found.

    `value` and `low`, `high` are on the scale asked (ratios are ratios; infinite where no effect of
    that sign can be rejected; NaN where `learned`, since an allocation that learned from outcomes can
    be drawn again under no effect alone); `standard_error` is of the log for ratios. `redrawn` (B,) are the
    statistics under no effect, and `undefined` counts the re-draws left out because an arm of a
    stratum had too few measured outcomes for the statistic.
    """

    value: float
    standard_error: float | None
    p: float
    low: float
    high: float
    observed: float
    redrawn: Floats
    exact: bool
    conditional: bool
    learned: bool
    undefined: int
    variance: Variance | None
    units: DrawnUnits


def redraw_test(
    sample: Sample,
    *,
    statistic: Statistic,
    redraws: int,
    level: float,
    rng: np.random.Generator,
    ratio: bool = False,
    rate: bool = False,
    tail: Tail = "two_sided",
) -> RandomisationResult:
    """Test that treatment did nothing, and invert the test over constant effects.

    `rate` divides outcomes by exposure; `ratio` asks for the arm's mean or rate over the
    reference's. The interval is two-sided whatever the `tail` of the p-value.
    """
    sample, _ = positive_weights(sample)
    units = drawn_units(sample, rate=rate)
    a, b = scaled(units) if ratio else shifted(units)
    if units.cluster is not None and sample.design is not None and sample.design.scheme == "crossover":
        a, b = without_place_means(a, units), without_place_means(b, units)
    variance = variance_for(units) if statistic == "studentised" else None
    of = statistic_of(units, a, b, variance)
    source = redraw(sample, units, redraws, rng)
    observed = of(source.observed.assigned, source.observed.weight)
    null = 1.0 if ratio else 0.0
    _check_spread(sample, observed, variance, null)
    centre = _estimate(observed, ratio=ratio)
    error = None if source.learned else _error(units, a, b, centre, ratio=ratio)

    drawn = join([of(chunk.assigned, chunk.weight) for chunk in source.chunks])
    defined = drawn.defined
    if not defined.any():
        raise EstimatorRefused(
            where="design.draw_many",
            found="no re-draw with both arms in every stratum",
            expected="re-draws that leave measured outcomes in both arms",
            remedy="Join small blocks in the design, or name an estimator that pools over them.",
        )
    kept = drawn.keep(defined)
    chance = None if source.probability is None else source.probability[defined]
    if variance is None:
        # A constant variance leaves the order alone and sets the size below which differences are ties.
        spread = float(kept.d0.var()) or 1.0
        kept, observed = _constant(kept, spread), _constant(observed, spread)

    def p_at(position: float, tail: Tail = "two_sided") -> float:
        theta = float(np.exp(-np.clip(position, -_FARTHEST, _FARTHEST))) if ratio else position
        return p_value(kept, observed, theta, exact=source.exact, tail=tail, probability=chance)

    low = high = float("nan")
    if not source.learned:
        step = error if error else float(np.sqrt(observed.variance(null)[0]))
        low, high = _interval(p_at, centre, step, 1.0 - level)
    values = statistics if variance else _plain
    return RandomisationResult(
        value=_shown(centre, ratio),
        standard_error=error,
        p=p_at(0.0, tail),
        low=_shown(low, ratio),
        high=_shown(high, ratio),
        observed=float(values(observed, null)[0]),
        redrawn=values(kept, null),
        exact=source.exact,
        conditional=source.conditional,
        learned=source.learned,
        undefined=int((~defined).sum()),
        variance=variance,
        units=units,
    )


def _shown(position: float, ratio: bool) -> float:
    return float(np.exp(position)) if ratio else position


def _interval(p: Callable[[float], float], centre: float, step: float, alpha: float) -> tuple[float, float]:
    """The inverted test, holding no effect whenever the test does not reject it.

    Ties make p spike at no effect where outcomes are whole numbers; an end within rounding of it is it.
    """
    low, high = invert(p, centre, step, alpha)
    if p(0.0) > alpha:
        low, high = min(low, 0.0), max(high, 0.0)
    ends = [0.0 if abs(end) < 1e-6 * step else end for end in (low, high)]
    return ends[0], ends[1]


def _plain(coefficients: Coefficients, theta: float) -> Floats:
    return coefficients.difference(theta)


def _constant(c: Coefficients, value: float) -> Coefficients:
    flat = np.zeros_like(c.v0)
    return Coefficients(d0=c.d0, d1=c.d1, v0=flat + value, v1=flat, v2=flat)


def _estimate(observed: Coefficients, *, ratio: bool) -> float:
    """The difference, or the log ratio: D vanishes at tau = -d0 / d1, or at 1 / r = -d0 / d1."""
    d0, d1 = float(observed.d0[0]), float(observed.d1[0])
    if d1 == 0 or (ratio and not -d0 / d1 > 0):
        raise EstimatorRefused(
            where="outcome",
            found="no events in one of the arms" if ratio else "arms that hold no comparison",
            expected="events in both arms for a ratio" if ratio else "a comparison inside some stratum",
            remedy="Ask for the difference in rates or risks instead; its interval is defined."
            if ratio
            else "Check periods, blocks and arms.",
        )
    theta = -d0 / d1
    return float(-np.log(theta)) if ratio else theta


def _error(units: DrawnUnits, a: Floats, b: Floats, centre: float, *, ratio: bool) -> float | None:
    """sqrt(V) at the estimate over |dD / dtau|, or over |dD / dlog theta| for the log ratio."""
    try:
        variance = variance_for(units)
    except EstimatorRefused:
        return None
    theta = float(np.exp(-centre)) if ratio else centre
    seen = statistic_of(units, a, b, variance)(units.treated[None, :])
    return float(np.sqrt(seen.variance(theta)[0]) / abs(seen.d1[0] * (theta if ratio else 1.0)))


def _check_spread(sample: Sample, observed: Coefficients, variance: Variance | None, null: float) -> None:
    seen = sample.outcome[sample.observed]
    flat = seen.min() == seen.max() and sample.exposure is None
    if flat or (variance is not None and observed.variance(null)[0] <= 0):
        raise EstimatorRefused(
            where="outcome",
            found="no variation inside the arms",
            expected="outcomes that vary, so that a statistic has a spread",
            remedy="Use `statistic: difference`, or report the counts and make no test."
            if not flat
            else "Report the counts; there is nothing to test.",
        )
