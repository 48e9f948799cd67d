"""Horvitz and Thompson's difference: unbiased whatever the chances, and noisy for the same reason.

    tau = (1/N) [ sum_{i in 1} Y_i / pi_i1 - sum_{i in 0} Y_i / pi_i0 ]

with N the people of the whole roster, Y the outcome (or a cluster's total) and pi the chance, known from
the design, of the arm drawn. It is exactly unbiased over re-draws, clusters of unequal size included,
but moves when a constant is added to the outcome; `hajek` does not, and is nearly always more precise.

Variance: Aronow & Middleton's with Young's bound, conservative; the interval is normal. `variance:
youngs` is the one offered. Needs everyone's outcome: a missing one leaves the total unknown.

Reference: Horvitz & Thompson (1952), JASA 47, 663-685; Aronow & Middleton (2013), Journal of Causal
Inference 1, 135-154. Checked against estimatr 1.0.4 (`horvitz_thompson`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference import student
from evaluation.inference.inverse_probability import chances, horvitz_thompson, young_variance
from evaluation.inference.trial_structure import check_arms, check_clusters, check_serves
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class HorvitzThompson:
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
        people = len(roster)
        if len(design.names) == 2 and sample.people < people:
            raise EstimatorRefused(
                where="outcome",
                found=f"{people - sample.people} of {people} people without an outcome",
                expected="everybody's: the estimate divides by all who were drawn",
                remedy="Use `hajek`, or impute.",
            )
        known = chances(design, roster, sample.arms)
        unit, inverse = np.unique(known.unit[rows], return_inverse=True)
        totals = np.bincount(inverse, weights=sample.outcome)
        treated = np.bincount(inverse, weights=sample.arm) > 0
        own = known.own[unit]
        stratum = None if known.stratum is None else known.stratum[unit]
        value = horvitz_thompson(totals, treated, own, people)
        error = sqrt(max(young_variance(totals, treated, own, stratum, known.joint), 0.0)) / people
        student.check_variance(error, None, float(np.abs(sample.outcome).max(initial=0.0)))
        return Estimate(
            estimand="",
            estimator="horvitz_thompson",
            scale=estimand.scale,
            value=value,
            standard_error=error,
            interval=student.interval(value, error, None, self.level),
            p_value=student.p_value(value, error, None),
            df=None,
            unit=sample.unit,
            units_used=sample.people,
            clusters_used=sample.clusters,
            extra={"variance": self.variance, "people_drawn": people, "units_of_draw": len(unit)},
        )
