"""How often randomisation tests reject and their intervals cover, on simulated trials of every design.

Bounds are three and a half Monte Carlo standard errors of the rate of that many runs.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation.inference.randomisation_test import RandomisationResult, redraw_test
from evaluation.sample import Sample
from experiments.design import NamedArm
from experiments.designs.adaptive import Adaptive
from experiments.designs.blocked import Blocked
from experiments.designs.clustered import Clustered
from experiments.designs.complete import Complete
from experiments.designs.crossover import Crossover
from experiments.designs.matched_pairs import MatchedPairs
from experiments.designs.minimised import Minimised
from experiments.designs.rerandomised import Rerandomised
from experiments.designs.stepped_wedge import SteppedWedge
from redrawn_trials import HALVES, arms, drawn_sample

World = Callable[[np.random.Generator], Sample]


def test_of(sample: Sample, rng: np.random.Generator, statistic: Any = "studentised") -> RandomisationResult:
    return redraw_test(sample, statistic=statistic, redraws=199, level=0.95, rng=rng)


test_of.__test__ = False  # type: ignore[attr-defined]


def slack(rate: float, runs: int) -> float:
    return float(3.5 * np.sqrt(rate * (1 - rate) / runs))


def blocked(effect: float) -> World:
    def make(rng: np.random.Generator) -> Sample:
        block = np.repeat(np.arange(4), [4, 6, 10, 10])
        roster = pd.DataFrame({"area": block})
        design = Blocked(arms=HALVES, block_by=("area",))
        codes = design.draw_many(roster, 1, rng)[0]
        return drawn_sample(design, roster, codes, rng.exponential(2, 30) + 3 * block + effect * codes)

    return make


def clustered(effect: float) -> World:
    def make(rng: np.random.Generator) -> Sample:
        school = np.repeat(np.arange(10), rng.integers(4, 30, 10))
        roster = pd.DataFrame({"school": school})
        design = Clustered(arms=HALVES, cluster="school")
        codes = design.draw_many(roster, 1, rng)[0]
        y = rng.normal(size=len(school)) + 0.6 * rng.normal(size=10)[school] + effect * codes
        return drawn_sample(design, roster, codes, y)

    return make


def paired(effect: float) -> World:
    def make(rng: np.random.Generator) -> Sample:
        roster = pd.DataFrame({"couple": np.repeat(np.arange(12), 2)})
        design = MatchedPairs(arms=HALVES, pair="couple")
        codes = design.draw_many(roster, 1, rng)[0]
        y = 3 * rng.normal(size=12)[roster["couple"]] + rng.normal(size=24) + effect * codes
        return drawn_sample(design, roster, codes, y)

    return make


def minimised(effect: float) -> World:
    def make(rng: np.random.Generator) -> Sample:
        roster = pd.DataFrame({"sex": rng.integers(0, 2, 30), "age": rng.integers(0, 3, 30)}).astype(str)
        design = Minimised(
            arms=HALVES, chance_draws=1_000, chance_seed=1, balance_on=("sex", "age"),
            weights={"sex": 1.0, "age": 1.0}, imbalance="range", probability=0.8,
        )  # fmt: skip
        codes = design.draw_many(roster, 1, rng)[0]
        y = 2 * (roster["sex"] == "1") + rng.normal(size=30) + effect * codes
        return drawn_sample(design, roster, codes, y)

    return make


def wedge(effect: float) -> World:
    """Ten clusters, five steps, a steep secular trend that treatment must not be credited with."""

    def make(rng: np.random.Generator) -> Sample:
        cell = pd.MultiIndex.from_product([range(10), range(6), range(5)])
        roster = pd.DataFrame({"school": cell.get_level_values(0), "term": cell.get_level_values(1)})
        schedule = {
            f"s{k}": tuple("treated" if term > k else "control" for term in range(6)) for k in range(5)
        }
        design = SteppedWedge(
            arms=HALVES, cluster="school", period="term", periods=tuple(range(6)), schedule=schedule,
            measurement="cross-sectional",
        )  # fmt: skip
        codes = design.draw_many(roster, 1, rng)[0]
        y = roster["term"] + 0.4 * rng.normal(size=10)[roster["school"]] + rng.normal(size=len(roster))
        return drawn_sample(design, roster, codes, y + effect * codes)

    return make


def crossover(effect: float) -> World:
    def make(rng: np.random.Generator) -> Sample:
        cell = pd.MultiIndex.from_product([range(12), range(4)])
        roster = pd.DataFrame({"place": cell.get_level_values(0), "week": cell.get_level_values(1)})
        schedule = {
            "ab": ("treated", "control", "treated", "control"),
            "ba": ("control", "treated", "control", "treated"),
        }
        design = Crossover(
            arms=HALVES, cluster="place", period="week", periods=tuple(range(4)), drawn="sequences",
            carry_over_periods=0, schedule=schedule,
        )  # fmt: skip
        codes = design.draw_many(roster, 1, rng)[0]
        y = roster["week"] + 4 * rng.normal(size=12)[roster["place"]] + rng.normal(size=len(roster))
        return drawn_sample(design, roster, codes, y + effect * codes)

    return make


def lost_outcomes(effect: float) -> World:
    """A quarter without an outcome, whatever their arm: the draw was of everybody."""

    def make(rng: np.random.Generator) -> Sample:
        roster = pd.DataFrame(index=range(40))
        design = Complete(arms=arms(Fraction(3, 10)))
        codes = design.draw_many(roster, 1, rng)[0]
        sample = drawn_sample(design, roster, codes, rng.exponential(1, 40) + effect * codes)
        return sample.keep(rng.random(40) > 0.25)

    return make


def one_of_three_arms(effect: float) -> World:
    def make(rng: np.random.Generator) -> Sample:
        third = Fraction(1, 3)
        three = tuple(NamedArm(name=n, share=third) for n in ("control", "treated", "other"))
        block = np.repeat(np.arange(3), [9, 12, 15])
        roster = pd.DataFrame({"area": block})
        design = Blocked(arms=three, block_by=("area",))
        codes = design.draw_many(roster, 1, rng)[0]
        y = rng.normal(size=36) + 2 * block + effect * (codes == 1) + 5 * (codes == 2)
        return drawn_sample(design, roster, codes, y)

    return make


DESIGNS = [
    blocked, clustered, paired, minimised, wedge, crossover, lost_outcomes, one_of_three_arms,
]  # fmt: skip


@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: d.__name__)
def test_the_test_holds_its_level_and_the_interval_covers_a_constant_effect(design: Any) -> None:
    """Both at once: the interval misses the true effect exactly when the test of it rejects."""
    runs, effect = 160, 1.0
    rng = np.random.default_rng(70)
    make = design(effect)
    results = [test_of(make(rng), rng) for _ in range(runs)]
    covered = np.mean([r.low <= effect <= r.high for r in results])
    assert covered >= 0.95 - slack(0.05, runs)
    error = np.std([r.value for r in results]) / np.sqrt(runs)
    assert abs(np.mean([r.value for r in results]) - effect) <= 4 * error
    widths = [r.high - r.low for r in results]
    spread = np.std([r.value for r in results])
    assert np.median(widths) < 8 * spread, "an interval that covers by being endless"


def test_the_studentised_test_holds_the_weak_null_where_the_plain_one_does_not() -> None:
    """No effect on average, a larger spread in the smaller arm: the difference alone rejects too often."""
    runs, n = 300, 60
    rng = np.random.default_rng(33)
    design = Complete(arms=arms(Fraction(1, 4)))
    roster = pd.DataFrame(index=range(n))
    y0 = np.zeros(n) + rng.normal(0, 0.3, n)
    y1 = rng.normal(0, 3, n)
    y1 += y0.mean() - y1.mean()
    rejected = {"studentised": 0, "difference": 0}
    for _ in range(runs):
        codes = design.draw_many(roster, 1, rng)[0]
        sample = drawn_sample(design, roster, codes, np.where(codes == 1, y1, y0))
        for statistic in rejected:
            rejected[statistic] += test_of(sample, rng, statistic).p <= 0.05
    assert rejected["studentised"] / runs <= 0.05 + slack(0.05, runs)
    assert rejected["difference"] / runs > 0.05 + slack(0.05, runs)


def test_re_draws_respect_rerandomisation() -> None:
    """Balance on a strong covariate: re-draws that ignored it would almost never reject."""
    runs, n = 200, 24
    rng = np.random.default_rng(5)
    design = Rerandomised(
        arms=HALVES,
        balance_on=("x",),
        criterion="per covariate",
        limit=0.1,
        chance_draws=1_000,
        chance_seed=2,
    )
    p = {"rerandomised": [], "ignored": []}
    for _ in range(runs):
        roster = pd.DataFrame({"x": rng.normal(size=n)})
        codes = design.draw_many(roster, 1, rng)[0]
        y = 5 * roster["x"] + rng.normal(size=n)
        for name, declared in (("rerandomised", design), ("ignored", Complete(arms=HALVES))):
            p[name].append(test_of(drawn_sample(declared, roster, codes, y), rng).p)
    rate = np.mean(np.array(p["rerandomised"]) <= 0.05)
    assert abs(rate - 0.05) <= slack(0.05, runs)
    assert np.mean(np.array(p["ignored"]) <= 0.05) < 0.01


def test_a_crossover_compares_places_with_themselves() -> None:
    """Places differ with standard deviation 20; within a place the noise is 1 over 60 cells.

    Each place shuffles its own days, so days hold unequal numbers of treated places and a comparison
    within days alone would carry the differences between places.
    """
    cell = pd.MultiIndex.from_product([range(12), range(5)])
    roster = pd.DataFrame({"place": cell.get_level_values(0), "day": cell.get_level_values(1)})
    design = Crossover(
        arms=arms(Fraction(2, 5)), cluster="place", period="day", periods=tuple(range(5)),
        drawn="periods within places", carry_over_periods=0,
    )  # fmt: skip
    rng = np.random.default_rng(6)
    values, widths = [], []
    for _ in range(30):
        codes = design.draw_many(roster, 1, rng)[0]
        y = roster["day"] + 20 * rng.normal(size=12)[roster["place"]] + rng.normal(size=60) + codes
        result = test_of(drawn_sample(design, roster, codes, y), rng)
        values.append(result.value)
        widths.append(result.high - result.low)
    assert abs(np.mean(values) - 1.0) < 4 * np.std(values) / np.sqrt(30)
    assert np.median(widths) < 2.0


def adaptive_trial(rng: np.random.Generator, effect: float) -> Sample:
    design = Adaptive(
        arms=HALVES, chance_draws=1_000, chance_seed=1, batch="month", outcome="success", better="higher",
        rule="thompson", prior=(1.0, 1.0), burn_in_batches=1, floor=0.1, power=1.0,
    )  # fmt: skip
    month = np.repeat(np.arange(4), 20)
    # A drift in the outcome is what makes plain re-draws of an adaptive trial wrong.
    chance = 0.2 + 0.2 * month
    latent = rng.random(80)
    roster = pd.DataFrame({"month": month, "success": np.full(80, np.nan), "arm": ["" for _ in month]})
    codes = np.full(80, -1)
    for number in range(4):
        rows = month <= number
        part = roster[rows]
        arm = design.draw_rest(part, "arm", rng).arm.to_numpy()
        roster.loc[rows, "arm"] = arm
        codes[rows] = (arm == "treated").astype(int)
        success = latent[rows] < chance[rows] + effect * codes[rows]
        roster.loc[rows, "success"] = success.astype(float)
    return drawn_sample(design, roster, codes, roster["success"], kind="binary")


def test_an_adaptive_trial_is_tested_by_drawing_its_allocation_again() -> None:
    runs = 100
    rng = np.random.default_rng(91)
    nothing = [test_of(adaptive_trial(rng, 0.0), rng) for _ in range(runs)]
    assert np.mean([r.p <= 0.05 for r in nothing]) <= 0.05 + slack(0.05, runs)
    assert all(np.isnan(r.low) and r.learned and r.standard_error is None for r in nothing)
    error = np.std([r.value for r in nothing]) / np.sqrt(runs)
    assert abs(np.mean([r.value for r in nothing])) <= 4 * error
    something = [test_of(adaptive_trial(rng, 0.3), rng) for _ in range(30)]
    assert np.mean([r.p <= 0.05 for r in something]) > 0.3


def test_an_adaptive_trial_is_weighted_by_the_chances_of_its_history() -> None:
    """Later batches lean to the better arm and do better anyway: plain means credit the arm with both."""
    runs, rng = 150, np.random.default_rng(17)
    weighted, plain = [], []
    for _ in range(runs):
        sample = adaptive_trial(rng, 0.15)
        found = redraw_test(sample, statistic="difference", redraws=2, level=0.95, rng=rng)
        weighted.append(found.value)
        plain.append(sample.outcome[sample.treated].mean() - sample.outcome[~sample.treated].mean())
    error = np.std(weighted) / np.sqrt(runs)
    assert abs(np.mean(weighted) - 0.15) <= 3.5 * error
    assert np.mean(plain) - 0.15 > 3.5 * np.std(plain) / np.sqrt(runs)
