"""Differences in means, adjusted and not: by hand, under unfit data, and unmoved by what should not matter."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluation.estimate import Estimate, EstimatorRefused
from evaluation.estimators.adjusted_difference import AdjustedDifference
from evaluation.estimators.analysis_of_covariance import AnalysisOfCovariance
from evaluation.estimators.difference_in_means import DifferenceInMeans
from evaluation.estimators.hajek import Hajek
from evaluation.estimators.horvitz_thompson import HorvitzThompson
from evaluation.inference.least_squares import NotEstimable
from evaluation.sample import Sample
from experiments.design import NamedArm
from experiments.designs.blocked import Blocked
from experiments.designs.clustered import Clustered
from experiments.designs.complete import Complete
from experiments.estimand import Estimand

RNG = np.random.default_rng(0)
HALF = (NamedArm(name="usual", share=Fraction(1, 2)), NamedArm(name="offered", share=Fraction(1, 2)))


def ask(scale: Any = "mean_difference") -> Estimand:
    return Estimand(
        outcome="y", contrast=("offered", "usual"), population="everyone", scale=scale, intercurrent={}
    )


def sample(outcome: Any, arm: Any, kind: Any = "mean", **more: Any) -> Sample:
    y = np.asarray(outcome, dtype=float)
    return Sample(
        outcome=y,
        arm=np.asarray(arm, dtype=np.int64),
        arms=("usual", "offered"),
        unit="points",
        kind=kind,
        person=np.arange(len(y)),
        **more,
    )


def plain(s: Sample) -> Estimate:
    return DifferenceInMeans(variance="neyman", level=0.95)(s, ask(), RNG)


def clusters(s: Sample) -> Estimate:
    return DifferenceInMeans(variance="CR2", level=0.95)(s, ask(), RNG)


def clustered_trial(rng: np.random.Generator, count: int = 12) -> Sample:
    cluster = np.repeat(np.arange(count), rng.integers(3, 9, count))
    y = rng.normal(size=count)[cluster] + rng.normal(size=len(cluster))
    return sample(
        y, cluster % 2, cluster=cluster, covariates=rng.normal(size=(len(y), 2)), covariate_names=("a", "b")
    )


def test_the_life_trial() -> None:
    """48 of 216 men with aid were re-arrested, 66 of 216 without (Rossi, Berk & Lenihan 1980)."""
    from lifelines.datasets import load_rossi

    life = load_rossi()
    found = DifferenceInMeans(variance="neyman", level=0.95)(
        sample(life["arrest"], life["fin"], kind="binary"), ask("risk_difference"), RNG
    )
    assert_allclose(found.value, 48 / 216 - 66 / 216, rtol=1e-12)
    p1, p0 = 48 / 216, 66 / 216
    by_hand = (p1 * (1 - p1) / 215 + p0 * (1 - p0) / 215) ** 0.5
    assert_allclose(found.standard_error, by_hand, rtol=1e-12)
    assert (round(found.value, 4), round(found.standard_error or 0, 4)) == (-0.0833, 0.0423)


def test_the_nsw_trial() -> None:
    """1794.34, and 632.9 as the classical standard error of least squares: HC2 gives 671.0."""
    from causaldata import nsw_mixtape

    from evaluation.inference.least_squares import fit, project

    nsw = nsw_mixtape.load_pandas().data
    trial = sample(nsw["re78"], nsw["treat"])
    found = plain(trial)
    assert round(found.value, 2) == 1794.34
    assert round(found.standard_error or 0, 1) == 671.0
    design = np.column_stack([np.ones(len(nsw)), nsw["treat"]]).astype(float)
    assert round(float(fit(trial.outcome, project(design)).classical[1, 1] ** 0.5), 1) == 632.9


def test_clusters_of_one_person_are_people() -> None:
    """CR2 is then HC2 of the same regression, which is Neyman's variance."""
    rng = np.random.default_rng(3)
    trial = sample(rng.normal(size=40), np.arange(40) % 2)
    alone = replace(trial, cluster=np.arange(40))
    assert_allclose(clusters(alone).standard_error, plain(trial).standard_error, rtol=1e-10)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.1, 20))
