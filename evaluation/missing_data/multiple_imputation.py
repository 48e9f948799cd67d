"""Multiple imputation: the analysis of every completed data set, pooled with the doubt that gaps leave.

The estimator analyses each completed data set as if nothing had been missing, with its own variance
(cluster-robust where it is), and Rubin's rules pool the answers on the line (logs of ratios). A
Bayesian estimator's draws are mixed instead. Assumes outcomes missing at random given arm, covariates,
auxiliary columns and cluster.

References: in `evaluation/imputation/chained.py` and `pooling.py`; mixing of draws: Gelman et al.
(2013), Bayesian Data Analysis, 3rd ed., 18.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluation.estimate import Estimate, Estimator
from evaluation.imputation.chained import impute
from evaluation.imputation.pooled_estimate import anything_missing, incomplete, pooled_estimate
from evaluation.imputation.settings import Imputation
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class MultipleImputation(Imputation):
    """The choices of `Imputation`, and nothing more."""

    kinds: ClassVar = frozenset({"mean", "binary", "count"})

    def __call__(
        self, sample: Sample, estimator: Estimator, estimand: Estimand, rng: np.random.Generator
    ) -> Estimate:
        """The pooled answer; the plain one where nothing is missing."""
        if not anything_missing(sample):
            return estimator(sample, estimand, rng)
        completed = impute(sample, self, rng)
        estimates = [estimator(one, estimand, rng) for one in completed.samples(sample)]
        extra = {"imputations": self.imputations, "missing": incomplete(sample), "r_hat": completed.r_hat}
        return pooled_estimate(estimates, sample, estimand, method="multiple_imputation", extra=extra)
