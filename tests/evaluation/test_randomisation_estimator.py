"""The randomisation test as a study meets it: what it reports, and the data that it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation.estimate import Estimate, EstimatorRefused
from evaluation.estimators.randomisation_test import RandomisationTest
from evaluation.inference.drawn_units import drawn_units
from evaluation.inference.redraws import redraw
from evaluation.sample import Sample
from experiments.design import NamedArm
from experiments.designs.blocked import Blocked
from experiments.designs.clustered import Clustered
from experiments.designs.complete import Complete
from experiments.designs.rerandomised import Rerandomised
from experiments.estimand import Estimand
from redrawn_trials import HALVES, arms, drawn_sample

N = 60


def ask(sample: Sample, scale: Any = "mean_difference", **choices: Any) -> Estimate:
    options: dict[str, Any] = {"statistic": "studentised", "redraws": 999, "level": 0.95, **choices}
    estimand = Estimand(
        outcome="y", contrast=(sample.arms[1], sample.arms[0]), population="all", scale=scale, intercurrent={}
    )
    return RandomisationTest(**options)(sample, estimand, np.random.default_rng(1))


def trial(outcome: Any = None, kind: Any = "mean", **more: Any) -> Sample:
    rng = np.random.default_rng(2)
    roster = pd.DataFrame(index=range(N))
    design = Complete(arms=HALVES)
    codes = design.draw_many(roster, 1, rng)[0]
    y = rng.normal(10, 2, N) + codes if outcome is None else outcome(rng, codes)
    return drawn_sample(design, roster, codes, y, kind=kind, **more)


def test_the_answer_says_what_was_done() -> None:
    found = ask(trial())
    extra = json.loads(json.dumps(found.extra))
    assert extra["redraws"] == 999 and extra["exact"] is False and extra["null"] == "weak"
    histogram = extra["histogram"]
    assert sum(histogram["counts"]) == 999 and len(histogram["edges"]) == len(histogram["counts"]) + 1
    assert histogram["edges"][0] <= extra["observed"] <= histogram["edges"][-1]
    assert extra["monte_carlo_error"] == pytest.approx(
        np.sqrt(found.p_value * (1 - found.p_value) / 999)  # type: ignore[operator]
    )
    assert "one shift" in extra["assumes"] and ask(trial(), statistic="difference").extra["null"] == "sharp"


def test_a_binary_answer_stays_inside_its_range_and_owns_up_to_the_shift() -> None:
    sample = trial(lambda rng, z: np.where(z == 1, rng.random(N) < 0.97, rng.random(N) < 0.05), "binary")
    found = ask(sample, "risk_difference")
    assert found.interval is not None and found.interval.high <= 1.0
    assert "whole numbers" in found.extra["assumes"]


def test_test_and_interval_agree_about_no_effect() -> None:
    """With ties a p-value can spike at no effect alone; the interval holds it exactly when p > 0.05."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        roster = pd.DataFrame(index=range(N))
        design = Complete(arms=HALVES)
        codes = design.draw_many(roster, 1, rng)[0]
        y = (rng.random(N) < 0.3 + 0.25 * codes).astype(float)
        found = ask(drawn_sample(design, roster, codes, y, kind="binary"), "risk_difference")
        assert found.interval is not None and found.p_value is not None
        assert (found.interval.low <= 0 <= found.interval.high) == (found.p_value > 0.05)


def test_rates_use_exposure_and_agree_with_counting_by_hand() -> None:
    rng = np.random.default_rng(7)
    years = rng.uniform(0.2, 1.0, N)
    sample = trial(lambda rng, z: rng.poisson(3 * years * np.where(z == 1, 0.6, 1)), "count", exposure=years)
    z, y, e = sample.arm, sample.outcome, sample.exposure
    rate = [y[z == k].sum() / e[z == k].sum() for k in (0, 1)]
    ratio, difference = ask(sample, "rate_ratio"), ask(sample, "rate_difference")
    assert ratio.value == pytest.approx(rate[1] / rate[0])
    assert difference.value == pytest.approx(rate[1] - rate[0])
    assert ratio.interval is not None and 0 < ratio.interval.low < ratio.value < ratio.interval.high
    assert ratio.p_value == pytest.approx(difference.p_value, abs=1e-12)


def test_people_of_weight_zero_take_no_part() -> None:
    sample = trial()
    extra = sample.keep(np.r_[np.arange(N), np.arange(5)])
    weight = np.r_[np.ones(N), np.zeros(5)]
    wild = replace(extra, weight=weight, outcome=np.r_[sample.outcome, np.full(5, 1e6)])
    plain, weighted = ask(sample), ask(wild)
    assert weighted.value == pytest.approx(plain.value)
    assert weighted.standard_error == pytest.approx(plain.standard_error)


