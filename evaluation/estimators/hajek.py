"""Hajek's difference: arm means weighted by the inverse of each person's chance of the arm drawn.

    mu_a = sum_{i in a} y_i / pi_ia  /  sum_{i in a} 1 / pi_ia        tau = mu_1 - mu_0

For trials whose chances differ between people (sites or blocks with shares of their own, multi-arm
blocks): the plain difference would confound those sites with the arms. Consistent; biased by less
than a tenth of a standard error or so in samples of 100, as any ratio.

Variance: Aronow & Middleton's with Young's bound, of the residuals y - mu_a over sum 1/pi (linearised);
t with units drawn less two per stratum as degrees of freedom. `variance: youngs` is the one offered.
People without an outcome are left aside, as if missing at random given the arm.

Reference: Hajek (1971); Sarndal, Swensson & Wretman (1992), Model Assisted Survey Sampling, section 5.7;
Aronow & Middleton (2013), Journal of Causal Inference 1, 135-154, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference import student
from evaluation.inference.inverse_probability import arm_means, chances, young_variance
from evaluation.inference.trial_structure import check_arms, check_clusters, check_serves
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class Hajek:
    """The choices: the variance, and the level of the interval."""

    variance: Literal["youngs"]
    level: float

    designs: ClassVar[frozenset[str]] = frozenset(
        {"simple", "complete", "blocked", "clustered", "blocked_clusters", "multi_site"}
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary"})
    scales: ClassVar[frozenset[str]] = frozenset({"mean_difference", "risk_difference"})
    needs: ClassVar[frozenset[str]] = frozenset({"design", "roster"})

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """Estimate `estimand` from `sample`, in the outcome's own unit."""
        check_serves(sample, estimand, self.kinds, self.scales)
        design, roster, rows = sample.design, sample.roster, sample.roster_row
        if design is None or roster is None or rows is None:
            raise EstimatorRefused(
                where="sample.roster",
                found="no roster",
                expected="the roster that was drawn, for the chances",
                remedy="Use `difference_in_means`.",
            )
        if sample.cluster is not None:
            check_clusters(sample)
        check_arms(sample)
        known = chances(design, roster, sample.arms)
        unit, inverse = np.unique(known.unit[rows], return_inverse=True)
        means, mass = arm_means(sample.outcome, sample.treated, known.own[known.unit[rows]])
        value = float(means[1] - means[0])
        residual = (sample.outcome - means[sample.arm]) / mass[sample.arm]
        totals = np.bincount(inverse, weights=residual)
        treated = np.bincount(inverse, weights=sample.arm) > 0
        stratum = None if known.stratum is None else known.stratum[unit]
        strata = 1 if stratum is None else len(np.unique(stratum))
        error = sqrt(max(young_variance(totals, treated, known.own[unit], stratum, known.joint), 0.0))
        df = float(len(unit) - 2 * strata)
        student.check_variance(error, df, float(np.abs(sample.outcome).max(initial=0.0)))
        return Estimate(
            estimand="",
            estimator="hajek",
            scale=estimand.scale,
            value=value,
            standard_error=error,
            interval=student.interval(value, error, df, self.level),
            p_value=student.p_value(value, error, df),
            df=df,
            unit=sample.unit,
            units_used=sample.people,
            clusters_used=sample.clusters,
            extra={"variance": self.variance, "units_of_draw": len(unit), "strata": strata},
        )
