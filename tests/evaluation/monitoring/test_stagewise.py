"""Adjusted estimates: against another integral, against simulated trials, and against a fixed trial."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.stats import multivariate_normal, norm

from evaluation.monitoring.stagewise import adjusted, at_least, bias_adjusted, mean_estimate
from experiments.monitoring.declared import Sequential
from experiments.monitoring.looks import Bounds, bounds

AMOUNTS = np.array([80.0, 220.0, 300.0, 410.0, 500.0])
INFORMATION = AMOUNTS / 100.0
TRIALS = 20_000


def plan(rule: str) -> Sequential:
    return Sequential(
        rule=rule,  # type: ignore[arg-type]
        alpha=0.05,
        sides=2,
        looks=tuple(Fraction(k, 5) for k in range(1, 6)),
        measure="people",
        maximum=500.0,
        report="median_unbiased",
    )


def simulate(found: Bounds, theta: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(trials,) the look at which each trial ended, and its statistic there."""
    rng = np.random.default_rng(seed)
    step = np.diff(INFORMATION, prepend=0.0)
    score = np.cumsum(theta * step + rng.standard_normal((TRIALS, 5)) * np.sqrt(step), axis=1)
    z = score / np.sqrt(INFORMATION)
    over = np.abs(z) >= found.upper
    over[:, -1] = True
    look = over.argmax(axis=1)
    return look, z[np.arange(TRIALS), look]


@pytest.mark.parametrize("rule", ["obrien_fleming", "pocock", "lan_demets_obrien_fleming"])
@pytest.mark.parametrize("theta", [0.0, 0.7, 1.4, -1.0])
def test_the_interval_covers_and_the_median_is_unbiased_over_simulated_trials(
    rule: str, theta: float
) -> None:
    """20,000 stopped trials: coverage 0.95 and P(estimate > truth) 0.5, within 4.5 standard errors.

    The interval covers theta exactly where P_theta(at least as high) lies between 0.025 and 0.975, and
    the estimate is above theta exactly where that chance is below 0.5; both are read from it here, and
    the roots themselves are tested below.
    """
    found = bounds(plan(rule), list(AMOUNTS), final=True)
    look, z = simulate(found, theta, seed=12)
    chance = np.empty(TRIALS)
    for k in range(5):
        here = np.flatnonzero(look == k)
        # P falls smoothly in z at one look: exact on a grid, read between by straight lines.
        if len(here) == 0:
            continue
        grid = np.linspace(z[here].min() - 1e-9, z[here].max() + 1e-9, 400)
        exact = [
            at_least(INFORMATION[: k + 1], found.lower[: k + 1], found.upper[: k + 1], g, theta) for g in grid
        ]
        chance[here] = np.interp(z[here], grid, exact)
    covered = ((chance > 0.025) & (chance < 0.975)).mean()
    assert covered == pytest.approx(0.95, abs=4.5 * (0.95 * 0.05 / TRIALS) ** 0.5)
    assert (chance < 0.5).mean() == pytest.approx(0.5, abs=4.5 * 0.5 / TRIALS**0.5)
    half = norm.isf(0.025) / np.sqrt(INFORMATION[look])
    naive = np.abs(z / np.sqrt(INFORMATION[look]) - theta) < half
    if rule == "pocock" and theta == 0.7:
        assert naive.mean() < 0.945, "the ordinary interval of a stopped trial does not cover"


def test_solved_ends_are_where_the_chance_is_read(found_pocock: Bounds) -> None:
    """The roots themselves, over 60 stopped trials: each end gives its chance, in order."""
    look, z = simulate(found_pocock, 0.8, seed=3)
    for k, value in list(zip(look, z, strict=True))[:60]:
        taken = slice(0, k + 1)
        result = adjusted(
            INFORMATION[taken],
            found_pocock.lower[taken],
            found_pocock.upper[taken],
            float(value),
            level=0.95,
            sides=2,
        )
        assert result.low < result.median_unbiased < result.high
        for theta, expected in ((result.low, 0.025), (result.median_unbiased, 0.5), (result.high, 0.975)):
            chance = at_least(
                INFORMATION[taken], found_pocock.lower[taken], found_pocock.upper[taken], float(value), theta
            )
            assert chance == pytest.approx(expected, abs=1e-7)
        assert (result.p_value < 0.05) == (result.low > 0 or result.high < 0), "p-value and interval agree"


@pytest.fixture
def found_pocock() -> Bounds:
    return bounds(plan("pocock"), list(AMOUNTS), final=True)


