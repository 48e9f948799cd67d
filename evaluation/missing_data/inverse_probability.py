"""Inverse-probability weights: people with an outcome stand in for those like them who were lost.

    w_i = 1 / Pr(complete | arm, covariates, auxiliary columns)

from a logistic regression fitted in each arm apart, scaled to average 1 in each arm, and multiplied
into weights the study already has. A gap in a covariate or auxiliary column counts as its mean, with
a column that marks the gap. The analysis's estimator is then run on the complete rows with the
weights. Its variance takes the weights as known, which on average makes it too large, not too small.

Assumes that, given those columns, being lost has nothing to do with the outcome, and that everybody had
some chance of staying. An estimator that does not heed weights is refused.

References: Robins, Rotnitzky & Zhao (1995), Analysis of semiparametric regression models for repeated
outcomes in the presence of missing data, JASA 90, 106-121; Seaman & White (2013), Review of inverse
probability weighting for dealing with missing data, Statistical Methods in Medical Research 22, 278-295.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.special import expit

from evaluation.estimate import Estimate, Estimator, EstimatorRefused
from evaluation.imputation.auxiliary import auxiliary_matrix
from evaluation.missing_data.complete_case import check_arms, complete_rows
from evaluation.sample import Bools, Floats, Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class InverseProbability:
    """`auxiliary` roster columns beside the covariates; `cap` cuts weights at that multiple of 1, or null."""

    auxiliary: tuple[str, ...]
    cap: float | None

    kinds: ClassVar = frozenset({"mean", "binary", "count", "time"})

    def __post_init__(self) -> None:
        if self.cap is not None and self.cap <= 1:
            raise EstimatorRefused(
                where="cap",
                found=f"{self.cap:g}",
                expected="a multiple of the average weight above 1, or null",
                remedy="Write 10 to cut weights at ten times the average, or null to keep them all.",
            )

    def __call__(
        self, sample: Sample, estimator: Estimator, estimand: Estimand, rng: np.random.Generator
    ) -> Estimate:
        """The estimator's answer on the complete rows, weighted; the plain one where all are complete."""
        complete = complete_rows(sample, estimator.needs)
        if complete.all():
            return estimator(sample, estimand, rng)
        kept = sample.keep(complete)
        check_arms(kept)
        weight = response_weights(self._predictors(sample), sample, complete)[complete]
        if self.cap is not None:
            weight = np.minimum(weight, self.cap)
        base = 1.0 if kept.weight is None else kept.weight
        weighted = estimator(replace(kept, weight=weight * base), estimand, rng)
        if np.ptp(weight) > 1e-6 and estimator(kept, estimand, rng).value == weighted.value:
            raise EstimatorRefused(
                where="missing.inverse_probability",
                found=f"the estimator '{weighted.estimator}', which does not heed weights",
                expected="an estimator that weights people",
                remedy="Use one such as difference_in_means, or multiple_imputation.",
            )
        handling = {
            "method": "inverse_probability",
            "complete": {name: float(complete[sample.arm == k].mean()) for k, name in enumerate(sample.arms)},
            "largest_weight": float(weight.max()),
            "effective_people": {
                name: float(w.sum() ** 2 / (w**2).sum())
                for k, name in enumerate(sample.arms)
                for w in [weight[kept.arm == k]]
            },
        }
        return replace(weighted, extra={**weighted.extra, "handling": handling})

    def _predictors(self, sample: Sample) -> Floats:
        """(n, k) covariates, baseline measure and auxiliary columns, gaps filled and marked."""
        auxiliary, labels = auxiliary_matrix(sample, self.auxiliary, where="auxiliary")
        fresh = [i for i, label in enumerate(labels) if label not in sample.covariate_names]
        parts = [auxiliary[:, fresh]]
        if sample.covariates is not None:
            parts.append(sample.covariates)
        if sample.baseline is not None:
            parts.append(sample.baseline[:, None])
        raw = np.concatenate(parts, axis=1)
        gaps = np.isnan(raw)
        some = gaps.any(axis=0)
        counts = np.maximum((~gaps).sum(axis=0), 1)
        filled = np.where(gaps, np.where(gaps, 0.0, raw).sum(axis=0) / counts, raw)
        return np.concatenate([filled, gaps[:, some].astype(np.float64)], axis=1)


def response_weights(predictors: Floats, sample: Sample, complete: Bools) -> Floats:
    """(n,) 1 / chance of being complete, averaging 1 over each arm's complete rows."""
    weight = np.ones(len(complete))
    for code, name in enumerate(sample.arms):
        rows = np.flatnonzero(sample.arm == code)
        if complete[rows].all():
            continue
        chance = response_chance(predictors[rows], complete[rows], where=name)
        raw = 1 / chance
        weight[rows] = raw / raw[complete[rows]].mean()
    return weight


def response_chance(predictors: Floats, complete: Bools, *, where: str) -> Floats:
    """(n,) fitted chances of a logistic regression, by Newton's method; refuses perfect prediction."""
    spread = predictors.std(axis=0)
    scaled = (predictors - predictors.mean(axis=0))[:, spread > 1e-12] / spread[spread > 1e-12]
    x = np.column_stack([np.ones(len(scaled)), scaled])
    beta = np.zeros(x.shape[1])
    for _ in range(50):
        p = expit(x @ beta)
        information = (x * (p * (1 - p))[:, None]).T @ x
        step = np.linalg.lstsq(information, x.T @ (complete - p), rcond=1e-10)[0]
        beta = beta + step
        if np.abs(x @ beta).max() > 30:
            break
        if np.abs(step).max() < 1e-9:
            return np.asarray(expit(x @ beta))
    raise EstimatorRefused(
        where=f"missing.inverse_probability (arm {where})",
        found="covariates that tell exactly who was lost",
        expected="some chance of an outcome for everybody",
        remedy="List fewer `auxiliary` columns, or use manski_bounds.",
    )
