"""A stepped wedge of 12 clusters over 5 periods with a rising trend: effect 2.0 at once, and lasting."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    clusters, periods = 12, 5
    step = rng.permutation(np.repeat(np.arange(1, periods), clusters // (periods - 1)))
    cluster, period = (
        grid.ravel() for grid in np.meshgrid(np.arange(clusters), np.arange(periods), indexing="ij")
    )
    sizes = rng.integers(5, 20, len(cluster))
    cluster, period, cell = (
        np.repeat(cluster, sizes),
        np.repeat(period, sizes),
        np.repeat(np.arange(len(sizes)), sizes),
    )
    arm = (period >= step[cluster]).astype(np.int64)
    n = len(arm)
    y = (
        10
        + 1.5 * period
        + 2.0 * arm
        + 1.2 * rng.normal(size=clusters)[cluster]
        + 0.5 * rng.normal(size=len(sizes))[cell]
        + rng.normal(0, 3, n)
    )
    sample = Sample(
        outcome=y,
        arm=arm,
        arms=("usual", "mentoring"),
        unit="points",
        kind="mean",
        person=np.arange(n, dtype=np.int64),
        cluster=cluster.astype(np.int64),
        period=period.astype(np.int64),
        better="higher",
    )
    return sample, {"mean_difference": 2.0}
