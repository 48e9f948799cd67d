"""Difference in means adjusted for baseline covariates by regression with full interactions (Lin).

With covariates centred at their means over the sample, x_c = x - xbar,

    y = alpha + tau z + x_c' beta + z x_c' gamma + e

tau estimates the average effect; adjustment cannot hurt its asymptotic precision, whether or not the
regression is right. Blocks enter among the covariates as indicators, centred and interacted like them,
when each has both arms. Weights are those of the sample.

`HC0` to `HC3` serve people drawn one by one (df = n - p); `CR0` to `CR3` clusters drawn whole, with
df = clusters - 1 for CR0, CR1 and CR1S and Satterthwaite's for CR2 and CR3; `HC2_BM` is HC2 with
Bell & McCaffrey's df, the one to choose below about 50 people an arm. Covariates that are constant or
repeat others are left out and named. A column that is so in one arm alone (a level that only one arm
has) keeps its main effect and loses its interaction.

Reference: Lin (2013), Annals of Applied Statistics 7, 295-318; Samii & Aronow (2012); Su & Ding (2021),
JRSS B 83, 994-1015, for clusters. Checked against estimatr 1.0.4 (`lm_lin`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference import student
from evaluation.inference.least_squares import Bools, Floats, fit, indicators, project
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
class AdjustedDifference:
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
    needs: ClassVar[frozenset[str]] = frozenset({"covariates"})

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """Estimate `estimand` from `sample`, in the outcome's own unit."""
        check_serves(sample, estimand, self.kinds, self.scales)
        cluster = clusters_of(sample, self.variance)
        kept, weight = positive_weights(sample)
        check_arms(kept)
        covariates, names = _covariates(kept)
        design, columns = interacted(kept.treated, covariates, names, weight)
        projection = project(design, weight=weight)
        regression = fit(kept.outcome, projection)
        at = projection.position(1)
        kind: Variance = self.variance
        found = robust(regression, kind, None if cluster is None else kept.cluster, at)
        value, error = float(regression.coefficients[at]), sqrt(found.variance)
        student.check_variance(error, found.df, float(np.abs(kept.outcome).max(initial=0.0)))
        return Estimate(
            estimand="",
            estimator="adjusted_difference",
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
                "variance": self.variance,
                "covariates": names,
                "left_out": [columns[j] for j in projection.dropped],
            },
        )


def interacted(
    treated: Bools, covariates: Floats, names: list[str], weight: Floats | None
) -> tuple[Floats, list[str]]:
    """(n, 2 + 2k) columns 1, z, x_c and z x_c, and their names; means are weighted."""
    z = treated.astype(np.float64)[:, None]
    centred = covariates - np.average(covariates, axis=0, weights=weight)
    design = np.hstack([np.ones_like(z), z, centred, z * centred])
    return design, ["intercept", "arm", *names, *(f"arm x {name}" for name in names)]


def _covariates(sample: Sample) -> tuple[Floats, list[str]]:
    """The declared covariates, then indicators of all blocks but the first."""
    names = list(sample.covariate_names)
    parts = [] if sample.covariates is None else [sample.covariates]
    if sample.block is not None:
        alone = len(np.unique(sample.block)) - straddling(sample.block, sample.treated)
        if alone:
            raise EstimatorRefused(
                where="sample.block",
                found=f"{alone} blocks with people of one arm alone",
                expected="both arms in every block",
                remedy="Use `analysis_of_covariance`, whose effect is that of the blocks with both, or merge "
                "blocks by a rule written in the protocol.",
            )
        marks, levels = indicators(sample.block, reference=int(sample.block.min()))
        parts.append(marks)
        names += [f"block {level}" for level in levels]
    if not names:
        raise EstimatorRefused(
            where="covariates",
            found="none",
            expected="one or more baseline covariates",
            remedy="List them under the analysis, or use `difference_in_means`.",
        )
    return np.hstack(parts), names
