"""Bayesian comparison of two proportions, with the priors that the study declares.

    y_k ~ Binomial(n_k, p_k),   p_0 ~ Beta(alpha, beta),   logit p_1 - logit p_0 ~ Normal(mean, sd)

The posterior of p_1 - p_0, p_1 / p_0 or the odds ratio, with the probability of benefit and of an
effect at least as large as the smallest worthwhile one. It adjusts for nothing: what blocks or covariates
explain stays in the noise. Assumes people independent, all with the same chance of treatment, one risk
in each arm, and priors fixed before the data were seen. A prior centred on no effect draws the answer towards
it; the rows of `prior_sensitivity` say by how much, the last of them with no pull at all.

References: Spiegelhalter, Abrams & Myles (2004), Bayesian Approaches to Clinical Trials and
Health-Care Evaluation, chs 5-6; sampler and gate: Vehtari et al. (2021), in `evaluation/bayes/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from evaluation.bayes.arm_rows import PEOPLE, check_independent, ranges
from evaluation.bayes.contrasts import risk_contrast
from evaluation.bayes.posterior import Sampling, effect_estimate, probabilities
from evaluation.bayes.prior_sensitivity import prior_sensitivity
from evaluation.bayes.priors import BinaryPriors
from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.sample import Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesBinary:
    """The priors, the level of the credible interval, and how long to sample."""

    prior: BinaryPriors
    level: float
    draws: int
    tune: int
    chains: int

    designs: ClassVar = PEOPLE
    kinds: ClassVar = frozenset({"binary"})
    scales: ClassVar = frozenset({"risk_difference", "risk_ratio", "odds_ratio"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)
        Sampling(draws=self.draws, tune=self.tune, chains=self.chains)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The posterior of the effect on the estimand's scale; refuses what has not converged."""
        # Imported here so that declaring a study does not load the sampler.
        from evaluation.bayes.binary_model import compiled_model
        from evaluation.bayes.sampling import check_convergence, sample_posterior

        check_zero_one(sample)
        check_independent(sample)
        people = np.array([np.sum(sample.arm == 0), np.sum(sample.arm == 1)])
        events = np.array([np.sum(sample.outcome[sample.arm == k]) for k in (0, 1)]).astype(np.int64)
        risk, effect = self.prior.reference_risk, self.prior.log_odds_ratio
        sampling = Sampling(draws=self.draws, tune=self.tune, chains=self.chains)
        data = {
            "events": events,
            "people": people,
            "alpha": risk.alpha,
            "beta": risk.beta,
            "mean": effect.mean,
            "sd": effect.sd,
        }
        posterior = sample_posterior(compiled_model(), data, sampling, rng)
        logit0, logit1 = (posterior.values[f"logit_{arm}_risk"] for arm in ("reference", "treated"))
        p0, p1, theta = expit(logit0), expit(logit1), logit1 - logit0
        draws = risk_contrast(p0, p1, theta, estimand.scale)
        line = np.log(draws) if estimand.scale in RATIO_SCALES else draws
        convergence = check_convergence(posterior, line, sampling)
        return effect_estimate(
            draws,
            sample,
            estimand,
            estimator="bayes_binary",
            level=self.level,
            convergence=convergence,
            extra={
                "risks": [{"arm": sample.arms[k], **ranges(p, self.level)} for k, p in ((0, p0), (1, p1))],
                "prior_predictive": self._prior_alone(sample, estimand.scale, rng),
                "prior_sensitivity": prior_sensitivity(
                    theta.reshape(-1),
                    draws.reshape(-1),
                    effect,
                    sample=sample,
                    scale=estimand.scale,
                    level=self.level,
                ),
                "adjusted_for": [],
            },
        )

    def _prior_alone(self, sample: Sample, scale: str, rng: np.random.Generator) -> dict[str, Any]:
        """What the priors say of the effect before any data: interval and probabilities."""
        p0 = rng.beta(self.prior.reference_risk.alpha, self.prior.reference_risk.beta, 20_000)
        p0 = np.clip(p0, 1e-12, 1 - 1e-12)
        theta = rng.normal(self.prior.log_odds_ratio.mean, self.prior.log_odds_ratio.sd, 20_000)
        draws = risk_contrast(p0, expit(np.log(p0) - np.log1p(-p0) + theta), theta, scale)
        low, high = np.quantile(draws, ((1 - self.level) / 2, (1 + self.level) / 2))
        found = probabilities(draws, scale, sample.better, sample.smallest_worthwhile)
        return {
            "low": float(low),
            "high": float(high),
            "probability_of_benefit": found["probability_of_benefit"],
            "probability_worthwhile": found["probability_worthwhile"],
        }


def check_zero_one(sample: Sample) -> None:
    """Refuse outcomes that are not 0 or 1; one that never or always happens has an answer here."""
    odd = int(np.count_nonzero((sample.outcome != 0) & (sample.outcome != 1)))
    if sample.kind != "binary" or odd:
        raise EstimatorRefused(
            where="outcome",
            found=f"{odd} rows that are neither 0 nor 1" if odd else f"a {sample.kind} outcome",
            expected="an outcome that happened or did not",
            remedy="Use `bayes_rate` for counts, or declare the outcome's kind.",
        )
