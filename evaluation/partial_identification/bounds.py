"""Bounds as an Estimate, with a confidence interval for the effect that lies somewhere between them.

With lower and upper bounds L and U and standard errors s_L and s_U, the interval is

    [L - c s_L, U + c s_U],     Phi(c + (U - L) / max(s_L, s_U)) - Phi(-c) = level

which covers the effect itself, wherever it lies in [L, U], with at least the level's probability in
large samples; c falls from the two-sided to the one-sided normal value as the bounds part.

Reference: Imbens & Manski (2004), Confidence intervals for partially identified parameters,
Econometrica 72, 1845-1857, equations 6 and 7; Stoye (2009), Econometrica 77, 1299-1315, on its validity
for ordered bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from evaluation.estimate import Estimate, Interval
from evaluation.sample import Sample
from experiments.outcome import RATIO_SCALES


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Lower and upper bound on the line (logs of ratios), each with its standard error."""

    low: float
    high: float
    low_error: float
    high_error: float

    def interval(self, level: float) -> tuple[float, float]:
        """Imbens and Manski's interval for the effect."""
        c = critical_value(self.high - self.low, max(self.low_error, self.high_error), level)
        return self.low - c * self.low_error, self.high + c * self.high_error


def critical_value(width: float, error: float, level: float) -> float:
    """c of the formula above; `width` is U - L, `error` the larger standard error."""
    if error == 0:
        return 0.0
    gap = max(width, 0.0) / error
    two_sided = float(norm.ppf(0.5 + level / 2))
    return float(brentq(lambda c: norm.cdf(c + gap) - norm.cdf(-c) - level, 0.0, two_sided + 1e-9))


def bounds_estimate(
    bounds: Bounds,
    sample: Sample,
    *,
    scale: str,
    level: float,
    estimator: str,
    units_used: int,
    handling: Mapping[str, Any],
) -> Estimate:
    """`value` is the middle of the bounds, which themselves stand in `extra["bounds"]`.

    There is no standard error and no p-value: the data give an interval of effects, not an effect.
    """
    ends = (bounds.low, bounds.high, *bounds.interval(level), (bounds.low + bounds.high) / 2)
    low, high, outer_low, outer_high, middle = (
        (float(np.exp(e)) for e in ends) if scale in RATIO_SCALES else map(float, ends)
    )
    return Estimate(
        estimand="",
        estimator=estimator,
        scale=scale,
        value=middle,
        standard_error=None,
        interval=Interval(low=outer_low, high=outer_high, level=level, kind="confidence"),
        p_value=None,
        unit=sample.unit,
        units_used=units_used,
        clusters_used=sample.clusters,
        extra={
            "bounds": {
                "low": low,
                "high": high,
                "low_standard_error": bounds.low_error,
                "high_standard_error": bounds.high_error,
            },
            "value_is": "the middle of the bounds",
            "interval_is": "Imbens and Manski's interval for the effect between the bounds",
            "handling": dict(handling),
        },
    )
