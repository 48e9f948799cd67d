"""A score in a trial of 300 people, some of whom take the mentoring whatever they were offered.

Shares: 60% compliers, 15% always-takers, 25% never-takers, who differ at the start; the mentoring
itself moves compliers by -2 and always-takers by -1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.sample import Sample
from plugin_worlds.people import person_sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    def outcome(arm: np.ndarray[Any, Any], covariate: np.ndarray[Any, Any]) -> dict[str, Any]:
        kind = rng.choice(3, size=len(arm), p=[0.6, 0.15, 0.25])
        received = np.where(kind == 0, arm, kind == 1).astype(float)
        effect = np.array([-2.0, -1.0, 0.0])[kind]
        start = 14.0 + np.array([0.0, 1.5, -1.0])[kind] + covariate
        return {"outcome": start + effect * received + rng.normal(0.0, 2.0, len(arm)), "received": received}

    return person_sample(rng, 300, outcome, unit="points on the scale", kind="mean"), {
        "mean_difference": -2.0
    }