def test_units_move_the_estimate_and_nothing_else(seed: int, shift: float, scale: float) -> None:
    trial = clustered_trial(np.random.default_rng(seed))
    moved = replace(trial, outcome=shift + scale * trial.outcome)
    for variance in ("CR0", "CR1S", "CR2", "CR3"):
        estimator = AnalysisOfCovariance(variance=variance, level=0.9)  # type: ignore[arg-type]
        one, two = estimator(trial, ask(), RNG), estimator(moved, ask(), RNG)
        assert_allclose(two.value, scale * one.value, rtol=1e-6, atol=1e-9)
        assert_allclose(two.standard_error, scale * (one.standard_error or 0), rtol=1e-6)
        assert_allclose(two.df, one.df, rtol=1e-6)


def test_adjustment_for_a_constant_or_a_copy_is_no_adjustment() -> None:
    rng = np.random.default_rng(5)
    trial = sample(rng.normal(size=60), np.arange(60) % 2)
    x = rng.normal(size=60)
    one = replace(trial, covariates=x[:, None], covariate_names=("x",))
    three = replace(
        trial,
        covariates=np.column_stack([x, 3 - 2 * x, np.ones(60)]),
        covariate_names=("x", "copy", "constant"),
    )
    for estimator in (
        AdjustedDifference(variance="HC2", level=0.95),
        AnalysisOfCovariance(variance="HC2", level=0.95),
    ):
        a, b = estimator(one, ask(), RNG), estimator(three, ask(), RNG)
        assert_allclose([a.value, a.standard_error, a.df], [b.value, b.standard_error, b.df], rtol=1e-9)
        assert {"copy", "constant"} <= set(b.extra["left_out"])


def test_a_level_that_one_arm_alone_has_keeps_its_main_effect() -> None:
    rng = np.random.default_rng(6)
    arm = np.arange(60) % 2
    level = ((np.arange(60) < 12) & (arm == 1)).astype(float)
    trial = sample(rng.normal(size=60) + level, arm, covariates=level[:, None], covariate_names=("level",))
    found = AdjustedDifference(variance="HC2", level=0.95)(trial, ask(), RNG)
    assert found.extra["left_out"] == ["arm x level"]
    assert np.isfinite(found.value)


def test_a_covariate_that_repeats_the_arm_is_refused() -> None:
    arm = np.arange(40) % 2
    trial = sample(
        np.random.default_rng(1).normal(size=40),
        arm,
        covariates=np.column_stack([arm * 2.0]),
        covariate_names=("arm",),
    )
    found = AdjustedDifference(variance="HC2", level=0.95)(trial, ask(), RNG)
    assert set(found.extra["left_out"]) >= {"arm"}
    first = replace(trial, block=arm)
    with pytest.raises(NotEstimable, match="combination of the others"):
        AnalysisOfCovariance(variance="HC2", level=0.95)(first, ask(), RNG)


def test_weights_of_zero_take_no_part() -> None:
    rng = np.random.default_rng(7)
    trial = sample(
        rng.normal(size=50), np.arange(50) % 2, covariates=rng.normal(size=(50, 1)), covariate_names=("x",)
    )
    weight = rng.uniform(0.5, 2, 50)
    weight[:10] = 0
    some = replace(trial, weight=weight)
    rest = some.keep(weight > 0)
    for estimator in (
        DifferenceInMeans(variance="neyman", level=0.95),
        AdjustedDifference(variance="HC3", level=0.95),
        AnalysisOfCovariance(variance="HC2_BM", level=0.95),
    ):
        a, b = estimator(some, ask(), RNG), estimator(rest, ask(), RNG)
        assert_allclose([a.value, a.standard_error, a.df], [b.value, b.standard_error, b.df], rtol=1e-10)
        assert a.units_used == 40
    with pytest.raises(EstimatorRefused, match="negative"):
        plain(replace(trial, weight=-weight))


