"""A binary outcome in a complete trial of 400 people: risks 0.40 and 0.28, marginal over a covariate."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.people import person_sample

RISKS = np.array([0.40, 0.28])


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray, covariate: np.ndarray) -> np.ndarray:
        risk = RISKS[arm] + 0.12 * np.tanh(covariate)
        return (rng.random(len(arm)) < risk).astype(float)

    sample = person_sample(rng, 400, outcome, unit="proportion with an incident", kind="binary")
    usual, offered = RISKS
    truth = {
        "risk_difference": offered - usual,
        "risk_ratio": offered / usual,
        "odds_ratio": offered / (1 - offered) / (usual / (1 - usual)),
        "mean_difference": offered - usual,
    }
    return sample, {key: float(value) for key, value in truth.items()}
