"""Many completed analyses into one Estimate: Rubin's rules, or mixed draws for a posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evaluation.bayes.posterior import centre_and_interval, density, probabilities, quantiles
from evaluation.estimate import Estimate, EstimatorRefused, Interval
from evaluation.imputation.pooling import pool
from evaluation.sample import Floats, Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES


def pooled_estimate(
    estimates: Sequence[Estimate],
    sample: Sample,
    estimand: Estimand,
    *,
    method: str,
    extra: Mapping[str, Any],
) -> Estimate:
    """The estimates of m completed data sets as one; `extra["handling"]` says how.

    Refuses an estimator that gives neither a standard error nor posterior draws.
    """
    first = estimates[0]
    draws = [e.draws for e in estimates if e.draws is not None]
    if len(draws) == len(estimates):
        return _mixed(draws, first, sample, estimand, method=method, extra=extra)
    errors = np.array([np.nan if e.standard_error is None else e.standard_error for e in estimates])
    if np.isnan(errors).any() or first.interval is None:
        raise EstimatorRefused(
            where=f"missing.{method}",
            found=f"the estimator '{first.estimator}', which gives no standard error",
            expected="a standard error to pool, or posterior draws to mix",
            remedy="Use complete_case with this estimator, or impute with one such as difference_in_means.",
        )
    ratio = estimand.scale in RATIO_SCALES
    values = np.array([e.value for e in estimates])
    complete_df = np.mean([np.inf if e.df is None else e.df for e in estimates])
    pooled = pool(np.log(values) if ratio else values, errors**2, float(complete_df))
    low, high = pooled.interval(first.interval.level)
    if ratio:
        low, high = float(np.exp(low)), float(np.exp(high))
    return replace(
        first,
        value=float(np.exp(pooled.value)) if ratio else pooled.value,
        standard_error=pooled.standard_error,
        interval=Interval(low=low, high=high, level=first.interval.level, kind="confidence"),
        p_value=pooled.p_value(),
        df=None if np.isinf(pooled.df) else pooled.df,
        units_used=sample.people,
        clusters_used=sample.clusters,
        draws=None,
        extra={
            "handling": {
                "method": method,
                "pooled": "Rubin's rules, Barnard and Rubin's degrees of freedom",
                "within_variance": pooled.within,
                "between_variance": pooled.between,
                "fraction_missing_information": pooled.fraction_missing,
                "monte_carlo_error": pooled.monte_carlo_error,
                **extra,
            }
        },
    )


def _mixed(
    draws: Sequence[Floats],
    first: Estimate,
    sample: Sample,
    estimand: Estimand,
    *,
    method: str,
    extra: Mapping[str, Any],
) -> Estimate:
    assert first.interval is not None
    level = first.interval.level
    together = np.concatenate(draws)
    value, spread, low, high = centre_and_interval(together, estimand.scale, level)
    return replace(
        first,
        value=value,
        standard_error=spread,
        interval=Interval(low=low, high=high, level=level, kind="credible"),
        units_used=sample.people,
        clusters_used=sample.clusters,
        draws=together,
        extra={
            "quantiles": quantiles(together),
            **probabilities(together, estimand.scale, sample.better, sample.smallest_worthwhile),
            "density": density(together, estimand.scale),
            "handling": {"method": method, "pooled": "posterior draws mixed", **extra},
        },
    )


def incomplete(sample: Sample) -> dict[str, Any]:
    """How many rows lack the outcome, by arm, and how many lack a covariate or the baseline measure."""
    lost = ~sample.observed
    if sample.exposure is not None:
        lost |= np.isnan(sample.exposure)
    covariates = 0 if sample.covariates is None else int(np.isnan(sample.covariates).any(axis=1).sum())
    baseline = 0 if sample.baseline is None else int(np.isnan(sample.baseline).sum())
    return {
        "outcome": {name: int(np.sum(lost & (sample.arm == k))) for k, name in enumerate(sample.arms)},
        "covariates": covariates,
        "baseline": baseline,
    }


def anything_missing(sample: Sample) -> bool:
    """True where an outcome, an exposure, a covariate or the baseline measure is missing."""
    found = incomplete(sample)
    return bool(sum(found["outcome"].values()) + found["covariates"] + found["baseline"])
