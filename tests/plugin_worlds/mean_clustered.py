"""A score in a trial of 30 schools of unequal size: effect -1.5, ICC about 0.1."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.places import cluster_sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray, place: np.ndarray) -> np.ndarray:
        return 14.0 - 1.5 * arm + place + rng.normal(0.0, 3.0, len(arm))

    return cluster_sample(rng, outcome, unit="points on the scale", kind="mean"), {"mean_difference": -1.5}
