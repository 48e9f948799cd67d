"""Weeks to the first incident in a complete trial of 400 people: exponential, hazard ratio 0.65."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.people import person_sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray, covariate: np.ndarray) -> dict[str, np.ndarray]:
        weeks = rng.exponential(60.0 / 0.65**arm)
        end = np.minimum(52.0, rng.uniform(20.0, 120.0, len(arm)))
        return {"outcome": np.minimum(weeks, end), "event": weeks <= end}

    sample = person_sample(rng, 400, outcome, unit="weeks to the first incident", kind="time")
    return sample, {"hazard_ratio": 0.65}
