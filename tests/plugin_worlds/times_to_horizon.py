"""Times to a first event with crossing hazards: Weibull with shapes 1 and 1.8, some censored; horizon 30 weeks."""

from __future__ import annotations

import numpy as np
from scipy.integrate import quad

from evaluation.sample import Sample

SHAPES, SCALES, HORIZON = (1.0, 1.8), (40.0, 45.0), 30.0


def area(arm: int) -> float:
    return float(quad(lambda t: np.exp(-((t / SCALES[arm]) ** SHAPES[arm])), 0, HORIZON)[0])


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    n = 300
    arm = rng.permutation(np.tile([0, 1], n // 2)).astype(np.int64)
    event_time = np.array(SCALES)[arm] * rng.weibull(np.array(SHAPES)[arm])
    censored = np.minimum(rng.exponential(90, n), 52.0)
    censored[:4] = 52.0
    sample = Sample(
        outcome=np.minimum(event_time, censored),
        event=event_time <= censored,
        arm=arm,
        arms=("usual", "mentoring"),
        unit="weeks",
        kind="time",
        person=np.arange(n, dtype=np.int64),
        better="higher",
    )
    return sample, {"rmst_difference": area(1) - area(0)}
