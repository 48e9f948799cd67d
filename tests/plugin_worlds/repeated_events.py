"""Repeated incidents over up to a year, people's rates varying by a gamma frailty: rate ratio 0.7."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Sample


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    n = 240
    arm = rng.permutation(np.tile([0, 1], n // 2)).astype(np.int64)
    end = rng.uniform(120, 365, n)
    rate = 2.0 / 365 * 0.7**arm * rng.gamma(2.0, 0.5, n)
    person, entry, exit_, event = [], [], [], []
    for i in range(n):
        times = np.sort(rng.uniform(0, end[i], rng.poisson(rate[i] * end[i])))
        cuts = np.concatenate([[0.0], times, [end[i]]])
        person += [i] * (len(cuts) - 1)
        entry.append(cuts[:-1])
        exit_.append(cuts[1:])
        event.append(np.append(np.ones(len(times), dtype=bool), False))
    who = np.array(person, dtype=np.int64)
    sample = Sample(
        outcome=np.concatenate(exit_),
        entry=np.concatenate(entry),
        event=np.concatenate(event),
        arm=arm[who],
        arms=("usual", "mentoring"),
        unit="days",
        kind="recurrent",
        person=who,
        better="lower",
    )
    return sample, {"rate_ratio": 0.7}
