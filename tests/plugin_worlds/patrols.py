"""Patrols in 20 hot spots on random half of 30 days: counts that hang together within places, rate ratio 0.75."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    places, days = 20, 30
    arm = rng.permuted(np.tile(np.repeat([0, 1], days // 2), (places, 1)), axis=1)
    rate = np.exp(
        0.6 + 0.5 * rng.normal(size=(places, 1)) + 0.2 * rng.normal(size=(1, days)) + np.log(0.75) * arm
    )
    count = rng.poisson(rate * rng.gamma(4.0, 0.25, (places, days)))
    place, day = np.indices((places, days))
    n = places * days
    sample = Sample(
        outcome=count.ravel().astype(float),
        arm=arm.ravel().astype(np.int64),
        arms=("usual", "patrol"),
        unit="incidents per day",
        kind="count",
        person=np.arange(n, dtype=np.int64),
        cluster=place.ravel().astype(np.int64),
        period=day.ravel().astype(np.int64),
        better="lower",
    )
    return sample, {"rate_ratio": 0.75}
