"""Non-compliance: known mixtures, weak first stages, doses, bounds that hold the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluation.estimate import EstimatorRefused
from evaluation.estimators.complier_average import ComplierAverage
from evaluation.estimators.difference_in_means import DifferenceInMeans
from evaluation.inference.anderson_rubin import ReducedForm, confidence_set
from evaluation.inference.principal_strata import (
    complier_bounds,
    everyone_bounds,
    strata_shares,
    tail_means,
)
from evaluation.sample import Sample
from experiments.estimand import Estimand

RNG = np.random.default_rng(0)
ASK = Estimand(
    outcome="y",
    contrast=("offered", "usual"),
    population="everyone",
    scale="mean_difference",
    intercurrent={},
    effect="complier average",
)


def trial(
    rng: np.random.Generator, n: int = 400, comply: float = 0.6, always: float = 0.15, **more: Any
) -> Sample:
    arm = rng.permutation(np.arange(n) % 2)
    kind = rng.choice(3, size=n, p=[comply, always, 1 - comply - always])
    received = np.where(kind == 0, arm, kind == 1).astype(float)
    y = np.array([0.0, 1.5, -1.0])[kind] + np.array([-2.0, -1.0, 0.0])[kind] * received + rng.normal(size=n)
    return Sample(
        outcome=y,
        arm=arm,
        arms=("usual", "offered"),
        unit="points",
        kind="mean",
        person=np.arange(n),
        received=received,
        **more,
    )


def estimate(sample: Sample, interval: Any = "anderson_rubin", variance: Any = "HC2") -> Any:
    return ComplierAverage(variance=variance, interval=interval, level=0.95)(sample, ASK, RNG)


def test_it_is_the_ratio_of_the_two_effects_of_assignment() -> None:
    sample = trial(np.random.default_rng(1))
    on_outcome = DifferenceInMeans(variance="neyman", level=0.95)(sample, ASK, RNG).value
    on_receipt = sample.received[sample.treated].mean() - sample.received[~sample.treated].mean()  # type: ignore[index]
    found = estimate(sample)
    assert_allclose(found.value, on_outcome / on_receipt, rtol=1e-10)
    assert_allclose(found.extra["effect_of_assignment"], on_outcome, rtol=1e-10)
    assert_allclose(found.extra["first_stage"]["effect"], on_receipt, rtol=1e-10)


def test_its_p_value_is_that_of_assignment_and_its_set_holds_the_values_not_rejected() -> None:
    sample = trial(np.random.default_rng(2), n=120, comply=0.4)
    found = estimate(sample)
    assert sample.received is not None
    for end in (found.interval.low, found.interval.high):
        gap = replace(sample, outcome=sample.outcome - end * sample.received)
        again = estimate(gap)
        assert_allclose(again.p_value, 0.05, rtol=1e-6)


def test_a_weak_first_stage_has_no_finite_interval() -> None:
    """Nine in a hundred comply, of 60 people: the data say nothing of the size, and no interval is given."""
    shapes = {"interval": 0, "outside": 0, "everything": 0}
    for seed in range(40):
        sample = trial(np.random.default_rng(seed), n=60, comply=0.09, always=0.4)
        assert sample.received is not None
        if sample.received[sample.treated].sum() == sample.received[~sample.treated].sum():
            continue  # nobody moved: refused, as tested below
        found = estimate(sample)
        shape = found.extra["anderson_rubin"]["shape"]
        shapes[shape] += 1
        assert (found.interval is None) == (shape != "interval")
        significant = found.extra["first_stage"]["p_value"] < 0.05
        assert (shape == "interval") == significant
    assert shapes["everything"] > 0 and shapes["outside"] > 0


def test_anderson_rubin_covers_where_wald_does_not() -> None:
    """600 trials with a weak first stage and receipt that goes with the outcome: 95% less 4 MC errors (0.0089)."""
    covered = {"anderson_rubin": 0, "wald": 0}
    for seed in range(600):
        rng = np.random.default_rng(seed)
        arm = np.arange(80) % 2
        lean = rng.normal(size=80)
        received = (lean + 0.45 * arm > 0).astype(float)
        y = 2.5 * lean + rng.normal(scale=0.5, size=80)
        sample = Sample(
            outcome=y,
            arm=arm,
            arms=("usual", "offered"),
            unit="points",
            kind="mean",
            person=np.arange(80),
            received=received,
        )
        if received[arm == 1].mean() == received[arm == 0].mean():
            covered["anderson_rubin"] += 1
            continue
        found = estimate(sample)
        pieces = found.extra["anderson_rubin"]["pieces"]
        inside = any((low is None or low <= 0) and (high is None or high >= 0) for low, high in pieces)
        covered["anderson_rubin"] += inside
        covered["wald"] += found.extra["wald"]["low"] <= 0 <= found.extra["wald"]["high"]
    assert covered["anderson_rubin"] / 600 >= 0.95 - 4 * 0.0089
    assert covered["wald"] < covered["anderson_rubin"]


def test_instruments_that_disagree_leave_an_empty_set() -> None:
    form = ReducedForm(
        outcome=np.array([10.0, -10.0]),
        treatment=np.array([1.0, 1.0]),
        outcome_variance=np.eye(2) * 0.01,
        cross=np.zeros((2, 2)),
        treatment_variance=np.eye(2) * 1e-4,
        df=100.0,
    )
    assert confidence_set(form, 0.95).shape == "empty"


def test_a_dose_is_per_unit_and_has_no_strata() -> None:
    sample = trial(np.random.default_rng(3))
    assert sample.received is not None
    sessions = replace(sample, received=sample.received * 8.0)
    found = estimate(sessions)
    assert_allclose(found.value * 8, estimate(sample).value, rtol=1e-10)
    assert found.extra["dose"] and "strata" not in found.extra


def test_blocks_clusters_and_weights_are_allowed_for() -> None:
    rng = np.random.default_rng(4)
    sample = trial(rng)
    cluster = np.where(sample.arm == 1, 0, 20) + rng.integers(0, 20, 400)
    found = estimate(
        replace(sample, cluster=cluster, block=cluster % 2, weight=rng.uniform(0.5, 2, 400)), variance="CR2"
    )
    assert found.clusters_used == 40 and np.isfinite(found.standard_error)
    wald = estimate(replace(sample, cluster=cluster), "wald", "CR2")
    assert wald.df is not None and wald.df < 40
    with pytest.raises(EstimatorRefused, match="CR2"):
        estimate(replace(sample, cluster=cluster))


def test_no_compliance_or_unknown_receipt_is_refused() -> None:
    sample = trial(np.random.default_rng(5))
    with pytest.raises(EstimatorRefused, match="same treatment taken"):
        estimate(replace(sample, received=np.ones(400)))
    with pytest.raises(EstimatorRefused, match="difference_in_means"):
        estimate(replace(sample, received=None))
    assert sample.received is not None
    unknown = sample.received.copy()
    unknown[:3] = np.nan
    with pytest.raises(EstimatorRefused, match="3 people"):
        estimate(replace(sample, received=unknown))


def test_shares_and_bounds_of_a_large_trial() -> None:
    """200,000 people: shares within 0.01; bounds hold the complier effect, -2, and meet it when all comply."""
    sample = trial(np.random.default_rng(6), n=200_000)
    assert sample.received is not None
    taken = sample.received == 1
    shares = strata_shares(taken, sample.treated)
    assert_allclose([shares.compliers, shares.always, shares.never], [0.6, 0.15, 0.25], atol=0.01)
    bounds = complier_bounds(sample.outcome, taken, sample.treated)
    assert bounds is not None and bounds[0] < -2 < bounds[1]
    all_comply = complier_bounds(sample.outcome, sample.treated, sample.treated)
    assert all_comply is not None
    gap = sample.outcome[sample.treated].mean() - sample.outcome[~sample.treated].mean()
    assert_allclose(all_comply, [gap, gap], rtol=1e-9)


def test_bounds_without_exclusion_by_hand() -> None:
    """Ten people an arm, shares 0.6, 0.2, 0.2: three quarters of each mixed cell of eight are compliers."""
    assigned = np.arange(20) < 10
    taken = np.array([True] * 8 + [False] * 2 + [True] * 2 + [False] * 8)
    outcome = np.array([*range(1, 9), 50, 50, 90, 90, *range(11, 19)], dtype=float)
    # Treated compliers average 3.5 to 5.5 (1..6, 3..8); untreated ones 13.5 to 15.5.
    assert_allclose(complier_bounds(outcome, taken, assigned), [3.5 - 15.5, 5.5 - 13.5])


def test_balke_and_pearls_bounds() -> None:
    """Their vitamin A example (1997, section 4.1): survival 0.9936, 0.9962; bounds -0.1946 and 0.0054."""
    # P(y, d | z): control arm nobody takes it; of the treated arm 20% do not.
    cells = {
        (0, 0, 0): 0.0064,  # z, d, died = y 0
        (0, 0, 1): 0.9936,
        (1, 0, 0): 0.0028,
        (1, 1, 0): 0.0010,
        (1, 0, 1): 0.1972,
        (1, 1, 1): 0.7990,
    }
    rows = np.array(list(cells))
    weight = np.array(list(cells.values()))
    found = everyone_bounds(rows[:, 2] == 1, rows[:, 1] == 1, rows[:, 0] == 1, weight)
    assert found is not None
    assert_allclose(found, [-0.1946, 0.0054], atol=1e-9)


def test_data_that_contradict_the_instrument_have_no_bounds() -> None:
    """Among the untreated the outcome flips with assignment: no mixture of types does that."""
    taken = np.array([0, 0, 0, 0], dtype=bool)
    assert everyone_bounds(np.array([1, 1, 0, 0], bool), taken, np.array([0, 0, 1, 1], bool)) is None


def test_tail_means_split_the_row_at_the_edge() -> None:
    low, high = tail_means(np.array([4.0, 1.0, 2.0, 3.0]), np.ones(4), 0.375)
    assert_allclose([low, high], [(1 + 0.5 * 2) / 1.5, (4 + 0.5 * 3) / 1.5])
