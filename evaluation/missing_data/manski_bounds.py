"""Worst-case bounds: every missing outcome at the end of its range that serves, then harms, the effect.

The estimator is run twice on everybody randomised: with the missing outcomes of the treated arm at
`lowest` and of the reference arm at `highest`, and the other way round. Nothing is assumed of why
outcomes are missing. For estimators that average outcomes the two answers are the sharp bounds; for
adjusted ones they are the answers in the two extreme cases. The range must be the outcome's own.

References: Manski (1990), Nonparametric bounds on treatment effects, American Economic Review 80,
319-323; Horowitz & Manski (2000), JASA 95, 77-84. Interval: Imbens & Manski (2004), in
`evaluation/partial_identification/bounds.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from evaluation.estimate import Estimate, Estimator, EstimatorRefused
from evaluation.imputation.pooled_estimate import incomplete
from evaluation.partial_identification.bounds import Bounds, bounds_estimate
from evaluation.sample import Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES


@dataclass(frozen=True, slots=True, kw_only=True)
class ManskiBounds:
    """The outcome's `lowest` and `highest` possible values: 0 and 1 for a binary one."""

    lowest: float
    highest: float

    kinds: ClassVar = frozenset({"mean", "binary", "count"})

    def __post_init__(self) -> None:
        if not self.lowest < self.highest:
            raise EstimatorRefused(
                where="lowest",
                found=f"{self.lowest:g}, with a highest of {self.highest:g}",
                expected="a lowest value below the highest",
                remedy="Write the ends of the outcome's scale, such as 0 and 1.",
            )

    def __call__(
        self, sample: Sample, estimator: Estimator, estimand: Estimand, rng: np.random.Generator
    ) -> Estimate:
        """The bounds; the plain answer where no outcome is missing."""
        self._check(sample)
        if sample.observed.all():
            return estimator(sample, estimand, rng)
        ends = [self._extreme(sample, t, r, estimator, estimand, rng) for t, r in self._cases()]
        errors = [e.standard_error for e in ends]
        level = None if ends[0].interval is None else ends[0].interval.level
        if errors[0] is None or errors[1] is None or level is None:
            raise EstimatorRefused(
                where="missing.manski_bounds",
                found=f"the estimator '{ends[0].estimator}', which gives no standard error",
                expected="a standard error at each bound",
                remedy="Bound the effect with an estimator such as difference_in_means.",
            )
        values = [float(np.log(e.value)) if estimand.scale in RATIO_SCALES else e.value for e in ends]
        (low, low_error), (high, high_error) = sorted(zip(values, (errors[0], errors[1]), strict=True))
        return bounds_estimate(
            Bounds(low=low, high=high, low_error=low_error, high_error=high_error),
            sample,
            scale=estimand.scale,
            level=level,
            estimator=ends[0].estimator,
            units_used=sample.people,
            handling={
                "method": "manski_bounds",
                "lowest": self.lowest,
                "highest": self.highest,
                "missing": incomplete(sample)["outcome"],
            },
        )

    def _cases(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """(fill of the treated arm, fill of the reference arm) for each bound."""
        return (self.lowest, self.highest), (self.highest, self.lowest)

    def _extreme(
        self,
        sample: Sample,
        treated: float,
        reference: float,
        estimator: Estimator,
        estimand: Estimand,
        rng: np.random.Generator,
    ) -> Estimate:
        filled = np.where(sample.treated, treated, reference)
        return estimator(
            replace(sample, outcome=np.where(sample.observed, sample.outcome, filled)), estimand, rng
        )

    def _check(self, sample: Sample) -> None:
        seen = sample.outcome[sample.observed]
        beyond = int(np.sum((seen < self.lowest) | (seen > self.highest)))
        if beyond:
            raise EstimatorRefused(
                where="missing.manski_bounds",
                found=f"{beyond} outcomes outside the declared range",
                expected="a range that holds every possible outcome",
                remedy="Widen `lowest` and `highest` to the ends of the outcome's scale.",
            )
        for part in ("covariates", "exposure", "baseline"):
            values = getattr(sample, part)
            if values is not None and np.isnan(values).any():
                raise EstimatorRefused(
                    where=f"missing.manski_bounds ({part})",
                    found=f"{int(np.isnan(values).sum())} gaps",
                    expected="only outcomes to be missing",
                    remedy="Use an analysis without that part, or multiple_imputation.",
                )
