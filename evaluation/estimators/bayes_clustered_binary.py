"""Bayesian comparison of two proportions in a trial of clusters, with a prior on the intracluster correlation.

    y_c ~ Binomial(n_c, p_c),   p_c ~ Beta with mean mu_k and intracluster correlation rho

The risk of arm k is mu_k, over clusters like these; the clusters' own risks are integrated out. The
effect is mu_1 - mu_0, mu_1 / mu_0 or their odds ratio. Assumes clusters independent, one rho in both
arms, the size of a cluster unrelated to its risk, and priors fixed before the data were seen.

References: Turner, Omar & Thompson (2001), Bayesian methods of analysis for cluster randomized trials
with binary outcome data, Statistics in Medicine 20, 453-472; sampler and gate: Vehtari et al. (2021), in
`evaluation/bayes/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from evaluation.bayes.arm_rows import CLUSTERS, check_whole_clusters, ranges
from evaluation.bayes.contrasts import risk_contrast
from evaluation.bayes.posterior import Sampling, effect_estimate
from evaluation.bayes.prior_sensitivity import prior_sensitivity
from evaluation.bayes.priors import ClusteredBinaryPriors
from evaluation.estimate import Estimate, check_level
from evaluation.inference.binary_rows import check_binary
from evaluation.sample import Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesClusteredBinary:
    """The priors, the level of the credible interval, and how long to sample."""

    prior: ClusteredBinaryPriors
    level: float
    draws: int
    tune: int
    chains: int

    designs: ClassVar = CLUSTERS
    kinds: ClassVar = frozenset({"binary"})
    scales: ClassVar = frozenset({"risk_difference", "risk_ratio", "odds_ratio"})
    needs: ClassVar = frozenset({"cluster"})

    def __post_init__(self) -> None:
        check_level(self.level)
        Sampling(draws=self.draws, tune=self.tune, chains=self.chains)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The posterior of the effect on the estimand's scale; refuses what has not converged."""
        from evaluation.bayes.clustered_binary_model import compiled_model
        from evaluation.bayes.sampling import check_convergence, sample_posterior

        check_binary(sample, estimand.scale)
        cluster = check_whole_clusters(sample)
        codes = np.unique(cluster, return_inverse=True)[1]
        people = np.bincount(codes)
        events = np.bincount(codes, weights=sample.outcome).astype(np.int64)
        arm = (np.bincount(codes, weights=sample.arm) > 0).astype(np.int64)
        order = np.lexsort((events, people, arm))
        prior, sampling = self.prior, Sampling(draws=self.draws, tune=self.tune, chains=self.chains)
        data = {
            "events": events[order],
            "people": people[order],
            "arm": arm[order],
            "risk": np.array([prior.reference_risk.alpha, prior.reference_risk.beta]),
            "effect": np.array([prior.log_odds_ratio.mean, prior.log_odds_ratio.sd]),
            "correlation": np.array([prior.icc.alpha, prior.icc.beta]),
        }
        posterior = sample_posterior(compiled_model(), data, sampling, rng)
        logits = posterior.values["logit_risks"]
        theta = logits[:, :, 1] - logits[:, :, 0]
        risks = expit(logits)
        draws = risk_contrast(risks[:, :, 0], risks[:, :, 1], theta, estimand.scale)
        line = np.log(draws) if estimand.scale in RATIO_SCALES else draws
        convergence = check_convergence(posterior, line, sampling)
        return effect_estimate(
            draws,
            sample,
            estimand,
            estimator="bayes_clustered_binary",
            level=self.level,
            convergence=convergence,
            extra={
                "risks": [
                    {"arm": name, **ranges(risks[:, :, k], self.level)} for k, name in enumerate(sample.arms)
                ],
                "icc": ranges(posterior.values["icc"], self.level),
                "prior_sensitivity": prior_sensitivity(
                    theta.reshape(-1),
                    draws.reshape(-1),
                    prior.log_odds_ratio,
                    sample=sample,
                    scale=estimand.scale,
                    level=self.level,
                ),
                "adjusted_for": [],
            },
        )
