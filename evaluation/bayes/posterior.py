"""What a posterior says of one effect: where it lies, how likely it is to help, and how sure the draws are.

Nothing here samples or imports a sampler. Draws are (chains, draws) on the estimand's scale.

    value               posterior mean (for ratios, the exponential of the mean log ratio)
    standard_error      posterior standard deviation (of the log, for ratios)
    interval            equal-tailed: the (1 - level) / 2 and (1 + level) / 2 quantiles
    probability of benefit         Pr(effect on the better side of no effect | data)
    probability worthwhile         Pr(effect at least the smallest worthwhile effect | data)

Reference: Gelman, Carlin, Stern, Dunson, Vehtari & Rubin (2013), Bayesian Data Analysis, 3rd ed., ch. 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.stats import gaussian_kde

from evaluation.estimate import Estimate, EstimatorRefused, Interval
from evaluation.sample import Bools, Floats, Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES

QUANTILES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)
GRID = 201
"""Points at which the posterior's density is given for plotting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How long to sample: `draws` kept and `tune` discarded in each of `chains` chains."""

    draws: int
    tune: int
    chains: int

    def __post_init__(self) -> None:
        for name, least, why in (
            ("chains", 2, "R-hat compares chains"),
            ("draws", 100, "fewer cannot pass the convergence gate"),
            ("tune", 100, "the step size must settle"),
        ):
            if getattr(self, name) < least:
                raise EstimatorRefused(
                    where=name,
                    found=str(getattr(self, name)),
                    expected=f"at least {least}",
                    remedy=f"Ask for more: {why}. Four chains of 1,000 or more are usual.",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """The worst of the parameters: rank-normalised split R-hat, bulk and tail effective sample sizes."""

    r_hat: float
    ess_bulk: float
    ess_tail: float
    divergences: int
    monte_carlo_error: float
    """Standard error of the effect's posterior mean (of the log, for ratios) due to sampling."""

    def as_dict(self) -> dict[str, float | int]:
        """JSON-ready."""
        return {name: getattr(self, name) for name in self.__slots__}


def effect_estimate(
    draws: Floats,
    sample: Sample,
    estimand: Estimand,
    *,
    estimator: str,
    level: float,
    convergence: Convergence,
    extra: Mapping[str, Any],
) -> Estimate:
    """The Estimate of one effect from its draws, (chains, draws) on the estimand's scale."""
    flat = np.ascontiguousarray(draws.reshape(-1))
    value, spread, low, high = centre_and_interval(flat, estimand.scale, level)
    return Estimate(
        estimand="",
        estimator=estimator,
        scale=estimand.scale,
        value=value,
        standard_error=spread,
        interval=Interval(low=low, high=high, level=level, kind="credible"),
        p_value=None,
        unit=sample.unit,
        units_used=sample.people,
        clusters_used=sample.clusters,
        extra={
            "quantiles": quantiles(flat),
            **probabilities(flat, estimand.scale, sample.better, sample.smallest_worthwhile),
            "convergence": convergence.as_dict(),
            "density": density(flat, estimand.scale),
            **extra,
        },
        draws=flat,
    )


def centre_and_interval(
    draws: Floats, scale: str, level: float, weight: Floats | None = None
) -> tuple[float, float, float, float]:
    """(value, standard_error, low, high); ratio scales are centred and spread on the log."""
    ratio = scale in RATIO_SCALES
    line = np.log(draws) if ratio else draws
    w = np.full(len(line), 1 / len(line)) if weight is None else weight / weight.sum()
    mean = float(w @ line)
    spread = float(np.sqrt(w @ (line - mean) ** 2))
    low, high = weighted_quantile(draws, w, ((1 - level) / 2, (1 + level) / 2))
    return (float(np.exp(mean)) if ratio else mean), spread, low, high


def weighted_quantile(draws: Floats, weight: Floats, at: tuple[float, ...]) -> list[float]:
    """Quantiles of draws that carry weights summing to one; linear between midpoints of the steps."""
    order = np.argsort(draws, kind="stable")
    steps = np.cumsum(weight[order]) - weight[order] / 2
    return [float(q) for q in np.interp(at, steps, draws[order])]


def quantiles(draws: Floats) -> dict[str, float]:
    """The posterior's quantiles by their probability, the interval's among them at level 0.95."""
    even = np.full(len(draws), 1 / len(draws))
    return dict(zip((f"{q:g}" for q in QUANTILES), weighted_quantile(draws, even, QUANTILES), strict=True))


def probabilities(
    draws: Floats,
    scale: str,
    better: Literal["lower", "higher"] | None,
    smallest_worthwhile: float | None,
    weight: Floats | None = None,
) -> dict[str, float | None]:
    """Posterior probabilities of the effect's sign, of benefit, and of an effect worth having.

    `smallest_worthwhile` is signed as the effect is; which side of it counts is `better`'s side.
    """
    none = 1.0 if scale in RATIO_SCALES else 0.0

    def share(where: Bools) -> float:
        return float(np.mean(where) if weight is None else weight[where].sum() / weight.sum())

    below, above = share(draws < none), share(draws > none)
    benefit = None if better is None else below if better == "lower" else above
    worthwhile = None
    if smallest_worthwhile is not None and better is not None:
        beyond = draws <= smallest_worthwhile if better == "lower" else draws >= smallest_worthwhile
        worthwhile = share(beyond)
    return {
        "probability_below_no_effect": below,
        "probability_above_no_effect": above,
        "probability_of_benefit": benefit,
        "smallest_worthwhile": smallest_worthwhile,
        "probability_worthwhile": worthwhile,
    }


def density(draws: Floats, scale: str) -> dict[str, list[float]]:
    """The posterior's density on a grid, for plotting: Gaussian kernel, Scott's bandwidth.

    Smoothed on the log for ratio scales, then carried back, so that none lies below zero.
    """
    ratio = scale in RATIO_SCALES
    line = np.log(draws) if ratio else draws
    if np.ptp(line) == 0:
        return {"x": [], "y": []}
    low, high = np.quantile(line, (0.001, 0.999))
    reach = 0.1 * (high - low)
    grid = np.linspace(low - reach, high + reach, GRID)
    height = np.asarray(gaussian_kde(line)(grid))
    if ratio:
        grid = np.exp(grid)
        height = height / grid
    return {"x": [float(x) for x in grid], "y": [float(y) for y in height]}
