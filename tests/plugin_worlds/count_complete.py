"""Incidents with days at risk in a complete trial of 400 people: over-dispersed, rate ratio 0.7."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.people import person_sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray, covariate: np.ndarray) -> dict[str, np.ndarray]:
        years = rng.uniform(0.4, 1.0, len(arm))
        frailty = rng.gamma(2.0, 0.5, len(arm))
        rate = 1.2 * 0.7**arm * np.exp(0.3 * covariate)
        return {"outcome": rng.poisson(rate * years * frailty).astype(float), "exposure": years}

    sample = person_sample(rng, 400, outcome, unit="incidents per year", kind="count")
    return sample, {"rate_ratio": 0.7, "rate_difference": float(1.2 * np.exp(0.045) * -0.3)}
