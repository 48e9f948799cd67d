"""Rows' weights: those of zero take no part, and negative ones are nobody's."""

from __future__ import annotations

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.sample import Sample


def rows_with_weight(sample: Sample) -> Sample:
    """The sample without its rows of weight zero; refuses negative or missing weights."""
    if sample.weight is None:
        return sample
    bad = int(np.count_nonzero(np.logical_not(sample.weight >= 0)))
    if bad:
        raise EstimatorRefused(
            where="weight",
            found=f"{bad} negative or missing weights",
            expected="weights of zero or more",
            remedy="Check how the weights were made.",
        )
    return sample if (sample.weight > 0).all() else sample.keep(np.asarray(sample.weight > 0))


def without_weights(sample: Sample, instead: str) -> None:
    """Refuse weights where the method has no use for them; `instead` names one that has."""
    if sample.weight is not None:
        raise EstimatorRefused(
            where="weight",
            found="weights",
            expected="none: this method gives every row its own say",
            remedy=f"Use `{instead}`, which takes weights.",
        )
