"""Leave the gaps to the estimator: for models whose likelihood uses incomplete rows as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluation.estimate import Estimate, Estimator, EstimatorRefused
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinEstimator:
    """No choices: refused unless the estimator says `handles_missing`."""

    kinds: ClassVar = frozenset({"mean", "binary", "count", "time", "recurrent"})

    def __call__(
        self, sample: Sample, estimator: Estimator, estimand: Estimand, rng: np.random.Generator
    ) -> Estimate:
        """The estimator's answer on every row, gaps included."""
        if not getattr(estimator, "handles_missing", False):
            raise EstimatorRefused(
                where="missing.within_estimator",
                found=f"the estimator '{type(estimator).__module__.rsplit('.', 1)[-1]}'",
                expected="one that says how it uses incomplete rows",
                remedy="Use complete_case or multiple_imputation.",
            )
        return estimator(sample, estimand, rng)
