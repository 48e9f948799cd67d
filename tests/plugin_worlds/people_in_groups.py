"""A score in a complete trial of 240 people of three groups: effects -2, -1 and 0, by group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.people import person_sample

EFFECT = np.array([-2.0, -1.0, 0.0])


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    group = rng.integers(0, 3, 240)

    def outcome(arm: np.ndarray, covariate: np.ndarray) -> np.ndarray:
        return 10.0 + group + covariate + rng.normal(0.0, 2.0, len(arm)) + arm * EFFECT[group]

    sample = person_sample(rng, 240, outcome, unit="points on the scale", kind="mean")
    grouped = replace(sample, group=group.astype(np.int64), group_names=("first", "second", "third"))
    return grouped, {"mean_difference": -2.0}
