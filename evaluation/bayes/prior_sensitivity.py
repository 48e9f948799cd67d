"""How much of the answer is the prior's: the same draws, re-weighted to other priors of the effect.

Draws from the posterior under the declared prior p(theta) of the effect parameter, each given the
weight q(theta) / p(theta), are draws from the posterior under q. The priors tried follow from the
declared one without a further choice: half its spread, twice its spread, and flat on the whole line
(what the data say by themselves, given the priors of the other parameters). A row whose weights leave
fewer than 400 effective draws (Kish: (sum w)^2 / sum w^2) says so and gives no number.

References: Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., 10.4 (importance resampling);
Kallioinen, Paananen, Buerkner & Vehtari (2024), Detecting and diagnosing prior and likelihood
sensitivity with power-scaling, Statistics and Computing 34, 57.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.bayes.posterior import centre_and_interval, probabilities
from evaluation.bayes.priors import NormalPrior
from evaluation.sample import Floats, Sample

ENOUGH = 400.0


def prior_sensitivity(
    parameter: Floats,
    effect: Floats,
    prior: NormalPrior,
    *,
    sample: Sample,
    scale: str,
    level: float,
) -> list[dict[str, Any]]:
    """One row per prior; `parameter` and `effect` are the same draws, flat, of theta and of the effect."""
    rows: list[dict[str, Any]] = []
    alternatives: dict[str, NormalPrior | None] = {
        "as declared": prior,
        "half the spread": NormalPrior(mean=prior.mean, sd=prior.sd / 2),
        "twice the spread": NormalPrior(mean=prior.mean, sd=prior.sd * 2),
        "flat": None,
    }
    declared = prior.log_density(parameter)
    for name, other in alternatives.items():
        log_weight = (0.0 if other is None else other.log_density(parameter)) - declared
        weight = np.exp(log_weight - log_weight.max())
        effective = float(weight.sum() ** 2 / (weight**2).sum())
        row: dict[str, Any] = {
            "prior": name,
            "mean": None if other is None else other.mean,
            "sd": None if other is None else other.sd,
            "effective_draws": effective,
            "value": None,
            "low": None,
            "high": None,
            "probability_of_benefit": None,
            "probability_worthwhile": None,
        }
        if effective >= min(ENOUGH, len(effect)):
            value, _, low, high = centre_and_interval(effect, scale, level, weight)
            found = probabilities(effect, scale, sample.better, sample.smallest_worthwhile, weight)
            row |= {
                "value": value,
                "low": low,
                "high": high,
                "probability_of_benefit": found["probability_of_benefit"],
                "probability_worthwhile": found["probability_worthwhile"],
            }
        rows.append(row)
    return rows
