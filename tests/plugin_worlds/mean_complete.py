"""A score in a complete trial of 200 people: effect -1.5 on average, varying between people."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.people import person_sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray, covariate: np.ndarray) -> np.ndarray:
        noise = rng.normal(0.0, 3.0, len(arm))
        return 14.0 + 2.0 * covariate + noise + arm * (-1.5 + 0.5 * covariate)

    sample = person_sample(rng, 200, outcome, unit="points on the scale", kind="mean")
    return sample, {"mean_difference": -1.5}
