"""Counts in 500 people, a third or more of them never at risk: rate ratio 0.65 overall, through both parts."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    n = 500
    arm = rng.permutation(np.tile([0, 1], n // 2)).astype(np.int64)
    at_risk = rng.random(n) < np.array([0.65, 0.5])[arm]
    rate = np.array([2.0, 2.0 * 0.65 * 0.65 / 0.5])[arm]
    sample = Sample(
        outcome=(at_risk * rng.poisson(rate)).astype(float),
        arm=arm,
        arms=("usual", "mentoring"),
        unit="incidents per year",
        kind="count",
        person=np.arange(n, dtype=np.int64),
        better="lower",
    )
    return sample, {"rate_ratio": 0.65}
