"""Priors as a study declares them: named distributions with every number written out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from evaluation.estimate import EstimatorRefused
from evaluation.sample import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaPrior:
    """Beta(alpha, beta) for a proportion: mean alpha / (alpha + beta), worth alpha + beta people."""

    alpha: float
    beta: float

    def __post_init__(self) -> None:
        for name in ("alpha", "beta"):
            check_positive(name, getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalPrior:
    """Normal(mean, sd) for a log ratio, a log rate or another number on the whole line."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        check_positive("sd", self.sd)

    def log_density(self, values: Floats) -> Floats:
        """Log density at each value."""
        return np.asarray(stats.norm.logpdf(values, self.mean, self.sd), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfNormalPrior:
    """The positive half of Normal(0, sd), for a standard deviation between clusters or sites."""

    sd: float

    def __post_init__(self) -> None:
        check_positive("sd", self.sd)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentialPrior:
    """Exponential with the given mean, for a dispersion above zero."""

    mean: float

    def __post_init__(self) -> None:
        check_positive("mean", self.mean)


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryPriors:
    """For two proportions: the reference arm's risk, and the effect as a log odds ratio."""

    reference_risk: BetaPrior
    log_odds_ratio: NormalPrior


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePriors:
    """For two rates: the log of the reference arm's rate per unit of exposure, and the log rate ratio.

    `dispersion` is needed where the likelihood is negative binomial, and null where it is Poisson.
    `covariate_slopes`, of the log rate per standard deviation, says that the analysis adjusts for its
    covariates; null says that it does not.
    """

    log_reference_rate: NormalPrior
    log_rate_ratio: NormalPrior
    dispersion: ExponentialPrior | None
    covariate_slopes: NormalPrior | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredBinaryPriors:
    """For proportions in clusters: as for two proportions, with the intracluster correlation."""

    reference_risk: BetaPrior
    log_odds_ratio: NormalPrior
    icc: BetaPrior


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanPriors:
    """For two means, in the outcome's unit: the reference arm's mean, the difference, the SD between people.

    `covariate_slopes`, per standard deviation of a covariate, says that the analysis adjusts for its
    covariates; null says that it does not.
    """

    reference_mean: NormalPrior
    difference: NormalPrior
    sd: HalfNormalPrior
    covariate_slopes: NormalPrior | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredMeanPriors(MeanPriors):
    """As for two means, with the intracluster correlation; `sd` is of people across clusters."""

    icc: BetaPrior


def check_positive(where: str, value: float) -> None:
    """Refuse a prior's number that is not finite and above zero."""
    if not (np.isfinite(value) and value > 0):
        raise EstimatorRefused(
            where=where,
            found=str(value),
            expected="a finite number above zero",
            remedy="A prior must be a proper distribution; a wide one is written with large numbers.",
        )
