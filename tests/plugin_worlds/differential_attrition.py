"""A score in a complete trial of 400 people, where those in need leave the usual arm: MAR given baseline.

In the usual arm the chance of loss rises with the baseline covariate; in the mentoring arm it is low.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.people import person_sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray, covariate: np.ndarray) -> np.ndarray:
        return 14.0 + 2.0 * covariate - 1.5 * arm + rng.normal(0.0, 3.0, len(arm))

    sample = person_sample(rng, 400, outcome, unit="points on the scale", kind="mean")
    assert sample.covariates is not None
    chance = np.where(sample.arm == 0, 1 / (1 + np.exp(0.5 - 1.5 * sample.covariates[:, 0])), 0.05)
    lost = rng.random(400) < chance
    return replace(sample, outcome=np.where(lost, np.nan, sample.outcome)), {"mean_difference": -1.5}
