"""Difference adjusted by regression on treatment, baseline measures and blocks, without interactions.

    y = tau z + x' beta + block + e

The trial analysis that most protocols name. Blocks (pairs, sites) are absorbed, so tau weighs a
block's effect by n_b p_b (1 - p_b), most where arms are balanced: with equal shares in all blocks that
is the average over people; blocks in which one arm is left add nothing, and are counted. The outcome's own baseline measure is used when the study declares one.
Consistent for the average effect whether or not the regression is right (equal shares; otherwise Lin's
`adjusted_difference` cannot be worse).

Variances and df are those of `adjusted_difference`: HC0 to HC3 and HC2_BM for people drawn one by one,
CR0 to CR3 for clusters. Matched pairs of people are allowed for by absorbing the pair.

Reference: Fisher (1935); Freedman (2008), Advances in Applied Mathematics 40, 180-193; Lin (2013),
Annals of Applied Statistics 7, 295-318. Checked against estimatr 1.0.4 (`lm_robust`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference import student
from evaluation.inference.least_squares import Floats, fit, project
from evaluation.inference.robust import Variance, clusters_of, robust
from evaluation.inference.trial_structure import (
    check_arms,
    check_serves,
    positive_weights,
    straddling,
)
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisOfCovariance:
    """The choices: the variance, and the level of the interval."""

    variance: Literal["HC0", "HC1", "HC2", "HC2_BM", "HC3", "CR0", "CR1", "CR1S", "CR2", "CR3"]
    level: float

    designs: ClassVar[frozenset[str]] = frozenset(
        {
            "simple",
            "complete",
            "blocked",
            "clustered",
            "blocked_clusters",
            "matched_pairs",
            "multi_site",
            "wait_list",
            "encouragement",
            "rerandomised",
            "minimised",
            "sequential_blocks",
        }
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary"})
    scales: ClassVar[frozenset[str]] = frozenset({"mean_difference", "risk_difference"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """Estimate `estimand` from `sample`, in the outcome's own unit."""
        check_serves(sample, estimand, self.kinds, self.scales)
        kind: Variance = self.variance
        clusters_of(sample, kind)
        kept, weight = positive_weights(sample)
        check_arms(kept)
        design, names = _regressors(kept)
        projection = project(design, weight=weight, absorb=kept.block)
        regression = fit(kept.outcome, projection)
        at = projection.position(0)
        found = robust(regression, kind, kept.cluster, at)
        value, error = float(regression.coefficients[at]), sqrt(found.variance)
        student.check_variance(error, found.df, float(np.abs(kept.outcome).max(initial=0.0)))
        return Estimate(
            estimand="",
            estimator="analysis_of_covariance",
            scale=estimand.scale,
            value=value,
            standard_error=error,
            interval=student.interval(value, error, found.df, self.level),
            p_value=student.p_value(value, error, found.df),
            df=found.df,
            unit=sample.unit,
            units_used=kept.people,
            clusters_used=kept.clusters,
            extra={
                "variance": kind,
                "covariates": names[2 if kept.block is None else 1 :],
                "blocks_absorbed": None if kept.block is None else len(np.unique(kept.block)),
                "blocks_with_one_arm": _one_armed(kept),
                "left_out": [names[j] for j in projection.dropped],
            },
        )


def _one_armed(sample: Sample) -> int | None:
    """Blocks that say nothing of the effect, because only one arm is left in them."""
    if sample.block is None:
        return None
    return len(np.unique(sample.block)) - straddling(sample.block, sample.treated)


def _regressors(sample: Sample) -> tuple[Floats, list[str]]:
    """Treatment, an intercept where no blocks are absorbed, the baseline measure and the covariates."""
    parts, names = [sample.treated.astype(np.float64)[:, None]], ["arm"]
    if sample.block is None:
        parts.append(np.ones((len(sample.outcome), 1)))
        names.append("intercept")
    if sample.baseline is not None:
        missing = int(np.count_nonzero(np.isnan(sample.baseline)))
        if missing:
            raise EstimatorRefused(
                where="outcome.baseline",
                found=f"{missing} people without the baseline measure",
                expected="a value for everybody",
                remedy="In a randomised trial write `baseline_gaps: mean of everybody` under the outcome; otherwise fill them "
                "from the other baseline columns, by the same rule in both arms, before the analysis.",
            )
        parts.append(sample.baseline[:, None])
        names.append("baseline measure")
    if sample.covariates is not None:
        parts.append(sample.covariates)
        names += list(sample.covariate_names)
    return np.hstack(parts), names