def test_equal_weights_are_no_weights() -> None:
    """The general way of CR2 (weights) and the fast one agree, with singletons and absorbed blocks."""
    rng = np.random.default_rng(8)
    cluster = np.repeat(np.arange(14), [1, 1, 2, 3, 5, 8, 1, 4, 6, 2, 1, 9, 3, 3])
    n = len(cluster)
    trial = sample(
        rng.normal(size=n) + rng.normal(size=14)[cluster],
        cluster % 2,
        cluster=cluster,
        block=cluster // 5,
        covariates=rng.normal(size=(n, 1)),
        covariate_names=("x",),
    )
    for variance in ("CR0", "CR2", "CR3"):
        estimator = AnalysisOfCovariance(variance=variance, level=0.95)  # type: ignore[arg-type]
        a, b = estimator(trial, ask(), RNG), estimator(replace(trial, weight=np.full(n, 3.0)), ask(), RNG)
        assert_allclose([a.value, a.standard_error, a.df], [b.value, b.standard_error, b.df], rtol=1e-8)


def test_a_constant_outcome_in_one_arm_is_answered_and_in_both_refused() -> None:
    """The arm that varies carries the variance: s^2 / n with n - 1 degrees of freedom."""
    y = np.where(np.arange(20) % 2 == 1, 1.0, np.arange(20) / 10)
    found = plain(sample(y, np.arange(20) % 2))
    other = y[::2]
    assert_allclose([found.standard_error, found.df], [other.std(ddof=1) / 10**0.5, 9.0])
    with pytest.raises(EstimatorRefused, match=r"no variation.*randomisation_test"):
        plain(sample(np.arange(20) % 2, np.arange(20) % 2))


def test_one_unit_in_an_arm_is_refused() -> None:
    with pytest.raises(EstimatorRefused, match=r"1 person.*randomisation_test"):
        plain(sample(np.arange(10.0), np.arange(10) == 3))
    one = sample(np.arange(12.0), np.arange(12) < 4, cluster=np.repeat([0, 1, 2], 4))
    for estimator in (
        DifferenceInMeans(variance="CR2", level=0.95),
        AnalysisOfCovariance(variance="CR2", level=0.95),
    ):
        with pytest.raises(EstimatorRefused, match="1 cluster "):
            estimator(one, ask(), RNG)
    with pytest.raises(EstimatorRefused, match="0 people"):
        plain(sample(np.arange(10.0), np.zeros(10)))


def test_a_cluster_in_both_arms_is_refused() -> None:
    trial = clustered_trial(np.random.default_rng(2))
    arm = trial.arm.copy()
    arm[0] = 1 - arm[0]
    with pytest.raises(EstimatorRefused, match=r"1 clusters with people in both arms"):
        clusters(replace(trial, arm=arm))


def test_the_variance_must_suit_what_was_drawn() -> None:
    trial = clustered_trial(np.random.default_rng(2))
    with pytest.raises(EstimatorRefused, match="variance: CR2"):
        plain(trial)
    with pytest.raises(EstimatorRefused, match="variance: CR2"):
        AdjustedDifference(variance="HC2", level=0.95)(trial, ask(), RNG)
    with pytest.raises(EstimatorRefused, match="no clusters"):
        AdjustedDifference(variance="CR2", level=0.95)(replace(trial, cluster=None), ask(), RNG)
    with pytest.raises(EstimatorRefused, match=r"0\.95"):
        DifferenceInMeans(variance="neyman", level=95)


def test_thin_blocks_are_refused_and_broken_pairs_left_out() -> None:
    y = np.random.default_rng(4).normal(size=12)
    arm = np.array([1, 0] * 6)
    thin = sample(y, arm, block=np.array([0] * 4 + [1] * 4 + [2, 2] + [3, 3]))
    with pytest.raises(EstimatorRefused, match=r"2 blocks.*analysis_of_covariance"):
        plain(thin)
    pairs = sample(y, arm, block=np.repeat(np.arange(6), 2))
    lost = plain(pairs.keep(np.arange(12) != 3))
    kept = plain(pairs.keep((np.arange(12) != 3) & (np.arange(12) != 2)))
    assert lost.extra["pairs_left_out"] == 1
    assert_allclose([lost.value, lost.standard_error, lost.df], [kept.value, kept.standard_error, 4.0])


