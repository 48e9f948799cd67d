"""bayes_rate against numerical integration over its two rates and its dispersion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import gammaln

from data_contracts.catalogue import find
from data_contracts.declared import build
from evaluation.estimate import EstimatorRefused
from evaluation.sample import Sample
from experiments.estimand import Estimand


def few(rng: np.random.Generator, spread: bool) -> Sample:
    arm = np.repeat([0, 1], 30)
    years = rng.uniform(0.5, 1.0, 60)
    frailty = rng.gamma(2.0, 0.5, 60) if spread else 1.0
    return Sample(
        outcome=rng.poisson(2.0 * 0.6**arm * years * frailty).astype(float),
        arm=arm,
        arms=("usual", "mentoring"),
        unit="incidents per year",
        kind="count",
        person=np.arange(60),
        exposure=years,
        better="lower",
        smallest_worthwhile=0.8,
    )


def asked(scale: Any = "rate_ratio") -> Estimand:
    return Estimand(outcome="y", contrast=("b", "a"), population="all", scale=scale, intercurrent={})


def estimator(likelihood: str, **prior: Any) -> Any:
    dispersion = {"mean": 1.0} if likelihood == "negative_binomial" else None
    options = {
        "likelihood": likelihood,
        "prior": {
            "log_reference_rate": {"mean": 0.0, "sd": 2.0},
            "log_rate_ratio": {"mean": 0.0, "sd": 0.5},
            "dispersion": dispersion,
            "covariate_slopes": None,
        }
        | prior,
        "level": 0.95,
        "draws": 2000,
        "tune": 500,
        "chains": 4,
    }
    return build(find("evaluation.estimators", "bayes_rate"), options, path="bayes")


def integrated(sample: Sample, dispersions: np.ndarray) -> dict[str, float]:
    """Moments of the log rate ratio on a grid of log rates, and of dispersions with an Exponential(1) prior."""
    assert sample.exposure is not None
    logs = np.linspace(-2.5, 2.5, 501)
    size = len(dispersions)
    by_arm = []
    for k in (0, 1):
        y, time = sample.outcome[sample.arm == k], sample.exposure[sample.arm == k]
        table = np.zeros((size, len(logs)))
        mean = time[None, None, :] * np.exp(logs)[None, :, None]
        if size == 1:
            table += np.sum(y * np.log(mean) - mean, axis=2)
        else:
            shape = 1 / dispersions[:, None, None]
            table += np.sum(
                gammaln(y + shape) - gammaln(shape) + shape * np.log(shape / (shape + mean))
                + y * np.log(mean / (shape + mean)), axis=2,
            )  # fmt: skip
        by_arm.append(table)
    theta = logs[None, :] - logs[:, None]
    log_prior = -(logs[:, None] ** 2) / 8 - theta**2 / (2 * 0.25)
    full = by_arm[0][:, :, None] + by_arm[1][:, None, :] + log_prior
    if size > 1:
        full = full - dispersions[:, None, None]
    weight = np.exp(full - full.max())
    weight /= weight.sum()
    at = weight.sum(axis=0)
    mean = float(np.sum(at * theta))
    return {
        "mean": mean,
        "sd": float(np.sqrt(np.sum(at * (theta - mean) ** 2))),
        "worthwhile": float(np.sum(at, where=np.exp(theta) <= 0.8)),
    }


@pytest.mark.parametrize("likelihood", ["poisson", "negative_binomial"])
def test_the_posterior_is_the_one_that_integration_gives(likelihood: str) -> None:
    """Five Monte Carlo errors; a probability p has error sqrt(p (1 - p) / 4000) at most."""
    spread = likelihood == "negative_binomial"
    sample = few(np.random.default_rng(1), spread)
    found = estimator(likelihood)(sample, asked(), np.random.default_rng(2))
    exact = integrated(sample, np.linspace(0.005, 5.0, 160) if spread else np.ones(1))
    error = found.extra["convergence"]["monte_carlo_error"]
    assert error < 0.006
    assert abs(np.log(found.value) - exact["mean"]) < 5 * error
    assert found.standard_error == pytest.approx(exact["sd"], rel=0.06)
    p = exact["worthwhile"]
    assert abs(found.extra["probability_worthwhile"] - p) < 5 * np.sqrt(p * (1 - p) / 4000)


def test_a_poisson_is_refused_for_counts_that_vary_more() -> None:
    rng = np.random.default_rng(3)
    sample = few(rng, True)
    crowded = replace(sample, outcome=np.where(np.arange(60) % 10 == 0, sample.outcome + 8, sample.outcome))
    with pytest.raises(EstimatorRefused, match="negative_binomial"):
        estimator("poisson")(crowded, asked(), rng)
    with pytest.raises(EstimatorRefused, match=r"prior\.dispersion"):
        estimator("poisson", dispersion={"mean": 1.0})


def test_an_arm_without_events_has_an_answer() -> None:
    sample = few(np.random.default_rng(4), False)
    none = replace(sample, outcome=np.where(sample.arm == 1, 0.0, sample.outcome))
    found = estimator("poisson")(none, asked("rate_difference"), np.random.default_rng(5))
    assert found.value < 0 and found.extra["probability_of_benefit"] > 0.99
