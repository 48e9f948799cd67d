"""Incidents with time at risk in a trial of 30 schools of unequal size: rate ratio 0.7."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.places import cluster_sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray, place: np.ndarray) -> dict[str, np.ndarray]:
        years = rng.uniform(0.4, 1.0, len(arm))
        frailty = rng.gamma(2.0, 0.5, len(arm))
        rate = 1.2 * 0.7**arm * np.exp(0.3 * place)
        return {"outcome": rng.poisson(rate * years * frailty).astype(float), "exposure": years}

    return cluster_sample(rng, outcome, unit="incidents per year", kind="count"), {"rate_ratio": 0.7}
