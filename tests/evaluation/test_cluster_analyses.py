"""Cluster-level analysis, mixed models, sites, wedges and crossovers: by hand, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from evaluation.estimate import EstimatorRefused
from evaluation.estimators.cluster_means import ClusterMeans
from evaluation.estimators.crossover_periods import CrossoverPeriods
from evaluation.estimators.mixed_model import MixedModel
from evaluation.estimators.multi_site_effects import MultiSiteEffects
from evaluation.estimators.stepped_wedge_effect import SteppedWedgeEffect
from evaluation.inference.intraclass import icc_binary, icc_count
from evaluation.inference.periods import arm_before, period_number, periods_treated
from experiments.design import NamedArm

from .small_trials import RNG, ask, trial

MEAN, RATE, RISK = ask("mean_difference"), ask("rate_ratio"), ask("risk_difference")


def schools(clusters: int = 12, seed: int = 1, **more: Any) -> Any:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 30, clusters)
    cluster = np.repeat(np.arange(clusters), sizes)
    arm = (cluster % 2).astype(int)
    y = 10 + arm + rng.normal(size=clusters)[cluster] + rng.normal(0, 2, len(cluster))
    return trial(y, arm, "mean", cluster=cluster, **more)


def cluster_averages(sample: Any) -> tuple[np.ndarray, np.ndarray]:
    labels = np.unique(sample.cluster)
    means = np.array([sample.outcome[sample.cluster == g].mean() for g in labels])
    arms = np.array([sample.arm[sample.cluster == g][0] for g in labels])
    return means[arms == 1], means[arms == 0]


def means(**more: Any) -> ClusterMeans:
    return ClusterMeans(**{"weights": "equal", "variance": "pooled", "level": 0.95, **more})


# ---- cluster-level analysis


def test_pooled_cluster_means_are_the_t_test_of_cluster_averages() -> None:
    sample = schools()
    found = means()(sample, MEAN, RNG)
    peer = stats.ttest_ind(*cluster_averages(sample))
    interval = peer.confidence_interval(0.95)
    assert found.interval is not None
    assert_allclose([found.interval.low, found.interval.high], [interval.low, interval.high], rtol=1e-9)
    assert_allclose(found.p_value, peer.pvalue, rtol=1e-8)
    assert found.df == 10 and found.clusters_used == 12


def test_unequal_variances_give_welchs_error() -> None:
    sample = schools()
    one, zero = cluster_averages(sample)
    found = means(variance="unequal")(sample, MEAN, RNG)
    assert_allclose(found.standard_error, np.sqrt(one.var(ddof=1) / 6 + zero.var(ddof=1) / 6), rtol=1e-9)


def test_pairs_of_clusters_are_the_paired_t_test() -> None:
    sample = schools()
    paired = replace(sample, block=sample.cluster // 2)
    one, zero = cluster_averages(sample)
    found = means()(paired, MEAN, RNG)
    peer = stats.ttest_rel(one, zero)
    assert_allclose(found.p_value, peer.pvalue, rtol=1e-8)
    assert found.df == 5


def test_weights_by_size_give_the_ratio_of_all_events_over_all_exposure() -> None:
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(14), rng.integers(5, 25, 14))
    arm = cluster % 2
    exposure = rng.uniform(0.5, 1, len(cluster))
    y = rng.poisson(2 * 0.8**arm * exposure)
    sample = trial(y, arm, "count", cluster=cluster, exposure=exposure)
    rate = [y[arm == a].sum() / exposure[arm == a].sum() for a in (0, 1)]
    assert_allclose(means(weights="size")(sample, RATE, RNG).value, rate[1] / rate[0], rtol=1e-9)
    equal = means()(sample, RATE, RNG)
    by_cluster = [
        np.mean([y[cluster == g].sum() / exposure[cluster == g].sum() for g in range(14) if g % 2 == a])
        for a in (0, 1)
    ]
    assert_allclose(equal.value, by_cluster[1] / by_cluster[0], rtol=1e-9)
    difference = means()(sample, ask("rate_difference"), RNG)
    assert_allclose(difference.value, by_cluster[1] - by_cluster[0], rtol=1e-9)


def test_two_stages_take_out_a_covariate_and_a_covariate_of_clusters_costs_a_degree() -> None:
    sample = schools(clusters=20, seed=5)
    rng = np.random.default_rng(6)
    x = rng.normal(size=len(sample.outcome)) + 1.5 * rng.normal(size=20)[sample.cluster]
    shifted = replace(sample, outcome=sample.outcome + 2 * x, covariates=x[:, None], covariate_names=("x",))
    adjusted = means()(shifted, MEAN, RNG)
    raw = means()(replace(shifted, covariates=None), MEAN, RNG)
    assert adjusted.standard_error is not None and raw.standard_error is not None
    assert adjusted.standard_error < 0.6 * raw.standard_error
    assert adjusted.df == 18
    whole = np.random.default_rng(7).normal(size=20)[sample.cluster]
    assert means()(replace(sample, covariates=whole[:, None], covariate_names=("w",)), MEAN, RNG).df == 17


def test_cluster_means_refuse_what_they_cannot_answer() -> None:
    sample = schools()
    with pytest.raises(EstimatorRefused, match="design without clusters"):
        means()(replace(sample, cluster=None), MEAN, RNG)
    with pytest.raises(EstimatorRefused, match="scale"):
        means()(sample, ask("odds_ratio"), RNG)
    with pytest.raises(EstimatorRefused, match="one cluster"):
        means()(sample.keep(np.asarray((sample.arm == 1) | (sample.cluster == 0))), MEAN, RNG)
    with pytest.raises(EstimatorRefused, match="takes weights"):
        means()(replace(sample, weight=np.ones(len(sample.outcome))), MEAN, RNG)


def test_a_constant_outcome_in_one_arm_is_answered_for_a_difference() -> None:
    cluster = np.repeat(np.arange(12), 10)
    arm = cluster % 2
    y = np.where(arm == 1, 0, np.random.default_rng(2).integers(0, 2, 120))
    sample = trial(y, arm, "binary", cluster=cluster)
    found = means(variance="unequal")(sample, RISK, RNG)
    assert_allclose(found.value, -y[arm == 0].mean(), rtol=1e-9)
    with pytest.raises(EstimatorRefused, match="an arm without events"):
        means()(sample, ask("risk_ratio"), RNG)


# ---- mixed models


def test_balanced_clusters_give_the_mixed_model_the_cluster_level_answer() -> None:
    rng = np.random.default_rng(4)
    cluster = np.repeat(np.arange(12), 15)
    arm = cluster % 2
    y = arm + 2 * rng.normal(size=12)[cluster] + rng.normal(size=180)
    sample = trial(y, arm, "mean", cluster=cluster)
    mixed = MixedModel(df="satterthwaite", icc_scale="response", level=0.95)(sample, MEAN, RNG)
    plain = means()(sample, MEAN, RNG)
    assert_allclose([mixed.value, mixed.standard_error], [plain.value, plain.standard_error], rtol=1e-6)
    assert_allclose(mixed.df, 10, rtol=1e-4)
    assert mixed.extra["fit"] == "regular" and 0.5 < mixed.extra["icc"] < 0.95


def test_a_singular_fit_answers_and_says_so() -> None:
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(12), 10)
    # Each cluster holds the same spread of scores: clusters differ by less than chance.
    y = np.tile(np.linspace(0, 9, 10), 12) + 0.01 * rng.normal(size=120)
    found = MixedModel(df="satterthwaite", icc_scale="response", level=0.95)(
        trial(y, cluster % 2, "mean", cluster=cluster), MEAN, RNG
    )
    assert found.extra["fit"].startswith("singular") and found.extra["icc"] == 0.0
    assert found.df == 10 and found.standard_error is not None and found.standard_error > 0


def test_intraclass_correlations_on_both_scales() -> None:
    assert_allclose(icc_binary(0.5, 0.0, "latent"), 0.5 / (0.5 + np.pi**2 / 3))
    draws = 1 / (1 + np.exp(-np.sqrt(0.5) * np.random.default_rng(0).normal(size=400_000)))
    assert_allclose(
        icc_binary(0.5, 0.0, "response"), draws.var() / (draws.mean() * (1 - draws.mean())), rtol=0.01
    )
    rate = np.exp(0.3 + 0.4 * np.random.default_rng(1).normal(size=400_000))
    assert_allclose(icc_count(0.16, 0.3, 0.0, "response"), rate.var() / (rate.var() + rate.mean()), rtol=0.02)


def test_the_mixed_model_of_counts_needs_their_law() -> None:
    cluster = np.repeat(np.arange(12), 10)
    y = np.random.default_rng(0).poisson(2, 120)
    sample = trial(y, cluster % 2, "count", cluster=cluster)
    with pytest.raises(EstimatorRefused, match="count_model"):
        MixedModel(df="between_within", icc_scale="response", level=0.95)(sample, RATE, RNG)
    with pytest.raises(EstimatorRefused, match="between_within"):
        MixedModel(df="satterthwaite", icc_scale="response", level=0.95, count_model="poisson")(
            sample, RATE, RNG
        )


# ---- sites


def sites(kind: Any, seed: int = 2) -> Any:
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(8), 60)
    arm = np.tile([0, 1], 240)
    effect = -0.4 + 0.2 * rng.normal(size=8)
    if kind == "binary":
        y: Any = rng.random(480) < 1 / (1 + np.exp(-(effect[block] * arm)))
    elif kind == "count":
        y = rng.poisson(np.exp(0.5 + effect[block] * arm))
    else:
        y = effect[block] * arm + rng.normal(size=480)
    return trial(y, arm, kind, block=block)


def test_one_site_effect_by_hand_and_the_forest_adds_up() -> None:
    pooled = MultiSiteEffects(method="REML", interval="knapp_hartung", level=0.95)
    sample = sites("binary")
    found = pooled(sample, ask("odds_ratio"), RNG)
    first = sample.keep(np.asarray(sample.block == 0))
    a, c = (first.outcome[first.arm == arm].sum() for arm in (1, 0))
    assert_allclose(found.extra["sites"][0]["value"], (a / (30 - a)) / (c / (30 - c)), rtol=1e-9)
    assert_allclose(
        found.extra["sites"][0]["standard_error"], np.sqrt(1 / a + 1 / (30 - a) + 1 / c + 1 / (30 - c))
    )
    assert_allclose(sum(site["weight"] for site in found.extra["sites"]), 1)
    reach = found.extra["prediction_interval"]
    assert found.interval is not None
    assert reach["low"] <= found.interval.low < found.value < found.interval.high <= reach["high"]
    for kind, scale in (("mean", "mean_difference"), ("count", "rate_ratio"), ("count", "rate_difference")):
        assert np.isfinite(pooled(sites(kind), ask(scale), RNG).value)


def test_sites_without_a_variance_or_with_clusters_are_refused() -> None:
    pooled = MultiSiteEffects(method="DL", interval="normal", level=0.95)
    sample = sites("binary")
    silent = replace(sample, outcome=np.where((sample.block == 3) & (sample.arm == 1), 0.0, sample.outcome))
    with pytest.raises(EstimatorRefused, match="1 in which nobody or everybody"):
        pooled(silent, RISK, RNG)
    assert np.isfinite(pooled(silent, ask("odds_ratio"), RNG).value)  # half an event in each cell
    with pytest.raises(EstimatorRefused, match="clusters drawn within sites"):
        pooled(replace(sample, cluster=np.arange(480) // 5), RISK, RNG)


# ---- over time


def wedge(growth: float, seed: int = 3, trend: float = 2.0) -> Any:
    rng = np.random.default_rng(seed)
    cluster, period = (grid.ravel() for grid in np.meshgrid(np.arange(12), np.arange(5), indexing="ij"))
    cluster, period = np.repeat(cluster, 20), np.repeat(period, 20)
    began = 1 + np.arange(12) % 4
    since = np.maximum(period - began[cluster] + 1, 0)
    y = trend * period + growth * since + rng.normal(size=12)[cluster] + rng.normal(size=len(cluster))
    return trial(y, since > 0, "mean", cluster=cluster, period=period)


def step(**more: Any) -> SteppedWedgeEffect:
    options: dict[str, Any] = {
        "effect": "time_averaged",
        "longest": None,
        "working": "exchangeable",
        "variance": "CR3",
        "df": "satterthwaite",
        "level": 0.95,
        **more,
    }
    return SteppedWedgeEffect(**options)


def test_the_secular_trend_is_not_taken_for_an_effect() -> None:
    sample = wedge(0.0)
    naive = sample.outcome[sample.arm == 1].mean() - sample.outcome[sample.arm == 0].mean()
    found = step(effect="constant")(sample, MEAN, RNG)
    assert naive > 2 and found.standard_error is not None
    assert abs(found.value) < 3 * found.standard_error < 1


def test_an_effect_that_grows_is_averaged_over_its_lengths_and_the_constant_model_misses_it() -> None:
    sample = wedge(1.0)
    found = step()(sample, MEAN, RNG)
    assert found.standard_error is not None
    assert abs(found.value - 2.5) < 3 * found.standard_error
    each = [row["value"] for row in found.extra["by_periods_treated"]]
    assert_allclose(each, [1, 2, 3, 4], atol=0.6)
    assert step(effect="constant")(sample, MEAN, RNG).value < 1.7
    capped = step(longest=2)(wedge(0.0), MEAN, RNG)
    assert len(capped.extra["by_periods_treated"]) == 2


def test_a_cluster_that_leaves_the_intervention_is_no_wedge() -> None:
    sample = wedge(0.0)
    left = np.where((sample.cluster == 0) & (sample.period == 4), 0, sample.arm)
    with pytest.raises(EstimatorRefused, match="crossover_periods"):
        step()(replace(sample, arm=left), MEAN, RNG)


def test_effects_that_no_period_identifies_are_refused() -> None:
    """All clusters start together: period and intervention are one."""
    sample = wedge(0.0)
    together = replace(sample, arm=(sample.period >= 2).astype(np.int64))
    with pytest.raises(EstimatorRefused, match="explain wholly"):
        step(effect="constant")(together, MEAN, RNG)


def test_periods_keep_the_designs_order_and_not_the_alphabets() -> None:
    from experiments.designs.crossover import Crossover

    names = tuple(f"day {d}" for d in range(1, 13))
    arms = (
        NamedArm(name="usual", share=Fraction(1, 2)),
        NamedArm(name="offered", share=Fraction(1, 2)),
    )
    design = Crossover(
        arms=arms,
        cluster="place",
        period="day",
        periods=names,
        drawn="periods within places",
        carry_over_periods=0,
    )
    roster = pd.DataFrame({"place": ["a"] * 12, "day": names}, index=pd.Index([f"c{d}" for d in range(12)]))
    codes = roster.groupby("day").ngroup().to_numpy()
    sample = trial(
        np.zeros(12),
        np.arange(12) % 2,
        "mean",
        period=codes,
        design=design,
        roster=roster,
        roster_row=np.arange(12),
    )
    assert list(period_number(sample)) == list(range(12))
    assert list(codes) != list(range(12))


def test_time_since_the_start_and_the_arm_before_by_hand() -> None:
    unit = np.array([0, 0, 0, 1, 1, 1])
    period = np.array([0, 1, 2, 0, 1, 2])
    assert list(periods_treated(unit, period, np.array([0, 1, 1, 0, 0, 1]))) == [0, 1, 2, 0, 0, 1]
    assert list(arm_before(unit, period, np.array([1, 0, 1, 0, 1, 1]))) == [0, 1, 0, 0, 0, 1]


def patrols(carried: float, seed: int = 4) -> Any:
    rng = np.random.default_rng(seed)
    arm = rng.permuted(np.tile(np.repeat([0, 1], 20), (15, 1)), axis=1)
    place, day = np.indices(arm.shape)
    before = np.hstack([np.zeros((15, 1)), arm[:, :-1]])
    y = 5 - 1.0 * arm + carried * before + rng.normal(size=(15, 1)) + rng.normal(size=arm.shape)
    return trial(y.ravel(), arm.ravel(), "mean", cluster=place.ravel(), period=day.ravel())


def crossing(**more: Any) -> CrossoverPeriods:
    return CrossoverPeriods(
        **{"carry_over": "none", "variance": "CR2", "df": "satterthwaite", "level": 0.95, **more}
    )


def test_carry_over_is_estimated_where_it_is_asked_for() -> None:
    sample = patrols(-0.8)
    found = crossing(carry_over="first_order")(sample, MEAN, RNG)
    assert found.standard_error is not None
    assert abs(found.value + 1.0) < 3.5 * found.standard_error
    left = found.extra["carry_over"]
    assert left["low"] < -0.8 < left["high"] and left["p_value"] < 0.01


def test_a_place_without_events_tells_nothing_of_a_ratio() -> None:
    rng = np.random.default_rng(5)
    base = patrols(0.0)
    y = np.where(base.cluster == 0, 0, rng.poisson(2.0 * 0.7**base.arm))
    sample = replace(base, outcome=y.astype(float), kind="count")
    found = crossing()(sample, RATE, RNG)
    assert found.extra["places_without_events"] == 1 and found.clusters_used == 14
    busy = sample.keep(np.asarray(sample.cluster != 0))
    assert_allclose(found.value, crossing()(busy, RATE, RNG).value, rtol=1e-9)


def test_an_odds_ratio_with_an_effect_for_each_place_is_refused() -> None:
    with pytest.raises(EstimatorRefused, match="risk difference"):
        crossing()(patrols(0.0), ask("odds_ratio"), RNG)
