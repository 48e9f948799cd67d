"""Allocation that followed need: the treated arm's baseline is half a standard deviation higher."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.people import person_sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray, covariate: np.ndarray) -> np.ndarray:
        return 14.0 - 1.5 * arm + rng.normal(0.0, 3.0, len(arm))

    sample = person_sample(rng, 300, outcome, unit="points on the scale", kind="mean")
    assert sample.covariates is not None
    return replace(sample, covariates=sample.covariates + 0.5 * sample.arm[:, None]), {
        "mean_difference": -1.5
    }
