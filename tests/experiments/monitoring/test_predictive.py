"""Bayesian stopping: against simulation, against conjugate arithmetic, and its frequency properties."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import beta, betabinom, norm

from experiments.monitoring.declared import Bayesian, MonitoringRefused, NormalPrior
from experiments.monitoring.predictive import (
    expected_fraction,
    needed_estimate,
    operating,
    posterior,
    predictive_probability,
    read_look,
    z_bounds,
)
from experiments.monitoring.predictive_binary import Arm, all_posteriors, predictive_success

RULE = Bayesian(
    prior=NormalPrior(mean=0.0, sd=0.2),
    margin=0.0,
    success=0.99,
    final=0.975,
    futility=0.05,
    looks=(Fraction(1, 3), Fraction(2, 3), Fraction(1)),
    measure="people with the outcome",
    maximum=600.0,
    final_standard_error=0.04,
)


def test_the_posterior_is_the_conjugate_one() -> None:
    """Prior N(0.1, 0.2^2), estimate 0.3 with standard error 0.1: weights 25 and 100."""
    mean, sd = posterior(0.1, 0.2, 0.3, 100.0)
    assert mean == pytest.approx((25 * 0.1 + 100 * 0.3) / 125)
    assert sd == pytest.approx(125**-0.5)


def test_the_needed_estimate_has_exactly_the_needed_probability() -> None:
    estimate = needed_estimate(-0.05, 0.2, 300.0, 0.02, 0.975)
    mean, sd = posterior(-0.05, 0.2, estimate, 300.0)
    assert norm.sf(0.02, mean, sd) == pytest.approx(0.975, abs=1e-12)


def test_the_predictive_probability_is_that_of_simulated_futures() -> None:
    """400,000 futures: effect from the posterior, data to come from the effect; 4.5 standard errors."""
    information, last, estimate = 200.0, 625.0, 0.06
    needed = needed_estimate(0.0, 0.2, last, 0.0, 0.975)
    rng = np.random.default_rng(4)
    mean, sd = posterior(0.0, 0.2, estimate, information)
    effect = rng.normal(mean, sd, 400_000)
    to_come = rng.normal(effect, (last - information) ** -0.5)
    final = (information * estimate + (last - information) * to_come) / last
    ours = predictive_probability(0.0, 0.2, estimate, information, last, needed)
    assert (final >= needed).mean() == pytest.approx(ours, abs=4.5 * (ours * (1 - ours) / 400_000) ** 0.5)


def test_bounds_on_z_are_where_the_rule_changes_its_mind() -> None:
    information, lower, upper = z_bounds(RULE, towards=1)
    for k in range(2):
        error = information[k] ** -0.5
        amount = RULE.maximum * float(RULE.looks[k])
        for bound, above, below in (
            (upper[k], "stop for benefit", "go on"),
            (lower[k], "go on", "stop for futility"),
        ):
            for shift, expected in ((1e-6, above), (-1e-6, below)):
                estimate = (bound + shift) * error
                assert read_look(RULE, amount, estimate, error, towards=1, final=False).action == expected
    assert lower[-1] == upper[-1]
    final = read_look(RULE, 600.0, (upper[-1] + 1e-6) * 0.04, 0.04, towards=1, final=True)
    assert final.action == "stop for benefit" and final.predictive is None


def test_lower_being_better_mirrors_the_rule() -> None:
    up = read_look(RULE, 200.0, 0.05, 0.06, towards=1, final=False)
    down = read_look(RULE, 200.0, -0.05, 0.06, towards=-1, final=False)
    assert (up.action, up.probability, up.predictive) == (down.action, down.probability, down.predictive)
    assert up.posterior_mean == -down.posterior_mean
    sceptical = replace(RULE, prior=NormalPrior(mean=0.05, sd=0.2))
    assert_allclose(
        z_bounds(sceptical, towards=-1)[2],
        z_bounds(replace(RULE, prior=NormalPrior(mean=-0.05, sd=0.2)), towards=1)[2],
    )


def test_the_error_of_the_rule_is_that_of_simulated_trials() -> None:
    """200,000 useless interventions: false successes within 4.5 Monte Carlo standard errors."""
    chance = operating(RULE, 0.0, towards=1)
    information, lower, upper = z_bounds(RULE, towards=1)
    rng = np.random.default_rng(9)
    step = np.diff(information, prepend=0)
    z = np.cumsum(rng.standard_normal((200_000, 3)) * np.sqrt(step), axis=1) / np.sqrt(information)
    above, out = z >= upper, (z >= upper) | (z <= lower)
    first = out.argmax(axis=1)
    success = above[np.arange(200_000), first]
    error = chance.upper.sum()
    assert success.mean() == pytest.approx(error, abs=4.5 * (error * (1 - error) / 200_000) ** 0.5)
    mean_looks = np.array([1 / 3, 2 / 3, 1])[first].mean()
    assert expected_fraction(RULE, chance) == pytest.approx(mean_looks, abs=4.5 * 0.3 / 200_000**0.5)


def test_without_a_futility_limit_nothing_stops_for_futility() -> None:
    _, lower, _ = z_bounds(replace(RULE, futility=0.0), towards=1)
    assert np.isneginf(lower[:-1]).all()


def test_the_exact_predictive_probability_is_that_of_simulated_futures() -> None:
    """200,000 futures of two arms; success by the exact posterior of each ending."""
    arm, reference = Arm(events=12, people=60, to_come=40), Arm(events=20, people=58, to_come=42)
    ours = predictive_success(arm, reference, prior=(1.0, 1.0), better="lower", margin=0.0, final=0.975)
    rng = np.random.default_rng(2)
    y1 = rng.binomial(40, rng.beta(13, 49, 200_000))
    y0 = rng.binomial(42, rng.beta(21, 39, 200_000))
    table = all_posteriors(arm, reference, prior=(1.0, 1.0), better="lower", margin=0.0)
    success = table[y1, y0] >= 0.975
    assert success.mean() == pytest.approx(ours, abs=4.5 * (ours * (1 - ours) / 200_000) ** 0.5)


def test_posterior_probabilities_of_endings_are_those_of_a_fine_sum() -> None:
    """P(p1 < p0) by the trapezoid rule on 200,001 points, whose error for these curves is below 1e-9."""
    arm, reference = Arm(events=3, people=10, to_come=5), Arm(events=6, people=11, to_come=4)
    table = all_posteriors(arm, reference, prior=(1.0, 1.0), better="lower", margin=0.0)
    for y1 in (0, 2, 5):
        for y0 in (0, 3, 4):
            a1, b1 = 1 + 3 + y1, 1 + 7 + 5 - y1
            a0, b0 = 1 + 6 + y0, 1 + 5 + 4 - y0
            grid = np.linspace(0, 1, 200_001)
            exact = np.trapezoid(beta.cdf(grid, a1, b1) * beta.pdf(grid, a0, b0), grid)
            assert table[y1, y0] == pytest.approx(float(exact), abs=1e-9)


def test_numbers_to_come_are_beta_binomial() -> None:
    from experiments.monitoring.predictive_binary import beta_binomial

    arm = Arm(events=4, people=20, to_come=15)
    assert_allclose(beta_binomial(arm, (1.0, 2.0)), betabinom.pmf(np.arange(16), 15, 5, 18), rtol=1e-9)


def test_a_margin_and_the_direction_are_kept() -> None:
    arm, reference = Arm(events=30, people=60, to_come=20), Arm(events=20, people=60, to_come=20)
    choices = {"prior": (1.0, 1.0), "final": 0.95}
    high = predictive_success(arm, reference, better="higher", margin=0.0, **choices)  # type: ignore[arg-type]
    low = predictive_success(arm, reference, better="lower", margin=0.0, **choices)  # type: ignore[arg-type]
    strict = predictive_success(arm, reference, better="higher", margin=0.1, **choices)  # type: ignore[arg-type]
    assert high > strict > low


@pytest.mark.parametrize("counts", [(5, 4, 1), (-1, 4, 1), (0, 0, 1), (1, 4, -1)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(MonitoringRefused, match="more events than people"):
        Arm(events=counts[0], people=counts[1], to_come=counts[2])
