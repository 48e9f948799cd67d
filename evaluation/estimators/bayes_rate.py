"""Bayesian comparison of two rates of events, with time at risk and the priors that the study declares.

    y_i ~ NegativeBinomial(mean m_i, variance m_i + delta m_i^2),   m_i = e_i lambda_k exp(x_i' gamma)

or Poisson (delta = 0) where the study says so: it is refused when the counts vary more than that. The
rate ratio is lambda_1 / lambda_0, which adjusting for covariates does not redefine; the rate difference
averages over the covariates of the people in the trial, by their time at risk. Assumes people
independent, exposure not changed by treatment, and priors fixed before the data were seen.

References: Hilbe (2011), Negative Binomial Regression, 2nd ed., 8.2; Gelman et al. (2013), Bayesian Data
Analysis, 3rd ed., 16.1 to 16.4; sampler and gate: Vehtari et al. (2021), in `evaluation/bayes/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.bayes.arm_rows import PEOPLE, check_independent, people_by_covariates, ranges
from evaluation.bayes.posterior import Sampling, effect_estimate
from evaluation.bayes.prior_sensitivity import prior_sensitivity
from evaluation.bayes.priors import RatePriors
from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference.count_rows import check_counts, exposure_of
from evaluation.sample import Floats, Ints, Sample
from experiments.estimand import Estimand

POISSON_LIMIT = 1.5
"""Pearson's chi-squared over its degrees of freedom above which a Poisson likelihood is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesRate:
    """The likelihood, the priors, the level of the credible interval, and how long to sample."""

    likelihood: Literal["negative_binomial", "poisson"]
    prior: RatePriors
    level: float
    draws: int
    tune: int
    chains: int

    designs: ClassVar = PEOPLE
    kinds: ClassVar = frozenset({"count"})
    scales: ClassVar = frozenset({"rate_ratio", "rate_difference"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)
        Sampling(draws=self.draws, tune=self.tune, chains=self.chains)
        if (self.prior.dispersion is None) == (self.likelihood == "negative_binomial"):
            raise EstimatorRefused(
                where="prior.dispersion",
                found="none" if self.prior.dispersion is None else "a prior that a Poisson does not use",
                expected="a prior of the dispersion for a negative binomial, and null for a Poisson",
                remedy="Write `dispersion: {mean: 1.0}`, or `dispersion: null`.",
            )

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The posterior of the effect on the estimand's scale; refuses what has not converged."""
        from evaluation.bayes.rate_model import compiled_model
        from evaluation.bayes.sampling import check_convergence, sample_posterior

        check_counts(sample, ratio=False)
        check_independent(sample)
        adjusts = self.prior.covariate_slopes is not None
        people = people_by_covariates(sample, exposure_of(sample), adjusts=adjusts)
        if self.likelihood == "poisson":
            check_spread(people.outcome.astype(np.int64), people.exposure, people.arm)
        sampling = Sampling(draws=self.draws, tune=self.tune, chains=self.chains)
        columns = people.covariates.shape[1]
        posterior = sample_posterior(
            compiled_model(self.likelihood == "negative_binomial", columns),
            self._data(people.outcome, people.arm, people.exposure, people.covariates),
            sampling,
            rng,
        )
        logs = posterior.values["log_rates"]
        rates = np.exp(logs)
        if columns:
            slopes = posterior.values["slopes"]
            factor = np.exp(np.einsum("cdk,nk->cdn", slopes, people.covariates))
            rates = rates * np.average(factor, axis=2, weights=people.exposure)[:, :, None]
        theta = logs[:, :, 1] - logs[:, :, 0]
        ratio = estimand.scale == "rate_ratio"
        draws = np.exp(theta) if ratio else rates[:, :, 1] - rates[:, :, 0]
        convergence = check_convergence(posterior, theta if ratio else draws, sampling)
        extra: dict[str, Any] = {
            "rates": [
                {"arm": name, **ranges(rates[:, :, k], self.level)} for k, name in enumerate(sample.arms)
            ],
            "prior_sensitivity": prior_sensitivity(
                theta.reshape(-1),
                draws.reshape(-1),
                self.prior.log_rate_ratio,
                sample=sample,
                scale=estimand.scale,
                level=self.level,
            ),
            "adjusted_for": list(people.names),
        }
        if "dispersion" in posterior.values:
            extra["dispersion"] = ranges(posterior.values["dispersion"], self.level)
        return effect_estimate(
            draws,
            sample,
            estimand,
            estimator="bayes_rate",
            level=self.level,
            convergence=convergence,
            extra=extra,
        )

    def _data(self, count: Floats, arm: Ints, exposure: Floats, covariates: Floats) -> dict[str, Any]:
        prior = self.prior
        data: dict[str, Any] = {
            "count": count.astype(np.int64),
            "arm": arm,
            "log_exposure": np.log(exposure),
            "rate": np.array([prior.log_reference_rate.mean, prior.log_reference_rate.sd]),
            "ratio": np.array([prior.log_rate_ratio.mean, prior.log_rate_ratio.sd]),
        }
        if covariates.shape[1] and prior.covariate_slopes is not None:
            data["x"] = covariates
            data["slope"] = np.array([prior.covariate_slopes.mean, prior.covariate_slopes.sd])
        if prior.dispersion is not None:
            data["mean_dispersion"] = prior.dispersion.mean
        return data


def check_spread(count: Ints, exposure: Floats, arm: Ints) -> None:
    """Refuse a Poisson likelihood where sum (y - m)^2 / m exceeds 1.5 times its degrees of freedom."""
    total, freedom = 0.0, len(count)
    for k in (0, 1):
        y, time = count[arm == k], exposure[arm == k]
        freedom -= 1
        if y.sum() == 0:
            continue
        mean = time * y.sum() / time.sum()
        total += float(np.sum((y - mean) ** 2 / mean))
    if freedom > 0 and total / freedom > POISSON_LIMIT:
        raise EstimatorRefused(
            where="likelihood",
            found=f"counts that vary {total / freedom:.1f} times as much as a Poisson's",
            expected=f"no more than {POISSON_LIMIT:g} times",
            remedy="Use `likelihood: negative_binomial`, with a prior of its dispersion.",
        )
