"""A binary outcome in a trial of 30 schools of unequal size: risks 0.45 and 0.30."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.places import cluster_sample

RISKS = np.array([0.45, 0.30])


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray, place: np.ndarray) -> np.ndarray:
        risk = RISKS[arm] + 0.1 * np.tanh(place)
        return (rng.random(len(arm)) < risk).astype(float)

    sample = cluster_sample(rng, outcome, unit="proportion with an incident", kind="binary")
    usual, offered = RISKS
    truth = {
        "risk_difference": offered - usual,
        "risk_ratio": offered / usual,
        "odds_ratio": offered / (1 - offered) / (usual / (1 - usual)),
    }
    return sample, {key: float(value) for key, value in truth.items()}
