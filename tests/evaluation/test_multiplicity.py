"""Families of questions: Romano-Wolf by the design's own re-draws, and what a family refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.statistics import logrank_test
from numpy.testing import assert_allclose

from evaluation.estimate import Estimate
from evaluation.inference.corrections import FamilyRefused, corrected
from evaluation.inference.log_rank import log_rank_scores
from evaluation.inference.randomisation_test import redraw_test
from evaluation.inference.romano_wolf import romano_wolf, stepdown
from evaluation.multiplicity import adjust_family
from evaluation.sample import Sample
from experiments.designs.complete import Complete
from experiments.protocol import Family
from redrawn_trials import HALVES, drawn_sample


def estimate(p: float | None) -> Estimate:
    return Estimate(
        estimand="", estimator="e", scale="mean_difference", value=0.0, standard_error=1.0, interval=None,
        p_value=p, unit="points", units_used=10,
    )  # fmt: skip


def outcomes(
    rng: np.random.Generator, effects: tuple[float, ...], *, n: int = 30, common: float = 0.0
) -> list[Sample]:
    roster = pd.DataFrame(index=range(n))
    design = Complete(arms=HALVES)
    codes = design.draw_many(roster, 1, rng)[0]
    shared = rng.normal(size=n)
    made = []
    for effect in effects:
        y = common * shared + np.sqrt(1 - common**2) * rng.normal(size=n) + effect * codes
        made.append(drawn_sample(design, roster, codes, y))
    return made


def test_stepdown_is_the_definition() -> None:
    rng = np.random.default_rng(3)
    observed, drawn = np.array([1.0, 3.0, 2.0]), np.abs(rng.normal(size=(500, 3)))
    one = (1 + (drawn.max(axis=1) >= 3.0).sum()) / 501
    two = max(one, (1 + (drawn[:, [0, 2]].max(axis=1) >= 2.0).sum()) / 501)
    three = max(two, (1 + (drawn[:, 0] >= 1.0).sum()) / 501)
    assert_allclose(stepdown(observed, drawn, None), [three, one, two])


def test_one_question_alone_is_its_randomisation_test() -> None:
    rng = np.random.default_rng(5)
    (sample,) = outcomes(rng, (0.8,), n=10)
    alone = redraw_test(sample, statistic="studentised", redraws=300, level=0.95, rng=rng)
    assert alone.exact
    assert_allclose(romano_wolf([sample], redraws=300, rng=rng), [alone.p])


def test_an_outcome_asked_twice_costs_nothing() -> None:
    rng = np.random.default_rng(6)
    (sample,) = outcomes(rng, (0.8,), n=10)
    once, twice = romano_wolf([sample, replace(sample, outcome=3 * sample.outcome)], redraws=300, rng=rng)
    alone = redraw_test(sample, statistic="studentised", redraws=300, level=0.95, rng=rng)
    assert_allclose([once, twice], alone.p)
    assert corrected(np.array([alone.p, alone.p]), "holm")[0] == pytest.approx(min(1, 2 * alone.p))


def test_family_wise_error_and_power() -> None:
    """One true effect and four none, strongly correlated: error at most the level, more found than by Holm."""
    runs, rng = 200, np.random.default_rng(8)
    false, found, found_by_holm = 0, 0, 0
    for _ in range(runs):
        samples = outcomes(rng, (1.0, 0, 0, 0, 0), common=0.9)
        p = romano_wolf(samples, redraws=199, rng=rng)
        single = [
            redraw_test(s, statistic="studentised", redraws=199, level=0.95, rng=rng).p for s in samples
        ]
        false += bool((p[1:] <= 0.05).any())
        found += p[0] <= 0.05
        found_by_holm += corrected(np.array(single), "holm")[0] <= 0.05
    assert false / runs <= 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / runs)
    assert found > found_by_holm


def test_log_rank_scores_make_the_log_rank_test() -> None:
    """Their sum in an arm is observed less expected events, the log-rank numerator."""
    rng = np.random.default_rng(4)
    time, event = np.ceil(rng.exponential(8, 60)), rng.random(60) < 0.7
    arm = rng.integers(0, 2, 60)
    scores = log_rank_scores(time, event)
    assert_allclose(scores.sum(), 0, atol=1e-10)
    observed_less_expected = scores[arm == 1].sum()
    expected = 0.0
    for t in np.unique(time[event]):
        at_risk = time >= t
        expected += (event & (time == t)).sum() * (arm[at_risk] == 1).mean()
    direct = logrank_test(time[arm == 1], time[arm == 0], event[arm == 1], event[arm == 0])
    assert_allclose(observed_less_expected, event[arm == 1].sum() - expected)
    null = np.array([scores[rng.permutation(arm) == 1].sum() for _ in range(4_000)])
    p = np.mean(np.abs(null) >= abs(observed_less_expected))
    assert abs(p - direct.p_value) < 0.03


def test_times_and_means_are_judged_together() -> None:
    rng = np.random.default_rng(9)
    mean, other = outcomes(rng, (1.5, 0.0), n=40)
    times = replace(
        other, kind="time", outcome=rng.exponential(5, 40) + 20 * other.arm, event=rng.random(40) < 0.8
    )
    p = romano_wolf([mean, times, other], redraws=999, rng=rng)
    assert p[0] <= 0.05 and p[1] <= 0.05 and p[2] > p[1]


def test_families_are_adjusted_in_the_order_declared() -> None:
    family = Family(estimands=("b", "a"), method="holm")
    found = adjust_family("secondary", family, {"a": estimate(0.01), "b": estimate(0.04)})
    assert list(found) == ["b", "a"] and found == {"b": 0.04, "a": 0.02}


@pytest.mark.parametrize(
    ("family", "estimates", "match"),
    [
        (Family(estimands=("a", "b"), method="holm"), {"a": estimate(0.1)}, "no main analysis of b"),
        (Family(estimands=("a", "b"), method="holm"), {"a": estimate(0.1), "b": estimate(None)}, "1 of 2"),
        (Family(estimands=("a",), method="romano_wolf"), {"a": estimate(0.1)}, "redraws: 9999"),
    ],
)
def test_a_family_that_cannot_be_judged_is_refused(family: Family, estimates: Any, match: str) -> None:
    with pytest.raises(FamilyRefused, match=match):
        adjust_family("secondary", family, estimates)


def test_questions_about_different_contrasts_are_refused() -> None:
    rng = np.random.default_rng(1)
    first, second = outcomes(rng, (0.0,)), outcomes(rng, (0.0,))
    with pytest.raises(FamilyRefused, match="holm"):
        romano_wolf([first[0], second[0]], redraws=99, rng=rng)
