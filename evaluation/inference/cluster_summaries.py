"""One number per cluster, adjusted for people's covariates where the study names them.

Differences compare mean outcomes (or rates), ratios compare rates or risks. With covariates, in two stages (Hayes &
Moulton): people's outcomes are regressed on the covariates without the arm, giving each an expected outcome; a cluster
is then (observed - expected) / size for a difference, observed / expected for a ratio.

Reference: Hayes & Moulton (2017), Cluster Randomised Trials, 2nd edition, chapters 10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.estimate import EstimatorRefused
from evaluation.inference.cluster_layout import Layout
from evaluation.inference.count_rows import exposure_of
from evaluation.inference.estimating import Family, segment_sum, solve
from evaluation.inference.small_sample_gee import between_within
from evaluation.inference.treatment_columns import treatment_columns
from evaluation.sample import Sample

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Summaries:
    """`value` (G,), `size` (G,) people or exposure, and how many covariates vary between clusters alone."""

    value: Floats
    size: Floats
    cluster_covariates: int


def cluster_summaries(sample: Sample, layout: Layout, *, ratio: bool) -> Summaries:
    """Each cluster's mean, risk or rate, in the layout's order; see the top of this file for covariates."""
    y = sample.outcome[layout.order]
    exposure = exposure_of(sample)[layout.order] if sample.kind == "count" else np.ones(len(y))
    size = segment_sum(exposure, layout.starts, 0)
    observed = segment_sum(y, layout.starts, 0)
    if sample.covariates is None or sample.covariates.shape[1] == 0:
        return Summaries(value=observed / size, size=size, cluster_covariates=0)
    x, _ = treatment_columns(sample)
    columns = np.hstack([np.ones((len(y), 1)), x[layout.order, 1:]])
    families: dict[str, Family] = {"mean": "gaussian", "binary": "binomial", "count": "poisson"}
    fitted = solve(
        y,
        columns,
        family=families[sample.kind],
        starts=layout.starts,
        offset=np.log(exposure) if sample.kind == "count" else None,
    )
    if not bool(fitted.solved):
        raise EstimatorRefused(
            where="covariates",
            found="covariates that separate events from non-events",
            expected="both outcomes among people alike in covariates",
            remedy="Remove the covariate that separates them.",
        )
    expected = segment_sum(fitted.mean, layout.starts, 0)
    value = observed / expected if ratio else (observed - expected) / size
    constant = layout.clusters - between_within(columns, layout.starts) - 1
    return Summaries(value=value, size=size, cluster_covariates=constant)
