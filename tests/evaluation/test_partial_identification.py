"""Lee's trimming bounds against his formulas and a case done by hand; Imbens and Manski's interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from evaluation.estimate import EstimatorRefused
from evaluation.missing import handle
from evaluation.partial_identification.bounds import Bounds, critical_value
from evaluation.partial_identification.trimming import trimming_bounds
from plugin_worlds import mean_complete

from .incomplete_trials import ArmMeans, ask, trial


def test_a_case_by_hand() -> None:
    """Treated: 1 to 8 all seen. Reference: 5 seen of 10, mean 4. Half is trimmed: means 2.5 and 6.5."""
    outcome = np.concatenate([np.arange(1.0, 9.0), [2.0, 3.0, 4.0, 5.0, 6.0], np.full(5, np.nan)])
    treated = np.repeat([True, False], [8, 10])
    found = trimming_bounds(outcome, treated, None)
    assert (found.bounds.low, found.bounds.high) == (2.5 - 4.0, 6.5 - 4.0)
    assert found.arm == 1 and found.share == 0.5
    turned = trimming_bounds(outcome, ~treated, None)
    assert (turned.bounds.low, turned.bounds.high) == (4.0 - 6.5, 4.0 - 2.5)
    assert turned.arm == 0
    assert turned.bounds.low_error == pytest.approx(found.bounds.high_error)


def test_a_tied_person_is_trimmed_in_part() -> None:
    """Seen 4 of 4 against 3 of 4: a quarter of four treated outcomes 0, 1, 1, 1 goes, one person's worth."""
    outcome = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, np.nan])
    found = trimming_bounds(outcome, np.repeat([True, False], 4), None)
    assert found.bounds.low == pytest.approx(2 / 3 - 1 / 3)
    assert found.bounds.high == pytest.approx(1.0 - 1 / 3)
    partly = trimming_bounds(np.array([0.0, 1.0, 2.0, 1.0, 1.0, np.nan]), np.repeat([True, False], 3), None)
    assert partly.bounds.low == pytest.approx((0 + 1) / 2 - 1)


def test_the_error_is_that_of_his_third_proposition() -> None:
    rng = np.random.default_rng(1)
    n = 4000
    treated = rng.random(n) < 0.5
    y = rng.normal(size=n) + 0.3 * treated
    y[rng.random(n) > np.where(treated, 0.9, 0.7)] = np.nan
    found = trimming_bounds(y, treated, None)
    seen = ~np.isnan(y)
    share, a0, d = found.share, seen[~treated].mean(), treated.mean()
    y1, y0 = np.sort(y[treated & seen]), y[~treated & seen]
    cut = y1[int(np.ceil((1 - share) * len(y1))) - 1]
    kept = y1[: int(np.floor((1 - share) * len(y1)))]
    v_share = (1 - share) ** 2 * ((1 - a0 / (1 - share)) / (d * a0 / (1 - share)) + (1 - a0) / ((1 - d) * a0))
    v_low = (kept.var() + (cut - kept.mean()) ** 2 * share) / ((treated & seen).mean() * (1 - share))
    v_low += ((cut - kept.mean()) / (1 - share)) ** 2 * v_share
    v0 = y0.var() / (~treated & seen).mean()
    assert found.bounds.low_error == pytest.approx(np.sqrt((v_low + v0) / n), rel=2e-3)


def test_the_interval_covers_the_effect_at_either_bound() -> None:
    """Mentoring keeps more in view and those it keeps are the worst off: the truth is the upper bound."""
    rng = np.random.default_rng(2)
    covered, runs = 0, 400
    for _ in range(runs):
        sample = trial(rng, "mean", people=800, loss=-50.0)
        need = rng.normal(size=800)
        y = need - 0.5 * sample.arm + 0.0
        kept_only_by_mentoring = need < norm.ppf(0.2)
        lost = np.where(
            sample.arm == 1, rng.random(800) < 0.05, kept_only_by_mentoring | (rng.random(800) < 0.05)
        )
        sample = replace(sample, outcome=np.where(lost, np.nan, y))
        found = handle(
            "lee_bounds", sample, ArmMeans(), ask("mean_difference"), rng, {"lee_bounds": {"level": 0.95}}
        )
        assert found.interval is not None
        covered += found.interval.low <= -0.5 <= found.interval.high
    assert covered / runs >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / runs)
    assert covered / runs <= 0.995, "an interval that never misses has the wrong error"


def test_clusters_that_move_together_widen_the_error() -> None:
    sample = trial(np.random.default_rng(3), "mean", clustered=True)
    apart = trimming_bounds(sample.outcome, sample.treated, None)
    together = trimming_bounds(sample.outcome, sample.treated, sample.cluster)
    assert apart.bounds.low == together.bounds.low
    assert together.bounds.low_error > apart.bounds.low_error


def test_the_critical_value_falls_from_two_sided_to_one_sided() -> None:
    assert critical_value(0.0, 1.0, 0.95) == pytest.approx(norm.ppf(0.975))
    assert critical_value(100.0, 1.0, 0.95) == pytest.approx(norm.ppf(0.95))
    c = critical_value(0.7, 1.0, 0.95)
    assert norm.cdf(c + 0.7) - norm.cdf(-c) == pytest.approx(0.95)
    low, high = Bounds(low=-1.0, high=1.0, low_error=0.0, high_error=0.0).interval(0.95)
    assert (low, high) == (-1.0, 1.0)


def test_bounds_refuse_uneven_chances_weights_and_ratios() -> None:
    rng = np.random.default_rng(4)
    options = {"lee_bounds": {"level": 0.95}}
    sample, _ = mean_complete.make(rng)
    with pytest.raises(EstimatorRefused, match="weights"):
        handle(
            "lee_bounds",
            replace(sample, weight=np.ones(len(sample.outcome))),
            ArmMeans(),
            ask("mean_difference"),
            rng,
            options,
        )
    with pytest.raises(EstimatorRefused, match="scale 'risk_ratio'"):
        handle("lee_bounds", sample, ArmMeans(), ask("risk_ratio"), rng, options)
    found = handle("lee_bounds", sample, ArmMeans(), ask("mean_difference"), rng, options)
    assert found.extra["bounds"]["low"] == pytest.approx(found.extra["bounds"]["high"])
    assert found.extra["handling"]["trimmed_arm"] is None
