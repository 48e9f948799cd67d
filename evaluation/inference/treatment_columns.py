"""The columns of a regression on the arm: treatment first, then the declared covariates.

A covariate that cannot be told from a constant, from the arm or from the others makes the fit
meaningless, so it is refused by name here and not met as a singular matrix later.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.estimate import EstimatorRefused
from evaluation.sample import Sample

Floats = NDArray[np.float64]


def treatment_columns(sample: Sample) -> tuple[Floats, tuple[str, ...]]:
    """((n, 1 + k) columns without an intercept, their names); the first is 1 in the arm asked about."""
    both_arms(sample)
    treated = sample.treated.astype(np.float64)[:, None]
    if sample.covariates is None or sample.covariates.shape[1] == 0:
        return treated, (sample.arms[1],)
    columns = np.hstack([treated, np.asarray(sample.covariates, dtype=np.float64)])
    names = (sample.arms[1], *sample.covariate_names)
    _independent(columns, names)
    return columns, names


def both_arms(sample: Sample) -> None:
    """Refuse a sample in which an arm has nobody."""
    for code, name in enumerate(sample.arms):
        if not (sample.arm == code).any():
            raise EstimatorRefused(
                where=f"arms.{name}",
                found="nobody with an outcome",
                expected="people in both arms",
                remedy="Check the arm column and the follow-up; an effect needs somebody to compare with.",
            )


def _independent(columns: Floats, names: tuple[str, ...]) -> None:
    spread = columns.std(axis=0)
    for j in range(1, columns.shape[1]):
        if spread[j] <= 1e-12 * max(1.0, float(np.abs(columns[:, j]).max())):
            raise _covariate(names[j], "the same value in every row", "one that varies")
    scaled = (columns - columns.mean(axis=0)) / spread
    triangle = np.abs(np.diag(np.linalg.qr(scaled, mode="r"))) / np.sqrt(len(columns))
    for j in range(1, columns.shape[1]):
        if triangle[j] < 1e-7:
            raise _covariate(
                names[j],
                "a column that is a weighted sum of the arm and the covariates before it",
                "one that adds something to them",
            )


def _covariate(name: str, found: str, expected: str) -> EstimatorRefused:
    return EstimatorRefused(
        where=f"covariates.{name}",
        found=found,
        expected=expected,
        remedy="Remove it from the analysis's covariates.",
    )
