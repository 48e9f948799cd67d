"""Multiple imputation by chained equations, by arm, with random intercepts for clusters.

Each chain starts from values drawn from the people observed, then goes round the incomplete variables:
a regression of each on all the others is fitted to the people in whom it was observed, its parameters
are drawn, and its gaps are filled from it. After the declared cycles each chain leaves one completed
data set. Chains run side by side as matrices. Arms are imputed apart, so that no effect, and no
difference of effect between people, is assumed away.

Valid where outcomes are missing at random given arm, covariates, auxiliary columns and cluster.

References: van Buuren (2018), Flexible Imputation of Missing Data, 2nd ed., 4.5 and 7.3; Sullivan,
White, Salter, Ryan & Lee (2018), Should multiple imputation be the method of choice for handling
missing data in randomized trials?, Statistical Methods in Medical Research 27, 2610-2626 (by arm);
Morris, White & Royston (2014), BMC Medical Research Methodology 14, 75 (donors).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.imputation.auxiliary import auxiliary_matrix
from evaluation.imputation.columns import ArmColumns, columns_of
from evaluation.imputation.fill import fill
from evaluation.imputation.settings import Imputation
from evaluation.sample import Floats, Sample

MEMORY = 2.0e8
"""Bytes that the chains running side by side may take."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Completed:
    """m completed data sets: each part is (m, n) or (m, n, k), None where the sample has none.

    `chance` is (m, n), for a binary outcome the probability from which each gap was filled, and
    `rank` the uniform number that it was compared with; both NaN where the outcome was observed.
    `r_hat` compares the chains' mean imputed outcomes over the second half of the cycles.
    """

    outcome: Floats
    exposure: Floats | None
    baseline: Floats | None
    covariates: Floats | None
    chance: Floats
    rank: Floats
    r_hat: float | None

    def samples(self, sample: Sample) -> Iterator[Sample]:
        """Each completed data set in turn."""
        for i in range(len(self.outcome)):
            yield replace(
                sample,
                outcome=self.outcome[i],
                exposure=None if self.exposure is None else self.exposure[i],
                baseline=None if self.baseline is None else self.baseline[i],
                covariates=None if self.covariates is None else self.covariates[i],
            )


def impute(sample: Sample, settings: Imputation, rng: np.random.Generator) -> Completed:
    """The completed data sets of `sample`."""
    _check(sample)
    auxiliary, labels = auxiliary_matrix(sample, settings.auxiliary, where="auxiliary")
    arms = [columns_of(sample, auxiliary, labels, arm, settings) for arm in (0, 1)]
    widest = max(columns.values.size for columns in arms)
    side_by_side = max(1, min(settings.imputations, int(MEMORY / (8 * 6 * max(widest, 1)))))
    parts = []
    done = 0
    while done < settings.imputations:
        chains = min(side_by_side, settings.imputations - done)
        parts.append([_run(columns, chains, settings, rng) for columns in arms])
        done += chains
    m, n = settings.imputations, len(sample.outcome)
    outcome = np.tile(sample.outcome, (m, 1))
    exposure = None if sample.exposure is None else np.tile(sample.exposure, (m, 1))
    baseline = None if sample.baseline is None else np.tile(sample.baseline, (m, 1))
    covariates = None if sample.covariates is None else np.tile(sample.covariates, (m, 1, 1))
    chance, rank = np.full((m, n), np.nan), np.full((m, n), np.nan)
    r_hats = []
    for columns, runs in zip(arms, zip(*parts, strict=True), strict=True):
        made: dict[str, Any] = {key: np.concatenate([run[key] for run in runs]) for key in runs[0]}
        rows = columns.rows
        outcome[:, rows] = made["outcome"]
        if exposure is not None and "exposure" in made:
            exposure[:, rows] = made["exposure"]
        if baseline is not None and columns.baseline is not None:
            baseline[:, rows] = made["values"][:, :, columns.baseline]
        if covariates is not None and columns.covariates:
            covariates[:, rows] = made["values"][:, :, list(columns.covariates)]
        chance[:, rows], rank[:, rows] = made["chance"], made["rank"]
        r_hats.append(_r_hat(made["trace"]))
    known = [r for r in r_hats if r is not None]
    return Completed(
        outcome=outcome,
        exposure=exposure,
        baseline=baseline,
        covariates=covariates,
        chance=chance,
        rank=rank,
        r_hat=max(known) if known else None,
    )


def _run(
    columns: ArmColumns, chains: int, settings: Imputation, rng: np.random.Generator
) -> dict[str, Floats]:
    """The chains of one arm, from start to their last cycle."""
    values = np.tile(columns.values, (chains, 1, 1))
    for j, missing in columns.gaps():
        seen = columns.values[~missing, j]
        values[:, missing, j] = rng.choice(seen, (chains, int(missing.sum())))
    state: dict[int, Any] = {}
    counts, exposures = columns.start_counts(values)
    trace = np.full((chains, settings.iterations), np.nan)
    chance = np.full((chains, len(columns.rows)), np.nan)
    rank = np.full_like(chance, np.nan)
    for cycle in range(settings.iterations):
        for j, missing in columns.gaps():
            filled = fill(columns, values, j, missing, state, settings, rng)
            values[:, missing, j] = filled.values
            if j == 0:
                trace[:, cycle] = filled.values.mean(axis=1)
                if filled.chance is not None and filled.rank is not None:
                    chance[:, missing], rank[:, missing] = filled.chance, filled.rank
                if filled.donor is not None:
                    counts[:, missing] = columns.count[filled.donor]
                    exposures[:, missing] = columns.exposure[filled.donor]
    made = {"values": values, "trace": trace, "chance": chance, "rank": rank}
    if columns.counted:
        return made | {"outcome": counts, "exposure": exposures}
    return made | {"outcome": values[:, :, 0]}


def _check(sample: Sample) -> None:
    if len(np.unique(sample.person)) < len(sample.person):
        raise EstimatorRefused(
            where="missing.multiple_imputation",
            found="several rows for some people",
            expected="one row per person",
            remedy="Use complete_case, or a model of the repeated outcome.",
        )
    if sample.weight is not None and np.isnan(sample.weight).any():
        raise EstimatorRefused(
            where="weight",
            found=f"{int(np.isnan(sample.weight).sum())} missing weights",
            expected="a weight for everybody",
            remedy="Weights are never imputed: complete them, or leave them out.",
        )


def _r_hat(trace: Floats) -> float | None:
    """Split R-hat of the chains' means over the second half of the cycles; None where nothing was filled."""
    chains, cycles = trace.shape
    kept = trace[:, cycles // 2 :]
    if chains < 2 or kept.shape[1] < 2 or np.isnan(kept).any():
        return None
    length = kept.shape[1]
    within = kept.var(axis=1, ddof=1).mean()
    if within == 0:
        return None
    between = kept.mean(axis=1).var(ddof=1)
    return float(np.sqrt((length - 1) / length + between / within))
