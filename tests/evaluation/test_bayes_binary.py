"""bayes_binary against numerical integration, and its gate against chains that have not met."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from data_contracts.catalogue import find
from data_contracts.declared import build
from evaluation.bayes.posterior import Sampling, probabilities, weighted_quantile
from evaluation.estimate import EstimatorRefused
from evaluation.sample import Sample
from experiments.estimand import Estimand

# The LIFE experiment: 48 of 216 men re-arrested with aid, 66 of 216 without.
EVENTS, PEOPLE = (66, 48), (216, 216)


def life(better: Any = "lower", smallest_worthwhile: float | None = -0.05) -> Sample:
    outcome = [np.repeat([1.0, 0.0], [e, n - e]) for e, n in zip(EVENTS, PEOPLE, strict=True)]
    return Sample(
        outcome=np.concatenate(outcome),
        arm=np.repeat([0, 1], PEOPLE),
        arms=("no_aid", "financial_aid"),
        unit="proportion re-arrested",
        kind="binary",
        person=np.arange(sum(PEOPLE)),
        better=better,
        smallest_worthwhile=smallest_worthwhile,
    )


def estimand(scale: Any = "risk_difference") -> Estimand:
    return Estimand(
        outcome="rearrest",
        contrast=("financial_aid", "no_aid"),
        population="everyone randomised",
        scale=scale,
        intercurrent={},
    )


def estimator(sd: float = 1.0, draws: int = 4000) -> Any:
    options = {
        "prior": {
            "reference_risk": {"alpha": 1.0, "beta": 1.0},
            "log_odds_ratio": {"mean": 0.0, "sd": sd},
        },
        "level": 0.95,
        "draws": draws,
        "tune": 1000,
        "chains": 4,
    }
    return build(find("evaluation.estimators", "bayes_binary"), options, path="analyses.bayesian")


def integrated(sd: float | None) -> dict[str, float]:
    """Posterior summaries of the risk difference by the trapezium rule on a fine grid of two logits."""
    logit0, theta = np.meshgrid(np.linspace(-2.5, 1.0, 1201), np.linspace(-2.0, 1.5, 1201), indexing="ij")
    logit1 = logit0 + theta
    log_density = (
        (1 + EVENTS[0]) * logit0 - (2 + PEOPLE[0]) * np.logaddexp(0, logit0)
        + EVENTS[1] * logit1 - PEOPLE[1] * np.logaddexp(0, logit1)
    )  # fmt: skip
    if sd is not None:
        log_density -= theta**2 / (2 * sd**2)
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    difference = expit(logit1) - expit(logit0)
    mean = float(np.sum(weight * difference))
    return {
        "mean": mean,
        "sd": float(np.sqrt(np.sum(weight * (difference - mean) ** 2))),
        "benefit": float(np.sum(weight, where=difference < 0)),
        "worthwhile": float(np.sum(weight, where=difference <= -0.05)),
    }


@pytest.fixture(scope="module")
def answer() -> Any:
    return estimator()(life(), estimand(), np.random.default_rng(19711001))


def test_the_posterior_is_the_one_that_integration_gives(answer: Any) -> None:
    """Five Monte Carlo errors of the mean; the SD and the probabilities have errors of the same order."""
    exact = integrated(1.0)
    error = answer.extra["convergence"]["monte_carlo_error"]
    assert error < 0.0006
    assert abs(answer.value - exact["mean"]) < 5 * error
    assert abs(answer.standard_error - exact["sd"]) < 5 * error
    # With at least 8,000 effective draws a probability p has error sqrt(p (1 - p) / 8000) at most.
    for name, key in (("probability_of_benefit", "benefit"), ("probability_worthwhile", "worthwhile")):
        p = exact[key]
        assert abs(answer.extra[name] - p) < 5 * np.sqrt(p * (1 - p) / 8000)


def test_other_priors_by_reweighting_are_those_that_integration_gives(answer: Any) -> None:
    rows = {row["prior"]: row for row in answer.extra["prior_sensitivity"]}
    assert rows["as declared"]["value"] == pytest.approx(answer.value, abs=1e-12)
    for name, sd in (("half the spread", 0.5), ("twice the spread", 2.0), ("flat", None)):
        assert abs(rows[name]["value"] - integrated(sd)["mean"]) < 0.0025
    assert rows["half the spread"]["value"] > rows["as declared"]["value"] > rows["flat"]["value"]


def test_it_agrees_with_the_difference_in_proportions_where_the_prior_is_weak() -> None:
    """With a log odds ratio of Normal(0, 1.5) the posterior mean is the observed -0.0833 to four places."""
    found = estimator(sd=1.5)(life(), estimand(), np.random.default_rng(1))
    observed = EVENTS[1] / PEOPLE[1] - EVENTS[0] / PEOPLE[0]
    assert abs(integrated(1.5)["mean"] - observed) < 5e-5
    assert abs(found.value - observed) < 4 * found.extra["convergence"]["monte_carlo_error"]


def test_the_draws_are_the_same_for_any_number_of_cores(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "process_cpu_count", lambda: 1)
    again = estimator()(life(), estimand(), np.random.default_rng(19711001))
    assert again.draws.tobytes() == answer.draws.tobytes()
    assert again.extra == answer.extra


def test_better_decides_which_side_is_benefit(answer: Any) -> None:
    turned = estimator()(life("higher", 0.0), estimand(), np.random.default_rng(19711001))
    assert turned.extra["probability_of_benefit"] == answer.extra["probability_above_no_effect"]
    assert turned.extra["probability_worthwhile"] == answer.extra["probability_above_no_effect"]
    unsaid = probabilities(answer.draws, "risk_difference", None, -0.05)
    assert unsaid["probability_of_benefit"] is None


def test_ratio_scales_are_ratios_with_the_error_of_the_log() -> None:
    found = estimator(sd=10.0)(life(), estimand("odds_ratio"), np.random.default_rng(2))
    observed = (48 / 168) / (66 / 150)
    error = np.sqrt(1 / 48 + 1 / 168 + 1 / 66 + 1 / 150)
    assert found.value == pytest.approx(observed, rel=0.02)
    assert found.standard_error == pytest.approx(error, rel=0.03)
    assert found.interval.low < found.value < found.interval.high


def test_an_arm_where_nothing_happened_has_an_answer() -> None:
    sample = life()
    none = replace(sample, outcome=np.where(sample.arm == 1, 0.0, sample.outcome))
    found = estimator()(none, estimand(), np.random.default_rng(3))
    assert found.value < -0.2 and found.extra["probability_of_benefit"] == 1.0


def test_chains_that_have_not_met_are_refused() -> None:
    from evaluation.bayes.sampling import Posterior, check_convergence

    rng = np.random.default_rng(4)
    sampling = Sampling(draws=1000, tune=500, chains=4)
    apart = rng.normal(size=(4, 1000)) + np.arange(4)[:, None]
    with pytest.raises(EstimatorRefused, match="R-hat"):
        check_convergence(Posterior(values={"theta": apart}, divergences=0), apart, sampling)
    together = rng.normal(size=(4, 1000))
    check_convergence(Posterior(values={"theta": together}, divergences=0), together, sampling)
    with pytest.raises(EstimatorRefused, match="3 divergent transitions"):
        check_convergence(Posterior(values={"theta": together}, divergences=3), together, sampling)
    slow = np.cumsum(rng.normal(size=(4, 1000)), axis=1)
    with pytest.raises(EstimatorRefused, match="effective sample size"):
        check_convergence(Posterior(values={"theta": slow}, divergences=0), slow, sampling)


def test_a_prior_that_is_no_distribution_is_refused_with_its_path() -> None:
    with pytest.raises(EstimatorRefused, match=r"analyses\.bayesian\.prior\.log_odds_ratio\.sd"):
        estimator(sd=0.0)
    with pytest.raises(EstimatorRefused, match="draws"):
        estimator(draws=10)


def test_weighted_quantiles_of_even_weights_are_the_ordinary_ones() -> None:
    draws = np.random.default_rng(5).normal(size=401)
    found = weighted_quantile(draws, np.full(401, 1 / 401), (0.1, 0.5, 0.9))
    np.testing.assert_allclose(found, np.quantile(draws, (0.1, 0.5, 0.9), method="hazen"), rtol=1e-12)
