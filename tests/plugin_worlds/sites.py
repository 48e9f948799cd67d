"""A programme in 12 sites of unequal size, effects about -1.5 with a standard deviation of 0.6."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    sizes = 2 * rng.integers(15, 60, 12)
    block = np.repeat(np.arange(12), sizes)
    n = len(block)
    arm = np.concatenate([rng.permutation(np.tile([0, 1], size // 2)) for size in sizes])
    effect = -1.5 + 0.6 * rng.normal(size=12)
    y = 20 + rng.normal(size=12)[block] + effect[block] * arm + rng.normal(0, 3, n)
    sample = Sample(
        outcome=y,
        arm=arm.astype(np.int64),
        arms=("usual", "mentoring"),
        unit="points",
        kind="mean",
        person=np.arange(n, dtype=np.int64),
        block=block.astype(np.int64),
        better="lower",
    )
    return sample, {"mean_difference": -1.5}
