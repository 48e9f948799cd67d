"""bayes_mean against least squares, bayes_clustered_mean against REML, bayes_clustered_binary against integration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import betaln, expit

from data_contracts.catalogue import find
from data_contracts.declared import build
from evaluation.estimate import EstimatorRefused
from evaluation.sample import Sample
from experiments.estimand import Estimand
from plugin_worlds import binary_clustered, mean_clustered, mean_complete

LONG = {"level": 0.95, "draws": 2000, "tune": 500, "chains": 4}
WIDE = {"reference_mean": {"mean": 0.0, "sd": 1e3}, "difference": {"mean": 0.0, "sd": 1e3}, "sd": {"sd": 1e3}}


def asked(sample: Sample, scale: Any) -> Estimand:
    return Estimand(
        outcome="y", contrast=(sample.arms[1], sample.arms[0]), population="all", scale=scale, intercurrent={}
    )


def made(name: str, prior: dict[str, Any], **more: Any) -> Any:
    return build(find("evaluation.estimators", name), {"prior": prior, **LONG, **more}, path=name)


def test_wide_priors_give_the_analysis_of_covariance() -> None:
    """n = 200: the posterior SD is that of least squares times 1.008 (a t on 196 degrees of freedom).

    The SD's own Monte Carlo error is 0.8% here: 32,000 draws whose squares are correlated.
    """
    sample, _ = mean_complete.make(np.random.default_rng(1))
    assert sample.covariates is not None
    fitted = sm.OLS(sample.outcome, sm.add_constant(np.column_stack([sample.arm, sample.covariates]))).fit()
    estimator = made("bayes_mean", WIDE | {"covariate_slopes": {"mean": 0.0, "sd": 1e3}}, draws=8000)
    found = estimator(sample, asked(sample, "mean_difference"), np.random.default_rng(2))
    assert abs(found.value - fitted.params[1]) < 5 * found.extra["convergence"]["monte_carlo_error"]
    assert found.standard_error == pytest.approx(1.008 * fitted.bse[1], rel=0.03)
    assert found.extra["adjusted_for"] == ["baseline"]


def test_wide_priors_give_the_mixed_model_with_more_doubt_about_its_correlation() -> None:
    """30 clusters: the mean agrees with REML; the SD is larger, by the doubt of the variances."""
    sample, _ = mean_clustered.make(np.random.default_rng(3))
    fitted = sm.MixedLM(sample.outcome, sm.add_constant(sample.arm.astype(float)), sample.cluster).fit(
        reml=True
    )
    icc = fitted.cov_re[0, 0] / (fitted.cov_re[0, 0] + fitted.scale)
    estimator = made(
        "bayes_clustered_mean", WIDE | {"covariate_slopes": None, "icc": {"alpha": 1.0, "beta": 1.0}}
    )
    found = estimator(sample, asked(sample, "mean_difference"), np.random.default_rng(4))
    assert abs(found.value - fitted.params[1]) < 0.05 * fitted.bse[1]
    assert 1.0 < found.standard_error / fitted.bse[1] < 1.15
    assert found.extra["icc"]["low"] < icc < found.extra["icc"]["high"]
    assert found.clusters_used == 30


def test_a_prior_of_no_correlation_gives_the_answer_without_clusters() -> None:
    sample, _ = mean_clustered.make(np.random.default_rng(5))
    none = made("bayes_clustered_mean", WIDE | {"covariate_slopes": None, "icc": {"alpha": 1.0, "beta": 1e6}})
    found = none(sample, asked(sample, "mean_difference"), np.random.default_rng(6))
    y, arm = sample.outcome, sample.arm
    assert abs(found.value - (y[arm == 1].mean() - y[arm == 0].mean())) < 0.02


def test_the_clustered_risks_are_those_that_integration_gives() -> None:
    sample, _ = binary_clustered.make(np.random.default_rng(7))
    assert sample.cluster is not None
    prior = {
        "reference_risk": {"alpha": 2.0, "beta": 3.0},
        "log_odds_ratio": {"mean": 0.0, "sd": 1.0},
        "icc": {"alpha": 1.0, "beta": 9.0},
    }
    found = made("bayes_clustered_binary", prior)(
        sample, asked(sample, "risk_difference"), np.random.default_rng(8)
    )
    logits, icc = np.linspace(-2.2, 1.2, 171), np.linspace(0.0005, 0.4, 120)
    tables = []
    for k in (0, 1):
        total = np.zeros((len(icc), len(logits)))
        phi = ((1 - icc) / icc)[:, None]
        a, b = expit(logits) * phi, expit(-logits) * phi
        for c in np.unique(sample.cluster[sample.arm == k]):
            y, n = sample.outcome[sample.cluster == c].sum(), np.sum(sample.cluster == c)
            total += betaln(y + a, n - y + b) - betaln(a, b)
        tables.append(total)
    theta = logits[None, :] - logits[:, None]
    log_prior = (2 * logits - 5 * np.logaddexp(0, logits))[:, None] - theta**2 / 2
    full = tables[0][:, :, None] + tables[1][:, None, :] + log_prior + (8 * np.log1p(-icc))[:, None, None]
    weight = np.exp(full - full.max())
    weight /= weight.sum()
    difference = expit(logits)[None, :] - expit(logits)[:, None]
    mean = float(np.sum(weight.sum(axis=0) * difference))
    spread = float(np.sqrt(np.sum(weight.sum(axis=0) * (difference - mean) ** 2)))
    assert abs(found.value - mean) < 5 * found.extra["convergence"]["monte_carlo_error"]
    assert found.standard_error == pytest.approx(spread, rel=0.05)
    correlation = float(np.sum(weight.sum(axis=(1, 2)) * icc))
    assert found.extra["icc"]["mean"] == pytest.approx(correlation, rel=0.06)


def test_clusters_in_both_arms_and_constant_scores_are_refused() -> None:
    rng = np.random.default_rng(9)
    sample, _ = mean_clustered.make(rng)
    estimator = made(
        "bayes_clustered_mean", WIDE | {"covariate_slopes": None, "icc": {"alpha": 1.0, "beta": 9.0}}
    )
    mixed = replace(sample, arm=np.arange(len(sample.arm)) % 2)
    with pytest.raises(EstimatorRefused, match="both arms"):
        estimator(mixed, asked(sample, "mean_difference"), rng)
    flat = replace(sample, outcome=np.ones(len(sample.arm)))
    with pytest.raises(EstimatorRefused, match="same value"):
        estimator(flat, asked(sample, "mean_difference"), rng)
