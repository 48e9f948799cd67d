"""Bayesian difference in means between people, with the priors that the study declares.

    y_i = mu_k + x_i' gamma + e_i,   e_i ~ N(0, s^2)

mu_0 and the difference are normal a priori, s half-normal, all in the outcome's unit; covariates enter
where the priors name their slopes (analysis of covariance). Assumes people independent, one spread in
both arms, and priors fixed before the data were seen.

References: Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., 14.1 to 14.3; sampler and gate: Vehtari
et al. (2021), in `evaluation/bayes/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluation.bayes.arm_rows import PEOPLE, check_independent
from evaluation.bayes.mean_effect import mean_effect
from evaluation.bayes.posterior import Sampling
from evaluation.bayes.priors import MeanPriors
from evaluation.estimate import Estimate, check_level
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesMean:
    """The priors, the level of the credible interval, and how long to sample."""

    prior: MeanPriors
    level: float
    draws: int
    tune: int
    chains: int

    designs: ClassVar = PEOPLE
    kinds: ClassVar = frozenset({"mean"})
    scales: ClassVar = frozenset({"mean_difference"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)
        Sampling(draws=self.draws, tune=self.tune, chains=self.chains)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The posterior of the difference; refuses what has not converged."""
        check_independent(sample)
        return mean_effect(
            sample,
            estimand,
            self.prior,
            level=self.level,
            sampling=Sampling(draws=self.draws, tune=self.tune, chains=self.chains),
            estimator="bayes_mean",
            rng=rng,
        )
