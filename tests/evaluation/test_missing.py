"""Handling missing outcomes by name: choices checked before data, and each way against what it promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from data_contracts.catalogue import UnknownPlugin, names
from data_contracts.declared import Undeclarable
from evaluation.estimate import Estimate, EstimatorRefused
from evaluation.missing import FOLDER, complete_case, handle, plan_missing
from evaluation.missing_data.inverse_probability import response_chance
from evaluation.sample import Sample
from experiments.estimand import Estimand
from experiments.protocol import Missing

from .incomplete_trials import ArmMeans, ask, trial

IMPUTATION: dict[str, Any] = {
    "imputations": 20, "iterations": 8, "auxiliary": [], "scores": "normal", "donors": 5
}  # fmt: skip
DIFFERENCE = ask("mean_difference")


class NoError:
    """An estimator that answers with a number and no standard error."""

    needs: frozenset[str] = frozenset()
    designs = kinds = scales = frozenset({"any"})

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        found = ArmMeans()(sample, estimand, rng)
        return replace(found, standard_error=None)


def test_every_way_is_found_by_its_name() -> None:
    assert set(names(FOLDER)) == {
        "complete_case",
        "inverse_probability",
        "lee_bounds",
        "manski_bounds",
        "multiple_imputation",
        "tipping_point",
        "within_estimator",
    }


def test_choices_are_checked_before_there_are_data() -> None:
    made = plan_missing(
        Missing(
            primary="complete_case", sensitivity=("lee_bounds",), options={"lee_bounds": {"level": 0.95}}
        ),
        path="analyses.primary.missing",
    )
    assert list(made) == ["complete_case", "lee_bounds"]
    with pytest.raises(UnknownPlugin, match="Did you mean 'complete_case'"):
        plan_missing(Missing(primary="complete_cases"), path="missing")
    with pytest.raises(Undeclarable, match=r"missing\.options\.lee_bounds\.level"):
        plan_missing(Missing(primary="lee_bounds"), path="missing")
    with pytest.raises(EstimatorRefused, match=r"options\.lee_bounds.*not used"):
        plan_missing(Missing(primary="complete_case", options={"lee_bounds": {"level": 0.9}}), path="missing")


def test_complete_cases_are_the_rows_with_nothing_missing() -> None:
    sample = trial(np.random.default_rng(1), "mean", missing_covariate=True)
    assert sample.covariates is not None
    kept = complete_case(sample)
    whole = sample.observed & ~np.isnan(sample.covariates[:, 0])
    np.testing.assert_array_equal(kept.person, sample.person[whole])
    nobody = replace(sample, outcome=np.where(sample.arm == 1, np.nan, sample.outcome))
    with pytest.raises(EstimatorRefused, match=r"arms\.mentoring"):
        complete_case(nobody)


def test_a_kind_that_a_way_does_not_serve_is_refused() -> None:
    sample = trial(np.random.default_rng(2), "count")
    with pytest.raises(EstimatorRefused, match="a count outcome"):
        handle(
            "lee_bounds",
            sample,
            ArmMeans(),
            DIFFERENCE,
            np.random.default_rng(3),
            {"lee_bounds": {"level": 0.9}},
        )


def test_gaps_are_left_to_an_estimator_only_if_it_says_so() -> None:
    sample = trial(np.random.default_rng(4), "mean")
    with pytest.raises(EstimatorRefused, match="incomplete rows"):
        handle("within_estimator", sample, ArmMeans(), DIFFERENCE, np.random.default_rng(5), {})


def test_weights_take_the_bias_away_and_their_intervals_cover() -> None:
    """150 trials; weights known would be conservative, so coverage is bounded from below only."""
    rng = np.random.default_rng(6)
    options = {"inverse_probability": {"auxiliary": [], "cap": None}}
    values, plain, covered = [], [], 0
    for _ in range(150):
        sample = trial(rng, "mean", people=600, loss=-1.5, slope=0.6)
        found = handle("inverse_probability", sample, ArmMeans(), DIFFERENCE, rng, options)
        values.append(found.value)
        plain.append(handle("complete_case", sample, ArmMeans(), DIFFERENCE, rng, {}).value)
        assert found.interval is not None
        covered += found.interval.low <= -0.5 <= found.interval.high
    assert abs(np.mean(values) + 0.5) < 4 * np.std(values) / np.sqrt(150)
    assert abs(np.mean(plain) + 0.5) > 4 * np.std(plain) / np.sqrt(150)
    assert covered / 150 >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 150)


def test_response_weights_are_the_inverse_of_the_shares_in_groups() -> None:
    """With one binary predictor the logistic fit is saturated: 3 of 4 stay in one group, 1 of 2 in the other."""
    group = np.repeat([[0.0], [1.0]], [8, 8], axis=0)
    stayed = np.array([1, 1, 1, 0] * 2 + [1, 0] * 4, dtype=bool)
    np.testing.assert_allclose(
        response_chance(group, stayed, where="a"), np.repeat([0.75, 0.5], 8), rtol=1e-8
    )
    with pytest.raises(EstimatorRefused, match="exactly who was lost"):
        response_chance(group, group[:, 0] == 1, where="a")


def test_an_estimator_that_does_not_heed_weights_is_refused() -> None:
    sample = trial(np.random.default_rng(7), "mean")
    options = {"inverse_probability": {"auxiliary": [], "cap": 10.0}}
    with pytest.raises(EstimatorRefused, match="does not heed weights"):
        handle(
            "inverse_probability",
            sample,
            ArmMeans(heeds_weights=False),
            DIFFERENCE,
            np.random.default_rng(8),
            options,
        )


def test_worst_cases_by_hand() -> None:
    """Treated 1, 1, 0 and one lost; reference 1, 0, 0 and one lost: from 2/4 - 2/4 to 3/4 - 1/4."""
    outcome = np.array([1.0, 1.0, 0.0, np.nan, 1.0, 0.0, 0.0, np.nan])
    sample = Sample(
        outcome=outcome, arm=np.repeat([1, 0], 4), arms=("usual", "mentoring"), unit="share", kind="binary",
        person=np.arange(8),
    )  # fmt: skip
    options = {"manski_bounds": {"lowest": 0.0, "highest": 1.0}}
    found = handle(
        "manski_bounds", sample, ArmMeans(), ask("risk_difference"), np.random.default_rng(9), options
    )
    assert found.extra["bounds"]["low"] == pytest.approx(0.0)
    assert found.extra["bounds"]["high"] == pytest.approx(0.5)
    assert found.standard_error is None and found.p_value is None and found.interval is not None
    assert found.interval.low < 0.0 and found.interval.high > 0.5
    with pytest.raises(EstimatorRefused, match="3 outcomes outside"):
        handle(
            "manski_bounds", sample, ArmMeans(), ask("risk_difference"), np.random.default_rng(9),
            {"manski_bounds": {"lowest": -1.0, "highest": 0.5}},
        )  # fmt: skip
    with pytest.raises(EstimatorRefused, match="no standard error"):
        handle("manski_bounds", sample, NoError(), ask("risk_difference"), np.random.default_rng(9), options)


def test_the_conclusion_tips_where_the_lost_are_different_enough() -> None:
    sample = trial(np.random.default_rng(10), "mean", people=600)
    sample = replace(sample, outcome=sample.outcome - 0.2 * sample.arm)
    options = {"tipping_point": {"imputation": IMPUTATION, "deltas": [-1, 1, 2, 4], "shift": "treated"}}
    found = handle("tipping_point", sample, ArmMeans(), DIFFERENCE, np.random.default_rng(11), options)
    handling = found.extra["handling"]
    rows = {row["delta"]: row for row in handling["rows"]}
    assert list(rows) == [-1.0, 0.0, 1.0, 2.0, 4.0]
    lost = np.mean(~sample.observed[sample.arm == 1])
    for delta in (-1.0, 1.0, 2.0, 4.0):
        assert rows[delta]["value"] == pytest.approx(rows[0.0]["value"] + delta * lost, abs=1e-9)
    assert handling["excludes_no_effect"] is True
    assert handling["tips_at"] == next(d for d in (1.0, 2.0, 4.0) if rows[d]["high"] >= 0)
    assert found.value == rows[0.0]["value"]


def test_a_binary_outcome_shifts_by_its_log_odds() -> None:
    sample = trial(np.random.default_rng(12), "binary", people=600)
    options = {"tipping_point": {"imputation": IMPUTATION, "deltas": [-20, 20], "shift": "both"}}
    found = handle(
        "tipping_point", sample, ArmMeans(), ask("risk_difference"), np.random.default_rng(13), options
    )
    rows = {row["delta"]: row["value"] for row in found.extra["handling"]["rows"]}
    filled = [np.where(sample.observed, sample.outcome, value) for value in (0.0, 1.0)]
    for delta, outcome in zip((-20.0, 20.0), filled, strict=True):
        expected = outcome[sample.arm == 1].mean() - outcome[sample.arm == 0].mean()
        assert rows[delta] == pytest.approx(expected, abs=1e-6)


def test_a_tipping_point_needs_shifts() -> None:
    with pytest.raises(EstimatorRefused, match="deltas"):
        plan_missing(
            Missing(
                primary="tipping_point",
                options={"tipping_point": {"imputation": IMPUTATION, "deltas": [0], "shift": "both"}},
            ),
            path="missing",
        )
