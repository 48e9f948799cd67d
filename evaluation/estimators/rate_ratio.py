"""Ratio of incident rates between the arms, by regression of counts with time at risk as exposure.

    log E[count] = intercept + b arm + blocks + x c + log(exposure),        value = exp(b)

`model` is the working likelihood: `poisson`; `quasi_poisson`, whose model variance is scaled by Pearson's phi; or
`negative_binomial`, variance mu + alpha mu^2 with alpha by maximum likelihood. All three are right about the ratio
whenever the mean is (the log link makes it the same ratio with covariates or without, in a trial); only
`variance: model` leans on the likelihood. HC2 and HC3 do not, nor CR2, CR3 and FG, which sum over clusters.

For 10 to 40 unequal clusters FG with `df: satterthwaite` covered between 94 and 96% at 95 in simulation, CR3 between
95 and 97.5, CR2 between 94 and 95.5 (`benchmarks/coverage_counts.py`). Assumes follow-up that does not depend on the
rate given arm and covariates. Exposure must be above zero.

References: McCullagh & Nelder (1989), Generalized Linear Models, chapter 6; Lawless (1987), Can. J. Stat. 15, 209-225;
Fay & Graubard (2001), Biometrics 57, 1198-1206; Pustejovsky & Tipton (2018), JBES 36, 672-683. Checked against R's
glm, MASS::glm.nb, sandwich and clubSandwich.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, check_level
from evaluation.inference.arm_model import (
    Freedom,
    Variance,
    check_variance,
    contrast_error,
    fit_arm_model,
)
from evaluation.inference.cluster_layout import by_cluster
from evaluation.inference.count_rows import arm_rates, check_counts
from evaluation.inference.row_weights import rows_with_weight
from evaluation.inference.served_designs import CLUSTERS, PEOPLE
from evaluation.inference.wald import wald
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRatio:
    """Choices: the working likelihood, the variance, the degrees of freedom, the level."""

    model: Literal["poisson", "quasi_poisson", "negative_binomial"]
    variance: Variance
    df: Freedom
    level: float

    designs: ClassVar[frozenset[str]] = PEOPLE | CLUSTERS
    kinds: ClassVar[frozenset[str]] = frozenset({"count"})
    scales: ClassVar[frozenset[str]] = frozenset({"rate_ratio"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The rate in `sample.arms[1]` over that in `sample.arms[0]`."""
        sample = rows_with_weight(sample)
        check_counts(sample)
        layout = by_cluster(sample)
        check_variance(self.variance, self.df, layout)
        family: Literal["poisson", "negative_binomial"] = (
            "negative_binomial" if self.model == "negative_binomial" else "poisson"
        )
        fitted = fit_arm_model(sample, family, exposure=True)
        contrast = np.zeros(fitted.columns.shape[1])
        contrast[1] = 1.0
        error, freedom = contrast_error(
            fitted, contrast, self.variance, self.df, dispersed=self.model == "quasi_poisson"
        )
        value = float(np.exp(fitted.equations.coefficient[1]))
        interval, p = wald(value, error, level=self.level, df=freedom, ratio=True)
        return Estimate(
            estimand="",
            estimator="rate_ratio",
            scale="rate_ratio",
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit="ratio of rates",
            units_used=sample.people,
            df=freedom,
            clusters_used=layout.clusters if layout.clustered else None,
            extra={
                "model": self.model,
                "dispersion": float(fitted.equations.dispersion),
                "negative_binomial_alpha": fitted.equations.shape if family == "negative_binomial" else None,
                "rates": arm_rates(sample),
            },
        )
