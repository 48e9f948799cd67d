"""A score in a complete trial of 400 people, one in ten lost whatever their arm or their score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.people import person_sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray, covariate: np.ndarray) -> np.ndarray:
        return 14.0 + 2.0 * covariate - 1.5 * arm + rng.normal(0.0, 3.0, len(arm))

    sample = person_sample(rng, 400, outcome, unit="points on the scale", kind="mean")
    lost = rng.random(400) < 0.1
    return replace(sample, outcome=np.where(lost, np.nan, sample.outcome)), {"mean_difference": -1.5}