def test_the_chance_is_that_of_the_multivariate_normal(found_pocock: Bounds) -> None:
    """An independent integral, at the third look: error of the quasi-Monte Carlo below 1e-5."""
    theta, z = 0.6, 2.6
    total = 0.0
    for look in range(3):
        at = INFORMATION[: look + 1]
        covariance = np.sqrt(np.minimum.outer(at, at) / np.maximum.outer(at, at))
        low, high = found_pocock.lower[: look + 1].copy(), found_pocock.upper[: look + 1].copy()
        low[look], high[look] = (z if look == 2 else found_pocock.upper[look]), np.inf
        law = multivariate_normal(
            theta * np.sqrt(at), covariance, abseps=1e-8, releps=1e-8, maxpts=1_000_000, seed=2
        )
        total += float(law.cdf(high, lower_limit=low))
    ours = at_least(INFORMATION[:3], found_pocock.lower[:3], found_pocock.upper[:3], z, theta)
    assert ours == pytest.approx(total, abs=1e-5)


def test_a_trial_that_stops_at_its_first_look_has_the_ordinary_interval(found_pocock: Bounds) -> None:
    """Nothing could have stopped before: estimate, interval and p-value are those of a fixed trial."""
    z, information = 3.1, INFORMATION[:1]
    result = adjusted(information, found_pocock.lower[:1], found_pocock.upper[:1], z, level=0.95, sides=2)
    centre, half = z / information[0] ** 0.5, norm.isf(0.025) / information[0] ** 0.5
    assert_allclose(
        [result.median_unbiased, result.low, result.high, result.p_value],
        [centre, centre - half, centre + half, 2 * norm.sf(z)],
        rtol=1e-7,
    )


def test_stopping_early_for_benefit_pulls_the_estimate_towards_nothing(found_pocock: Bounds) -> None:
    taken = slice(0, 3)
    z = float(found_pocock.upper[2]) + 0.05
    result = adjusted(
        INFORMATION[taken], found_pocock.lower[taken], found_pocock.upper[taken], z, level=0.95, sides=2
    )
    naive = z / INFORMATION[2] ** 0.5
    assert 0 < result.median_unbiased < naive
    assert 0 < bias_adjusted(INFORMATION, found_pocock.lower, found_pocock.upper, naive) < naive


def test_harm_mirrors_benefit(found_pocock: Bounds) -> None:
    taken = slice(0, 4)
    results = [
        adjusted(
            INFORMATION[taken], found_pocock.lower[taken], found_pocock.upper[taken], z, level=0.9, sides=2
        )
        for z in (2.7, -2.7)
    ]
    assert results[0].median_unbiased == pytest.approx(-results[1].median_unbiased, abs=1e-7)
    assert results[0].low == pytest.approx(-results[1].high, abs=1e-7)
    assert results[0].p_value == pytest.approx(results[1].p_value, abs=1e-7), "up to the integral's error"


@pytest.mark.parametrize("theta", [0.0, 0.7, 1.4])
def test_the_mean_of_the_estimate_is_that_of_simulated_trials(theta: float, found_pocock: Bounds) -> None:
    """And so its bias; 20,000 trials, within 4.5 Monte Carlo standard errors."""
    look, z = simulate(found_pocock, theta, seed=21)
    estimates = z / np.sqrt(INFORMATION[look])
    expected = mean_estimate(INFORMATION, found_pocock.lower, found_pocock.upper, theta)
    assert estimates.mean() == pytest.approx(expected, abs=4.5 * estimates.std() / TRIALS**0.5)
    if theta:
        assert expected > theta, "stopping early overstates"
    solved = bias_adjusted(INFORMATION, found_pocock.lower, found_pocock.upper, expected)
    assert solved == pytest.approx(theta, abs=1e-7)


@pytest.mark.parametrize("theta", [0.4, 0.9])
def test_the_bias_adjusted_estimate_has_less_bias_than_the_ordinary_one(
    theta: float, found_pocock: Bounds
) -> None:
    look, z = simulate(found_pocock, theta, seed=5)
    ordinary = z / np.sqrt(INFORMATION[look])
    grid = np.linspace(ordinary.min(), ordinary.max(), 200)
    solved = [bias_adjusted(INFORMATION, found_pocock.lower, found_pocock.upper, g) for g in grid]
    free = np.interp(ordinary, grid, solved)
    assert abs(free.mean() - theta) < 0.5 * abs(ordinary.mean() - theta)


def test_futility_bounds_that_do_not_bind_do_not_enter() -> None:
    upper = np.array([2.8, 2.3, 2.0])
    information = np.array([1.0, 2.0, 3.0])
    open_below = adjusted(information, np.full(3, -np.inf), upper, 2.2, level=0.95, sides=1)
    bound = adjusted(information, np.array([0.5, 1.0, 2.0]), upper, 2.2, level=0.95, sides=1)
    assert open_below.p_value > bound.p_value
    assert open_below.low < bound.low