def test_units_in_other_arms_stay_where_they_were() -> None:
    third = Fraction(1, 3)
    three = tuple(NamedArm(name=n, share=third) for n in ("control", "treated", "other"))
    roster = pd.DataFrame(index=range(9))
    design = Complete(arms=three)
    codes = np.array([0, 1, 2] * 3)
    sample = drawn_sample(design, roster, codes, np.arange(9.0))
    units = drawn_units(sample, rate=False)
    source = redraw(sample, units, 500, np.random.default_rng(0))
    drawn = np.concatenate([chunk.assigned for chunk in source.chunks])
    assert source.exact and source.conditional
    assert drawn.shape == (20, 6) and len(np.unique(drawn, axis=0)) == 20 and (drawn.sum(axis=1) == 3).all()


def clusters_in_both(rng: np.random.Generator) -> Sample:
    sample = trial()
    return replace(sample, cluster=np.arange(N) % 6)


def one_cluster_each(rng: np.random.Generator) -> Sample:
    roster = pd.DataFrame({"school": np.repeat([0, 1], 10)})
    design = Clustered(arms=HALVES, cluster="school")
    return drawn_sample(design, roster, np.repeat([0, 1], 10), rng.normal(size=20))


def empty_block(rng: np.random.Generator) -> Sample:
    block = np.repeat([0, 1], 10)
    design = Blocked(arms=HALVES, block_by=("area",))
    sample = drawn_sample(design, pd.DataFrame({"area": block}), np.tile([0, 1], 10), rng.normal(size=20))
    return sample.keep((block == 0) | (sample.arm == 1))


def nobody_drew(rng: np.random.Generator) -> Sample:
    return replace(trial(), design=None)


def three_rerandomised(rng: np.random.Generator) -> Sample:
    third = Fraction(1, 3)
    three = tuple(NamedArm(name=n, share=third) for n in ("control", "treated", "other"))
    design = Rerandomised(
        arms=three, balance_on=("x",), criterion="per covariate", limit=5.0, chance_draws=1_000, chance_seed=1
    )
    roster = pd.DataFrame({"x": rng.normal(size=30)})
    return drawn_sample(design, roster, design.draw_many(roster, 1, rng)[0], rng.normal(size=30))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (clusters_in_both, "clusters with people in both arms"),
        (one_cluster_each, "one unit in an arm.*statistic: difference"),
        (empty_block, "1 blocks with a measured outcome in one arm only"),
        (nobody_drew, "difference_in_means"),
        (three_rerandomised, "difference_in_means"),
        (lambda rng: trial(lambda r, z: np.full(N, 3.0)), "no variation"),
        (lambda rng: trial().keep(trial().arm == 1), "one arm only"),
    ],
)
def test_unfit_samples_are_refused_with_a_way_out(make: Any, match: str) -> None:
    with pytest.raises(EstimatorRefused, match=match):
        ask(make(np.random.default_rng(3)))


def test_a_ratio_without_events_is_refused() -> None:
    sample = trial(lambda rng, z: np.where(z == 1, 0.0, rng.poisson(2, N)), "count")
    with pytest.raises(EstimatorRefused, match="no events in one of the arms"):
        ask(sample, "rate_ratio")


def test_a_constant_outcome_in_one_arm_is_still_tested() -> None:
    found = ask(trial(lambda rng, z: np.where(z == 1, 0.0, rng.poisson(2, N)), "count"), "rate_difference")
    assert found.p_value is not None and found.p_value < 0.01 and found.value < 0


def test_too_few_redraws_for_the_level_are_refused() -> None:
    with pytest.raises(EstimatorRefused, match="at least 39"):
        RandomisationTest(statistic="studentised", redraws=20, level=0.95)


def test_two_clusters_get_a_test_that_says_it_cannot_reject() -> None:
    found = ask(one_cluster_each(np.random.default_rng(3)), statistic="difference")
    assert found.p_value == 1.0 and found.interval is None and found.standard_error is None
    assert "cannot give a p-value small enough" in found.extra["no_interval"]


def test_unequal_arms_keep_the_declared_share() -> None:
    """Re-draws come from the design: none moves the number treated."""
    design = Complete(arms=arms(Fraction(1, 5)))
    roster = pd.DataFrame(index=range(N))
    rng = np.random.default_rng(4)
    sample = drawn_sample(design, roster, design.draw_many(roster, 1, rng)[0], rng.normal(size=N))
    units = drawn_units(sample, rate=False)
    source = redraw(sample, units, 400, rng)
    drawn = np.concatenate([chunk.assigned for chunk in source.chunks])
    assert (drawn.sum(axis=1) == N // 5).all() and drawn.mean(axis=0).std() < 0.05
