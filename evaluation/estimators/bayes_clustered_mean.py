"""Bayesian difference in means in a trial of clusters, with a prior on the intracluster correlation.

    y_i = mu_k + x_i' gamma + u_c + e_i,   u_c ~ N(0, rho s^2),   e_i ~ N(0, (1 - rho) s^2)

Clusters share one variance and their means are partially pooled by it. With few clusters the data say
little of rho, so its prior, Beta from earlier trials in like places, does honest work: the interval
carries the doubt that remains. Assumes clusters independent and the size of a cluster unrelated to its
effect.

References: Spiegelhalter (2001), Bayesian methods for cluster randomized trials with continuous
responses, Statistics in Medicine 20, 435-452; Turner, Thompson & Spiegelhalter (2005), Prior distributions
for the intracluster correlation coefficient, Clinical Trials 2, 108-118.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluation.bayes.arm_rows import CLUSTERS, check_whole_clusters
from evaluation.bayes.mean_effect import mean_effect
from evaluation.bayes.posterior import Sampling
from evaluation.bayes.priors import ClusteredMeanPriors
from evaluation.estimate import Estimate, check_level
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesClusteredMean:
    """The priors, the level of the credible interval, and how long to sample."""

    prior: ClusteredMeanPriors
    level: float
    draws: int
    tune: int
    chains: int

    designs: ClassVar = CLUSTERS
    kinds: ClassVar = frozenset({"mean"})
    scales: ClassVar = frozenset({"mean_difference"})
    needs: ClassVar = frozenset({"cluster"})

    def __post_init__(self) -> None:
        check_level(self.level)
        Sampling(draws=self.draws, tune=self.tune, chains=self.chains)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The posterior of the difference; refuses what has not converged."""
        check_whole_clusters(sample)
        return mean_effect(
            sample,
            estimand,
            self.prior,
            level=self.level,
            sampling=Sampling(draws=self.draws, tune=self.tune, chains=self.chains),
            estimator="bayes_clustered_mean",
            rng=rng,
        )
