"""Boundaries against published tables, against an independent integral, and where information slips."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal, norm

from experiments.monitoring.boundaries import classical, spending_bounds
from experiments.monitoring.crossing import crossing
from experiments.monitoring.declared import Futility, Sequential
from experiments.monitoring.looks import bounds, drift_for, inflation, operating
from experiments.monitoring.spending import spent

Plans = Callable[..., Sequential]

# Published to three decimals: half a unit of the last.
PRINTED = 5.1e-4


def all_looks(plan: Sequential) -> list[float]:
    return [float(look) * plan.maximum for look in plan.looks]


@pytest.mark.parametrize(
    "rule, looks, alpha, expected",
    [
        # Jennison & Turnbull (2000), tables 2.1 and 2.3: C_P and C_B; b_k = C_B sqrt(K / k).
        ("obrien_fleming", 5, 0.05, [4.562, 3.226, 2.634, 2.281, 2.040]),
        ("obrien_fleming", 2, 0.05, [1.977 * 2**0.5, 1.977]),
        ("pocock", 5, 0.05, [2.413] * 5),
        ("pocock", 2, 0.05, [2.178] * 2),
        ("pocock", 5, 0.01, [2.986] * 5),
        ("pocock", 10, 0.05, [2.555] * 10),
        # Lan-DeMets, five looks, two-sided 5% (tables of ldbounds and EAST).
        ("lan_demets_obrien_fleming", 5, 0.05, [4.877, 3.357, 2.680, 2.290, 2.031]),
        ("lan_demets_pocock", 5, 0.05, [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_bounds_are_those_published(
    plan: Plans, rule: str, looks: int, alpha: float, expected: list[float]
) -> None:
    made = plan(rule, looks, alpha=alpha)
    # b_k = C sqrt(K / k) multiplies the rounding of a printed C.
    scale = max(expected) / min(expected) if rule == "obrien_fleming" and looks == 2 else 1.0
    assert_allclose(bounds(made, all_looks(made), final=True).upper, expected, atol=PRINTED * scale)


def test_hwang_shih_decani_with_futility_is_gsdesigns_default(plan: Plans) -> None:
    """gsDesign(): k = 3, test.type = 4, alpha 0.025, beta 0.1, sfHSD(-4) and sfHSD(-2).

    Its manual prints bounds 3.01, 2.55, 2.00 and -0.24, 0.94, 2.00, and 1.07 times the information.
    """
    made = plan(
        "hwang_shih_decani",
        3,
        shape=-4.0,
        alpha=0.025,
        sides=1,
        futility=Futility(rule="hwang_shih_decani", shape=-2.0, beta=0.1, binding=False),
    )
    found = bounds(made, all_looks(made), final=True)
    assert_allclose(found.upper, [3.01, 2.55, 2.00], atol=5.1e-3)
    assert_allclose(found.lower, [-0.24, 0.94, 2.00], atol=5.1e-3)
    assert inflation(made, 0.9) == pytest.approx(1.07, abs=5.1e-3)
    # Spent under the planned effect: 0.0148, 0.0289, 0.0563 (same print).
    assert_allclose(
        operating(made, drift_for(made, 0.9)).crossing.lower, [0.0148, 0.0289, 0.0563], atol=5.1e-5
    )
    assert_allclose(np.diff(found.spent, prepend=0), [0.0013, 0.0049, 0.0188], atol=5.1e-5)


@pytest.mark.parametrize(
    "rule, looks, power, expected",
    # Jennison & Turnbull (2000), tables 2.2 and 2.4: R_P and R_B at two-sided 5%.
    [
        ("pocock", 5, 0.9, 1.207),
        ("pocock", 2, 0.8, 1.110),
        ("obrien_fleming", 5, 0.9, 1.026),
        ("obrien_fleming", 2, 0.8, 1.008),
    ],
)
def test_the_most_information_is_inflated_as_published(
    plan: Plans, rule: str, looks: int, power: float, expected: float
) -> None:
    assert inflation(plan(rule, looks), power) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("theta", [0.0, 1.3, -0.7])
def test_crossing_chances_are_those_of_the_multivariate_normal(theta: float) -> None:
    """An independent integral: scipy's quasi-Monte Carlo of the joint distribution, error below 1e-5."""
    information = np.array([0.5, 1.3, 2.0, 3.1])
    lower, upper = np.array([-1.0, -0.5, 0.1, 0.6]), np.array([2.9, 2.5, 2.2, 2.0])
    found = crossing(information, lower, upper, theta)
    for look in range(4):
        at = information[: look + 1]
        covariance = np.sqrt(np.minimum.outer(at, at) / np.maximum.outer(at, at))
        low, high = lower[: look + 1].copy(), upper[: look + 1].copy()
        low[look], high[look] = upper[look], np.inf
        law = multivariate_normal(
            theta * np.sqrt(at), covariance, abseps=1e-8, releps=1e-8, maxpts=2_000_000, seed=1
        )
        assert found.upper[look] == pytest.approx(float(law.cdf(high, lower_limit=low)), abs=1e-5)


