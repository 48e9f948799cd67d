"""Hazard ratios, restricted means and repeated events: small cases by hand, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluation.describe_survival import describe_survival
from evaluation.estimate import EstimatorRefused
from evaluation.estimators.proportional_hazards import ProportionalHazards
from evaluation.estimators.recurrent_events import RecurrentEvents
from evaluation.estimators.restricted_mean_survival import RestrictedMeanSurvival
from evaluation.inference.cox import cluster_sums, fit, risk_sets, robust_variance
from evaluation.inference.small_sample_gee import robust_from_sums

from .small_trials import RNG, ask, trial

COX = ProportionalHazards(variance="robust", ties="efron", level=0.95)
HAZARD, AREA, RATE = ask("hazard_ratio"), ask("rmst_difference"), ask("rate_ratio")


def times(n: int = 200, **more: Any) -> Any:
    rng = np.random.default_rng(6)
    arm = np.arange(n) % 2
    time = rng.exponential(40 / 0.6**arm)
    end = np.minimum(52, rng.uniform(20, 90, n))
    end[:2] = 52
    return trial(np.minimum(time, end), arm, "time", event=time <= end, **more)


def area(**more: Any) -> RestrictedMeanSurvival:
    return RestrictedMeanSurvival(**{"horizon": 40.0, "variance": "greenwood", "level": 0.95, **more})


def test_a_curve_by_hand() -> None:
    sample = trial(
        [2, 3, 3, 5, 8, 1, 4, 4, 6, 9],
        [1] * 5 + [0] * 5,
        "time",
        event=np.array([1, 1, 0, 1, 0, 0, 1, 1, 0, 1], dtype=bool),
    )
    usual, offered = describe_survival(sample)
    assert_allclose(offered.steps.time, [2, 3, 5, 8])
    assert_allclose(offered.steps.at_risk, [5, 4, 2, 1])
    assert_allclose(offered.steps.survival, [4 / 5, 3 / 5, 3 / 10, 3 / 10])
    assert offered.median == 5 and usual.arm == "usual" and usual.people == 5
    assert_allclose(usual.steps.survival, [1, 1 / 2, 1 / 2, 0])
    # Flat at one half from 4 to 9: the middle of the stretch, as survfit says it.
    assert usual.median == 6.5
    found = area(horizon=8.0)(sample, AREA, RNG)
    assert_allclose(found.value, (2 + 0.8 + 2 * 0.6 + 3 * 0.3) - (4 + 4 * 0.5))


def test_late_entry_leaves_people_out_of_earlier_risk_sets() -> None:
    sample = trial(
        [5, 6, 7, 8],
        [1, 1, 0, 0],
        "time",
        event=np.ones(4, dtype=bool),
        entry=np.array([0.0, 5.0, 0.0, 6.5]),
    )
    _, offered = describe_survival(sample)
    # At 5 the second person is not yet at risk: (entry, exit] leaves out its own entry.
    assert_allclose(offered.steps.at_risk, [1, 1])


def test_the_hazard_ratio_of_exponential_times_is_the_ratio_of_rates() -> None:
    found = COX(times(4000), HAZARD, RNG)
    assert abs(np.log(found.value / 0.6)) < 4 * found.standard_error < 0.25
    assert found.extra["proportionality"]["treatment"]["p_value"] > 0.001


def test_hazards_that_cross_are_seen_by_the_test_of_proportionality() -> None:
    rng = np.random.default_rng(9)
    arm = np.arange(800) % 2
    time = 30 * rng.weibull(np.where(arm == 1, 2.5, 0.8))
    sample = trial(np.minimum(time, 60), arm, "time", event=time <= 60)
    assert COX(sample, HAZARD, RNG).extra["proportionality"]["treatment"]["p_value"] < 1e-6


def test_blocks_are_strata() -> None:
    """Blocks with ten-fold hazards and unequal shares: unstratified, the arm would look harmful."""
    rng = np.random.default_rng(10)
    block = np.repeat([0, 1], 1000)
    arm = (rng.random(2000) < np.where(block == 1, 0.7, 0.3)).astype(int)
    time = rng.exponential(np.where(block == 1, 5.0, 50.0))
    sample = trial(np.minimum(time, 40), arm, "time", event=time <= 40, block=block)
    found = COX(sample, HAZARD, RNG)
    assert abs(np.log(found.value)) < 3 * found.standard_error
    assert np.log(COX(replace(sample, block=None), HAZARD, RNG).value) > 0.3


def test_clusters_corrected_by_their_information_are_wider_than_the_plain_sandwich() -> None:
    sample = times(200, cluster=np.arange(200) % 20)
    plain = fit(
        sample.arm[:, None].astype(float), risk_sets(sample.outcome, sample.event, ties="efron"), ties="efron"
    )
    information, score = cluster_sums(plain, sample.cluster)
    assert_allclose(information.sum(axis=0) @ plain.model_variance, np.eye(1), atol=1e-12)
    bare, _ = robust_from_sums(information, score, plain.model_variance, np.ones(1), "CR0")
    assert_allclose(bare, robust_variance(plain, sample.cluster)[0, 0], rtol=1e-10)
    found = ProportionalHazards(variance="CR3", ties="efron", level=0.95)(sample, HAZARD, RNG)
    assert found.standard_error is not None and found.standard_error > np.sqrt(bare)
    assert found.df is not None and 10 < found.df <= 18


def test_area_by_cluster_of_single_people_is_near_greenwood() -> None:
    sample = times(1000)
    alone = area()(sample, AREA, RNG)
    by_cluster = area(variance="cluster")(replace(sample, cluster=np.arange(1000)), AREA, RNG)
    assert by_cluster.value == alone.value
    assert_allclose(by_cluster.standard_error, alone.standard_error, rtol=0.01)
    assert by_cluster.df is not None and by_cluster.df > 900


# ---- what is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"outcome": np.append(0.0, np.full(199, 5.0)), "event": np.zeros(200, dtype=bool)},
            "no follow-up time",
        ),
        ({"outcome": np.append(-1.0, np.full(199, 5.0))}, "missing or negative time"),
        ({"entry": np.full(200, 60.0), "event": np.ones(200, dtype=bool)}, "at or before entry"),
        ({"event": None}, "no column of events"),
        ({"arm": np.zeros(200, dtype=np.int64)}, "nobody with an outcome"),
    ],
)
def test_times_that_nobody_can_live_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(EstimatorRefused, match=words):
        COX(replace(times(), **change), HAZARD, RNG)


def test_an_arm_without_events_is_refused_with_a_way_out() -> None:
    sample = times()
    quiet = replace(sample, event=sample.event & (sample.arm == 0))
    with pytest.raises(EstimatorRefused, match="restricted_mean_survival"):
        COX(quiet, HAZARD, RNG)
    assert area()(quiet, AREA, RNG).value > 0


def test_a_covariate_that_runs_away_is_refused() -> None:
    sample = times()
    separating = np.where(sample.event, 1.0, 0.0)
    with pytest.raises(EstimatorRefused, match="rises for ever"):
        COX(replace(sample, covariates=separating[:, None], covariate_names=("x",)), HAZARD, RNG)


def test_a_horizon_beyond_follow_up_is_refused() -> None:
    with pytest.raises(EstimatorRefused, match="beyond the last follow-up"):
        area(horizon=60.0)(times(), AREA, RNG)
    with pytest.raises(EstimatorRefused, match="horizon"):
        area(horizon=-1.0)


def test_variances_that_forget_clusters_or_trust_too_few_are_refused() -> None:
    clustered = times(200, cluster=np.arange(200) % 20)
    with pytest.raises(EstimatorRefused, match="CR3"):
        COX(clustered, HAZARD, RNG)
    with pytest.raises(EstimatorRefused, match="at least 100"):
        ProportionalHazards(variance="cluster", ties="efron", level=0.95)(clustered, HAZARD, RNG)
    with pytest.raises(EstimatorRefused, match="variance: cluster"):
        area()(clustered, AREA, RNG)
    few = times(200, cluster=np.arange(200) % 4)
    with pytest.raises(EstimatorRefused, match="degrees of freedom"):
        ProportionalHazards(variance="CR3", ties="efron", level=0.95)(few, HAZARD, RNG)


def test_stretches_of_follow_up_that_overlap_are_refused() -> None:
    sample = trial(
        [10, 12, 9, 20],
        [1, 1, 0, 0],
        "recurrent",
        event=np.array([True, False, True, False]),
        entry=np.array([0.0, 8.0, 0.0, 9.0]),
        person=np.array([0, 0, 1, 1]),
    )
    model = RecurrentEvents(variance="robust", ties="efron", level=0.95)
    with pytest.raises(EstimatorRefused, match="1 stretches that begin before"):
        model(sample, RATE, RNG)


def test_mean_cumulative_events_by_hand() -> None:
    sample = trial(
        [4, 10, 6, 8, 10, 10],
        [1, 1, 0, 0, 0, 0],
        "recurrent",
        event=np.array([True, False, True, True, False, False]),
        entry=np.array([0.0, 4.0, 0.0, 6.0, 8.0, 0.0]),
        person=np.array([0, 0, 1, 1, 1, 2]),
    )
    found = RecurrentEvents(variance="robust", ties="efron", level=0.95)(sample, RATE, RNG)
    usual, offered = found.extra["mean_cumulative"]
    assert (offered["mean"], usual["mean"]) == (1.0, 1.0)  # 1 of 1 person; 1/2 + 1/2 of two
    assert usual["low"] < 1.0 < usual["high"]