def test_a_block_with_one_arm_adds_nothing_and_is_counted() -> None:
    """Also a block of one person: fitted exactly, it moves neither the value nor the standard error."""
    rng = np.random.default_rng(16)
    block = np.array([0] * 10 + [1] * 10 + [2] * 3 + [3])
    arm = np.array([0, 1] * 10 + [1, 1, 1] + [0])
    trial = sample(rng.normal(size=24) + block, arm, block=block)
    inside = trial.keep(block < 2)
    for variance in ("HC2", "HC2_BM", "HC3"):
        estimator = AnalysisOfCovariance(variance=variance, level=0.95)  # type: ignore[arg-type]
        a, b = estimator(trial, ask(), RNG), estimator(inside, ask(), RNG)
        assert_allclose([a.value, a.standard_error], [b.value, b.standard_error], rtol=1e-9)
        assert (a.extra["blocks_with_one_arm"], b.extra["blocks_with_one_arm"]) == (2, 0)
    x = replace(trial, covariates=rng.normal(size=(24, 1)), covariate_names=("x",))
    with pytest.raises(EstimatorRefused, match=r"2 blocks.*analysis_of_covariance"):
        AdjustedDifference(variance="HC2", level=0.95)(x, ask(), RNG)


def test_absorbing_pairs_is_comparing_them() -> None:
    """HC2 with pairs absorbed is the matched-pairs variance, degrees of freedom and all."""
    rng = np.random.default_rng(17)
    trial = sample(rng.normal(size=24), np.arange(24) % 2, block=np.arange(24) // 2)
    a, b = AnalysisOfCovariance(variance="HC2", level=0.95)(trial, ask(), RNG), plain(trial)
    assert_allclose([a.value, a.standard_error, a.df], [b.value, b.standard_error, b.df], rtol=1e-10)


def test_pairs_of_clusters_compare_pairs() -> None:
    """Equal pairs: the plain standard error of the pairs' differences."""
    rng = np.random.default_rng(9)
    cluster = np.repeat(np.arange(16), 5)
    y = rng.normal(size=16)[cluster] + rng.normal(size=80)
    found = clusters(sample(y, cluster % 2, cluster=cluster, block=cluster // 2))
    means = y.reshape(16, 5).mean(axis=1)
    gaps = means[1::2] - means[::2]
    assert_allclose(
        [found.value, found.standard_error, found.df], [gaps.mean(), gaps.std(ddof=1) / 8**0.5, 7.0]
    )


def test_more_covariates_than_people_are_refused() -> None:
    rng = np.random.default_rng(10)
    trial = sample(
        rng.normal(size=12),
        np.arange(12) % 2,
        covariates=rng.normal(size=(12, 9)),
        covariate_names=tuple("abcdefghi"),
    )
    with pytest.raises(NotEstimable, match="more rows than parameters"):
        AdjustedDifference(variance="HC2", level=0.95)(trial, ask(), RNG)


def blocked_trial(rng: np.random.Generator) -> Sample:
    block = np.repeat([0, 1, 2], [20, 30, 50])
    roster = pd.DataFrame({"area": block}, index=[f"p{i}" for i in range(100)])
    design = Blocked(arms=HALF, block_by=("area",))
    arm = design.draw_many(roster, 1, rng)[0]
    y = rng.normal(size=100) + block
    return sample(y, arm, block=block, design=design, roster=roster, roster_row=np.arange(100))


def test_weighting_by_equal_chances_changes_nothing() -> None:
    """With half of every block treated, Hajek and Horvitz-Thompson are the blocked difference."""
    trial = blocked_trial(np.random.default_rng(11))
    value = plain(trial).value
    assert_allclose(
        HorvitzThompson(variance="youngs", level=0.95)(trial, ask(), RNG).value, value, rtol=1e-10
    )
    assert_allclose(Hajek(variance="youngs", level=0.95)(trial, ask(), RNG).value, value, rtol=1e-10)


def test_horvitz_thompson_is_unbiased_and_its_variance_large_enough() -> None:
    """Over 800 draws of clusters of unequal size whose totals differ: every bound is 4 Monte Carlo errors."""
    rng = np.random.default_rng(12)
    cluster = np.repeat(np.arange(14), rng.integers(2, 20, 14))
    n = len(cluster)
    roster = pd.DataFrame({"school": cluster}, index=[f"p{i}" for i in range(n)])
    design = Clustered(arms=HALF, cluster="school")
    y0, effect = 5 + rng.normal(size=n), rng.normal(1.0, 0.5, 14)[cluster]
    draws = design.draw_many(roster, 800, rng)
    found = []
    for arm in draws:
        trial = sample(
            y0 + effect * arm, arm, cluster=cluster, design=design, roster=roster, roster_row=np.arange(n)
        )
        found.append(HorvitzThompson(variance="youngs", level=0.95)(trial, ask(), RNG))
    values = np.array([f.value for f in found])
    variances = np.array([f.standard_error or 0 for f in found]) ** 2
    assert abs(values.mean() - effect.mean()) < 4 * values.std() / 800**0.5
    assert variances.mean() > values.var() * (1 - 4 * (2 / 800) ** 0.5)


def test_what_weighting_cannot_do_is_refused() -> None:
    trial = blocked_trial(np.random.default_rng(13))
    with pytest.raises(EstimatorRefused, match=r"1 of 100 people without an outcome.*`hajek`"):
        HorvitzThompson(variance="youngs", level=0.95)(trial.keep(np.arange(100) > 0), ask(), RNG)
    assert np.isfinite(Hajek(variance="youngs", level=0.95)(trial.keep(np.arange(100) > 0), ask(), RNG).value)
    with pytest.raises(EstimatorRefused, match="roster"):
        Hajek(variance="youngs", level=0.95)(replace(trial, roster=None), ask(), RNG)


def test_hajek_puts_right_chances_that_differ_between_sites() -> None:
    """One site treats a quarter and starts high: the plain difference is off by far, Hajek is not."""
    from experiments.designs.multi_site import MultiSite

    rng = np.random.default_rng(14)
    site = np.repeat(["a", "b"], [200, 200])
    roster = pd.DataFrame({"site": site}, index=[f"p{i}" for i in range(400)])
    design = MultiSite(
        arms=HALF, site="site", shares_by_site={"a": {"usual": Fraction(3, 4), "offered": Fraction(1, 4)}}
    )
    values, errors = [], []
    for arm in design.draw_many(roster, 300, rng):
        y = rng.normal(size=400) + 4 * (site == "a") + 1.0 * arm
        trial = sample(y, arm, design=design, roster=roster, roster_row=np.arange(400))
        found = Hajek(variance="youngs", level=0.95)(trial, ask(), RNG)
        values.append(found.value)
        errors.append(found.standard_error or 0)
        assert abs(y[arm == 1].mean() - y[arm == 0].mean() - 1) > 0.5
    spread = float(np.std(values, ddof=1))
    assert abs(np.mean(values) - 1) < 4 * spread / 300**0.5
    assert np.mean(errors) > spread * (1 - 4 / 600**0.5)


def test_a_complete_draw_of_three_arms_counts_everybody() -> None:
    arms = (*HALF[:0], *(NamedArm(name=n, share=Fraction(1, 3)) for n in ("usual", "offered", "both")))
    rng = np.random.default_rng(15)
    roster = pd.DataFrame(index=[f"p{i}" for i in range(90)])
    design = Complete(arms=arms)
    arm = design.draw_many(roster, 1, rng)[0]
    rows = np.flatnonzero(arm < 2)
    y = rng.normal(size=90)
    trial = sample(y[rows], arm[rows], design=design, roster=roster, roster_row=rows)
    found = HorvitzThompson(variance="youngs", level=0.95)(trial, ask(), RNG)
    assert_allclose(found.value, y[arm == 1].mean() - y[arm == 0].mean(), rtol=1e-10)
