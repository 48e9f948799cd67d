"""Methods that compare whole arms need everybody to have had the same chance of treatment."""

from __future__ import annotations

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.sample import Sample


def check_even_chances(sample: Sample, *, where: str, remedy: str) -> None:
    """Refuse rows that differ in their chance of the two arms compared, or that nobody drew."""
    if sample.weight is not None:
        raise EstimatorRefused(
            where=where,
            found="weights",
            expected="rows that count alike",
            remedy=remedy,
        )
    if sample.design is None or sample.roster is None or sample.roster_row is None:
        return
    if not sample.design.randomised:
        raise EstimatorRefused(
            where=where,
            found=f"the design '{sample.design.scheme}', which nobody drew",
            expected="a randomised design",
            remedy=remedy,
        )
    chance = sample.design.chance(sample.roster)
    pair = chance[list(sample.arms)].to_numpy(dtype=np.float64)[sample.roster_row]
    share = pair[:, 1] / pair.sum(axis=1)
    if np.ptp(share) > 1e-9:
        raise EstimatorRefused(
            where=where,
            found="people whose chances of the two arms differ",
            expected="one chance for everybody, so that arms are alike before anyone is lost",
            remedy=remedy,
        )
