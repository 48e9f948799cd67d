"""One arm's variables as a matrix for the chains: the response first, then what predicts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.imputation.settings import Imputation
from evaluation.sample import Bools, Floats, Ints, Sample


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmColumns:
    """`values` (n_arm, q): column 0 is the outcome (the log rate of a count), then the predictors.

    `binary[j]` says that column j takes only 0 and 1. `covariates` and `baseline` are the columns
    that go back into the sample. `group` numbers the clusters, or blocks, of this arm. `count` and
    `exposure` are a counted outcome's own numbers, by row of the arm.
    """

    rows: Ints
    values: Floats
    names: tuple[str, ...]
    binary: Bools
    covariates: tuple[int, ...]
    baseline: int | None
    group: Ints | None
    counted: bool
    count: Floats
    exposure: Floats

    def gaps(self) -> Iterator[tuple[int, Bools]]:
        """(column, (n_arm,) True where it is missing) for each incomplete column, the outcome last."""
        missing = np.isnan(self.values)
        for j in (*range(1, self.values.shape[1]), 0):
            if missing[:, j].any():
                yield j, missing[:, j]

    def start_counts(self, values: Floats) -> tuple[Floats, Floats]:
        """(chains, n_arm) counts and exposures as observed; gaps are filled from donors."""
        chains = len(values)
        return np.tile(self.count, (chains, 1)), np.tile(self.exposure, (chains, 1))


def columns_of(
    sample: Sample, auxiliary: Floats, labels: tuple[str, ...], arm: int, settings: Imputation
) -> ArmColumns:
    """The matrix of one arm; refuses an arm whose regressions have too few people."""
    rows = np.flatnonzero(sample.arm == arm)
    counted = sample.kind == "count"
    count = sample.outcome[rows]
    exposure = np.ones(len(rows)) if sample.exposure is None else sample.exposure[rows].copy()
    lost = np.isnan(count) | np.isnan(exposure)
    response = np.log((count + 0.5) / exposure) if counted else count.copy()
    response[lost] = np.nan
    parts, names = [response[:, None]], ["outcome"]
    covariates: tuple[int, ...] = ()
    if sample.covariates is not None and sample.covariates.shape[1]:
        covariates = tuple(range(1, 1 + sample.covariates.shape[1]))
        parts.append(sample.covariates[rows])
        names += sample.covariate_names
    baseline = None
    if sample.baseline is not None:
        baseline = sum(p.shape[1] for p in parts)
        parts.append(sample.baseline[rows][:, None])
        names.append("the outcome's baseline")
    fresh = [i for i, label in enumerate(labels) if label not in sample.covariate_names]
    parts.append(auxiliary[rows][:, fresh])
    names += [labels[i] for i in fresh]
    values = np.concatenate(parts, axis=1)
    _check_people(values, tuple(names), sample.arms[arm])
    grouping = sample.cluster if sample.cluster is not None else sample.block
    group = None if grouping is None else np.unique(grouping[rows], return_inverse=True)[1]
    return ArmColumns(
        rows=rows,
        values=values,
        names=tuple(names),
        binary=np.array([bool(np.isin(c[~np.isnan(c)], (0.0, 1.0)).all()) for c in values.T]),
        covariates=covariates,
        baseline=baseline,
        group=group,
        counted=counted,
        count=np.where(lost, np.nan, count),
        exposure=np.where(lost, np.nan, exposure),
    )


def _check_people(values: Floats, names: tuple[str, ...], arm: str) -> None:
    seen = np.sum(~np.isnan(values), axis=0)
    least = values.shape[1] + 2
    for j in np.flatnonzero(seen < len(values)):
        if seen[j] < least:
            raise EstimatorRefused(
                where=f"missing.multiple_imputation ({names[j]})",
                found=f"{int(seen[j])} people in the arm {arm} with a value, for {values.shape[1]} terms",
                expected=f"at least {least}",
                remedy="List fewer `auxiliary` columns, or state bounds with `manski_bounds`.",
            )