def test_one_look_is_the_ordinary_test(plan: Plans) -> None:
    for rule in ("obrien_fleming", "pocock", "lan_demets_obrien_fleming", "lan_demets_pocock"):
        made = plan(rule, 1)
        assert bounds(made, [500.0], final=True).upper[0] == pytest.approx(norm.isf(0.025), abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.05, 0.95), min_size=1, max_size=5, unique=True),
    st.sampled_from(["lan_demets_obrien_fleming", "lan_demets_pocock", "hwang_shih_decani", "power"]),
    st.sampled_from([1, 2]),
)
def test_whenever_one_looks_the_whole_error_is_spent_and_no_more(
    times: list[float], rule: str, sides: int
) -> None:
    fractions = sorted(times)
    if any(b - a < 0.005 for a, b in pairwise(fractions)):
        return
    fractions.append(1.0)
    shape = {"hwang_shih_decani": -2.0, "power": 2.0}.get(rule)
    share = 0.05 / sides
    upper = spending_bounds(fractions, spent(rule, share, shape, fractions), sides)  # type: ignore[arg-type]
    lower = -upper if sides == 2 else np.full(len(upper), -np.inf)
    found = crossing(fractions, lower, upper, 0.0)
    assert found.upper.sum() + (found.lower.sum() if sides == 2 else 0) == pytest.approx(0.05, abs=1e-7)


@pytest.mark.parametrize("rule, shape", [("obrien_fleming", None), ("pocock", None), ("wang_tsiatis", 0.25)])
def test_a_classical_bound_keeps_its_error_where_information_slips(
    plan: Plans, rule: str, shape: float | None
) -> None:
    made = plan(rule, shape=shape)
    exact = bounds(made, all_looks(made), final=True)
    delta = {"obrien_fleming": 0.0, "pocock": 0.5, "wang_tsiatis": 0.25}[rule]
    assert_allclose(exact.upper, classical([0.2, 0.4, 0.6, 0.8, 1.0], 0.05, 2, delta), atol=1e-6)
    for slipped in (
        [120.0, 210.0, 330.0, 480.0],
        [90.0, 260.0],
        [300.0, 310.0, 440.0],
        [520.0],
        [400.0, 650.0],
    ):
        found = bounds(made, slipped, final=True)
        information = np.array(slipped)
        chance = crossing(information, found.lower, found.upper, 0.0)
        assert chance.upper.sum() + chance.lower.sum() == pytest.approx(0.05, abs=1e-6), slipped


def test_bounds_already_used_do_not_move_when_the_next_look_is_taken(plan: Plans) -> None:
    for rule in ("obrien_fleming", "lan_demets_pocock"):
        early = bounds(plan(rule), [130.0, 260.0], final=False).upper
        later = bounds(plan(rule), [130.0, 260.0, 333.0, 470.0], final=True).upper
        assert_allclose(later[:2], early, atol=1e-12)


def test_a_binding_futility_bound_spends_both_errors_exactly(plan: Plans) -> None:
    rule = Futility(rule="lan_demets_obrien_fleming", beta=0.2, binding=True)
    made = plan("lan_demets_obrien_fleming", 4, alpha=0.025, sides=1, futility=rule)
    assert operating(made, 0.0).power == pytest.approx(0.025, abs=1e-6)
    effect = operating(made, drift_for(made, 0.8)).crossing
    assert effect.upper.sum() == pytest.approx(0.8, abs=1e-6)
    assert effect.lower.sum() == pytest.approx(0.2, abs=1e-6)
    found = bounds(made, all_looks(made), final=True)
    assert found.lower[-1] == pytest.approx(found.upper[-1], abs=1e-4)
    assert (found.lower[:-1] < found.upper[:-1]).all()
    free = plan("lan_demets_obrien_fleming", 4, alpha=0.025, sides=1)
    assert (found.upper <= bounds(free, all_looks(free), final=True).upper + 1e-9).all()


def test_overruling_a_non_binding_futility_bound_costs_no_error(plan: Plans) -> None:
    rule = Futility(rule="lan_demets_pocock", beta=0.2, binding=False)
    made = plan("lan_demets_obrien_fleming", 4, alpha=0.025, sides=1, futility=rule)
    found = bounds(made, all_looks(made), final=True)
    ignored = crossing(found.fractions, np.full(4, -np.inf), found.upper, 0.0)
    assert ignored.upper.sum() == pytest.approx(0.025, abs=1e-7)
    obeyed = crossing(found.fractions, found.lower, found.upper, 0.0)
    assert obeyed.upper.sum() < 0.025


def test_a_trial_simulated_under_no_effect_stops_as_often_as_its_error(plan: Plans) -> None:
    """200,000 trials, looks slipped: 0.05 within 4.5 Monte Carlo standard errors of 0.0005."""
    made = plan("hwang_shih_decani", shape=-1.5)
    amounts = np.array([70.0, 190.0, 300.0, 420.0, 500.0])
    found = bounds(made, list(amounts), final=True)
    rng = np.random.default_rng(8)
    steps = rng.standard_normal((200_000, 5)) * np.sqrt(np.diff(amounts, prepend=0))
    z = np.cumsum(steps, axis=1) / np.sqrt(amounts)
    assert (np.abs(z) >= found.upper).any(axis=1).mean() == pytest.approx(0.05, abs=4.5 * 0.0005)


def test_looks_may_come_at_uneven_planned_fractions() -> None:
    looks = (Fraction(1, 10), Fraction(1, 3), Fraction(9, 10), Fraction(1))
    made = Sequential(
        rule="pocock",
        alpha=0.05,
        sides=2,
        looks=looks,
        measure="events",
        maximum=90.0,
        report="bias_adjusted",
    )
    found = bounds(made, all_looks(made), final=True)
    assert np.ptp(found.upper) < 1e-6
