"""Effect sizes and detectable effects: promises, special cases and refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import nct
from scipy.stats import t as student

from evaluation.effects.detectable import NotDetectable, achieved, planned
from evaluation.effects.effect_size import cluster_variance, individual_variance, layout, small_sample
from evaluation.effects.trial_effect_sizes import trial_effect_sizes
from evaluation.effects.variance_components import reml
from evaluation.estimate import EstimatorRefused
from evaluation.estimators.hedges_g import HedgesG
from evaluation.inference.least_squares import NotEstimable
from evaluation.sample import Sample
from experiments.estimand import Estimand

RNG = np.random.default_rng(0)
ASK = Estimand(
    outcome="y",
    contrast=("offered", "usual"),
    population="everyone",
    scale="standardised_mean_difference",
    intercurrent={},
)


def clusters(rng: np.random.Generator, count: int = 20, between: float = 1.0) -> Sample:
    cluster = np.repeat(np.arange(count), rng.integers(4, 20, count))
    n = len(cluster)
    x = rng.normal(size=n)
    y = x + 0.5 * (cluster % 2) + between * rng.normal(size=count)[cluster] + 2 * rng.normal(size=n)
    return Sample(
        outcome=y,
        arm=cluster % 2,
        arms=("usual", "offered"),
        unit="points",
        kind="mean",
        person=np.arange(n),
        cluster=cluster,
        covariates=x[:, None],
        covariate_names=("x",),
    )


def test_without_clustering_the_cluster_formulas_are_those_of_individuals() -> None:
    """rho = 0: the total variance is N/(n1 n0) + d^2 / (2 (N - 2)), and its df N - 2."""
    sizes = layout(np.arange(40) % 2 == 0, np.arange(40) // 2 * 2 + np.arange(40) % 2)
    variance, df = cluster_variance(0.4, "total", sizes, 0.0, None)
    assert_allclose(df, 38.0)
    assert_allclose(variance, 40 / 400 + 0.4**2 / (2 * 38))
    assert_allclose(individual_variance(0.4, sizes, None), 40 / 400 + 0.4**2 / 80)


def test_equal_clusters_give_hedges_first_formula() -> None:
    """Hedges (2007), the formula for clusters of one size n, m clusters in all."""
    m, n, rho, d = 12, 10, 0.2, 0.5
    group = np.repeat(np.arange(m), n)
    sizes = layout(group % 2 == 1, group)
    people = m * n
    bracket = (
        (people - 2) * (1 - rho) ** 2 + n * (people - 2 * n) * rho**2 + 2 * (people - 2 * n) * rho * (1 - rho)
    )
    by_hand = people / (people / 2) ** 2 * (1 + (n - 1) * rho)
    by_hand += d**2 * bracket / (2 * (people - 2) * ((people - 2) - 2 * (n - 1) * rho))
    assert_allclose(cluster_variance(d, "total", sizes, rho, None)[0], by_hand, rtol=1e-12)


def test_the_small_sample_factor_is_near_its_usual_approximation() -> None:
    """1 - 3 / (4v - 1), as handbooks print it, is within 0.04 percent from ten degrees of freedom up."""
    for df in (10, 30, 400):
        assert abs(small_sample(df) / (1 - 3 / (4 * df - 1)) - 1) < 0.0004


def test_units_do_not_move_a_standardised_difference() -> None:
    sample = clusters(np.random.default_rng(1))
    tenfold = replace(sample, outcome=100 + 10 * sample.outcome)
    for one, two in zip(
        trial_effect_sizes(sample, 0.95).sizes, trial_effect_sizes(tenfold, 0.95).sizes, strict=True
    ):
        assert_allclose([one.value, one.standard_error], [two.value, two.standard_error], rtol=1e-5)


def test_no_variance_between_clusters_is_an_answer_that_says_so() -> None:
    sample = clusters(np.random.default_rng(2), between=0.0)
    assert sample.cluster is not None
    means = np.bincount(sample.cluster, sample.outcome) / np.bincount(sample.cluster)
    level = replace(
        sample, outcome=sample.outcome - means[sample.cluster], covariates=None, covariate_names=()
    )
    found = trial_effect_sizes(level, 0.95)
    assert found.icc == pytest.approx(0.0, abs=1e-8) and found.icc_low == 0.0
    assert any("estimated as zero" in note for note in found.notes)
    assert all(np.isfinite([s.value, s.standard_error]).all() for s in found.sizes)


def test_what_cannot_be_standardised_is_refused() -> None:
    sample = clusters(np.random.default_rng(3))
    within = HedgesG(spread="within", standardiser="unconditional", power=0.8, level=0.95)
    conditional = HedgesG(spread="total", standardiser="conditional", power=0.8, level=0.95)
    with pytest.raises(EstimatorRefused, match="total SD alone"):
        within(replace(sample, cluster=None), ASK, RNG)
    with pytest.raises(EstimatorRefused, match="conditional SD needs covariates"):
        conditional(replace(sample, covariates=None, covariate_names=()), ASK, RNG)
    with pytest.raises(EstimatorRefused, match="does not vary within"):
        flat = sample.cluster
        assert flat is not None
        within(replace(sample, outcome=flat.astype(float), covariates=None, covariate_names=()), ASK, RNG)
    with pytest.raises(EstimatorRefused, match="weights"):
        within(replace(sample, weight=np.ones(len(sample.outcome))), ASK, RNG)
    with pytest.raises(NotEstimable, match="three or more groups"):
        reml(np.arange(6.0), np.ones((6, 1)), np.ones((6, 1)), np.arange(6) % 2)
    with pytest.raises(EstimatorRefused, match=r"0\.8"):
        HedgesG(spread="total", standardiser="empty", power=80, level=0.95)


@pytest.mark.parametrize("share", [0.5, 0.3])
def test_a_planned_individual_trial_has_the_power_it_says(share: float) -> None:
    """At the MDES, the noncentral t has 80% power: the multiplier is the usual approximation, to 0.002."""
    plan = planned(design="individual", share_treated=share, people=120, power=0.8, level=0.95)
    critical = student.ppf(0.975, plan.df)
    power = float(nct.sf(critical, plan.df, plan.value / plan.standard_error))
    assert abs(power - 0.8) < 0.002


def test_planned_designs_by_hand() -> None:
    """Dong & Maynard (2013): 20 schools of 30, ICC 0.15, half the variance explained at each level."""
    given: dict[str, Any] = {"share_treated": 0.5, "people": 30, "groups": 20, "power": 0.8, "level": 0.95}
    cluster = planned(
        design="cluster", icc=0.15, explained_within=0.5, explained_between=0.5, covariates=1, **given
    )
    assert_allclose(cluster.standard_error, (0.15 * 0.5 / (0.25 * 20) + 0.85 * 0.5 / (0.25 * 600)) ** 0.5)
    assert cluster.df == 17
    fixed = planned(design="sites_fixed", icc=0.15, **given)
    assert_allclose(fixed.standard_error, (0.85 / (0.25 * 600)) ** 0.5)
    assert fixed.df == 20 * 28
    random = planned(design="sites_random", icc=0.15, effect_variation=0.4, **given)
    assert_allclose(random.standard_error, (0.15 * 0.4 / 20 + 0.85 / (0.25 * 600)) ** 0.5)
    sizes = planned(design="cluster", icc=0.15, **{**given, "people": [20, 60] * 10})
    assert_allclose(sizes.standard_error, planned(design="cluster", icc=0.15, **given).standard_error)


def test_an_achieved_effect_is_larger_with_fewer_degrees_of_freedom() -> None:
    many = achieved(standard_error=0.1, sd=2.0, df=1000, power=0.8, level=0.95)
    few = achieved(standard_error=0.1, sd=2.0, df=6, power=0.8, level=0.95)
    assert_allclose(many.value, 0.05 * 2.8, rtol=0.002)
    assert few.value > many.value
    with pytest.raises(NotDetectable, match="degrees of freedom"):
        planned(design="cluster", share_treated=0.5, people=30, groups=2, power=0.8, level=0.95)
