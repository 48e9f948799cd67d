"""Multiple imputation: the pooling rules by hand, the draws against least squares, and coverage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation.estimate import EstimatorRefused
from evaluation.imputation.auxiliary import auxiliary_matrix
from evaluation.imputation.chained import impute
from evaluation.imputation.fill import nearest_donors
from evaluation.imputation.pooling import pool
from evaluation.imputation.regression_draws import (
    Groups,
    draw_normal,
    draw_probit,
    latent,
    probit_start,
    start,
)
from evaluation.imputation.settings import Imputation
from evaluation.missing import handle

from .incomplete_trials import ArmMeans, LogRates, ask, trial

OPTIONS: dict[str, Any] = {
    "multiple_imputation": {
        "imputations": 10,
        "iterations": 8,
        "auxiliary": [],
        "scores": "normal",
        "donors": 5,
    }
}


def settings(**changes: Any) -> Imputation:
    return Imputation(
        **({"imputations": 10, "iterations": 8, "auxiliary": (), "scores": "normal", "donors": 5} | changes)
    )


def test_the_pooling_rules_by_hand() -> None:
    """Five estimates with variance 4: B = 2.5, T = 4 + 1.2 * 2.5 = 7, lambda = 3/7.

    v_m = 4 * 49/9, v_obs = 20 * 21/23 * 4/7; df is the inverse of the sum of inverses.
    """
    found = pool(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.full(5, 4.0), 20.0)
    assert found.value == 3.0
    assert found.standard_error == pytest.approx(np.sqrt(7.0))
    v_m, v_obs = 4 * 49 / 9, 20 * 21 / 23 * 4 / 7
    df = 1 / (1 / v_m + 1 / v_obs)
    assert found.df == pytest.approx(df)
    assert found.fraction_missing == pytest.approx((0.75 + 2 / (df + 3)) / 1.75)
    assert found.monte_carlo_error == pytest.approx(np.sqrt(0.5))
    endless = pool(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.full(5, 4.0), np.inf)
    assert endless.df == pytest.approx(v_m)


def test_pooling_equal_answers_changes_nothing() -> None:
    found = pool(np.full(6, 1.5), np.full(6, 0.25), 30.0)
    assert (found.value, found.standard_error, found.fraction_missing) == (1.5, 0.5, 0.0)
    assert found.df == pytest.approx(30 * 31 / 33)


def test_drawn_regressions_centre_on_least_squares_with_its_spread() -> None:
    """4,000 chains of one regression: the mean within 5 Monte Carlo errors, the spread within 5 in 100."""
    rng = np.random.default_rng(1)
    chains, n = 4000, 60
    one = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    y = one @ [1.0, 2.0, -1.0] + rng.normal(size=n)
    x = np.tile(one, (chains, 1, 1))
    drawn = draw_normal(x, np.tile(y, (chains, 1)), None, start(chains, 3, 0, 1.0), 1, rng)
    beta, residual, *_ = np.linalg.lstsq(one, y)
    spread = np.sqrt(np.diag(np.linalg.inv(one.T @ one)) * residual[0] / (n - 5))
    assert np.all(np.abs(drawn.beta.mean(axis=0) - beta) < 5 * spread / np.sqrt(chains))
    np.testing.assert_allclose(drawn.beta.std(axis=0), spread, rtol=0.08)


def test_random_intercepts_are_found_where_they_are() -> None:
    """60 groups of 30 with an intercept SD of 0.7 and a residual SD of 1.2, in one long chain."""
    rng = np.random.default_rng(2)
    code = np.repeat(np.arange(60), 30)
    x = np.column_stack([np.ones(1800), rng.normal(size=1800)])[None]
    y = (x[0] @ [0.3, 1.0] + 0.7 * rng.normal(size=60)[code] + 1.2 * rng.normal(size=1800))[None]
    groups = Groups.of(code, 60)
    state = start(1, 2, 60, 1.0)
    kept = []
    for step in range(400):
        state = draw_normal(x, y, groups, state, 1, rng)
        if step >= 50:
            kept.append((np.sqrt(state.tau2[0]), np.sqrt(state.sigma2[0]), state.beta[0, 1]))
    tau, sigma, slope = np.mean(kept, axis=0)
    assert abs(tau - 0.7) < 0.25 and abs(sigma - 1.2) < 0.07 and abs(slope - 1.0) < 0.1


def test_the_probit_posterior_centres_on_the_fit() -> None:
    rng = np.random.default_rng(3)
    n = 500
    x = np.column_stack([np.ones(n), rng.normal(size=n)])[None]
    y = (x[0] @ [-0.5, 0.8] + rng.normal(size=n) > 0)[None]
    fitted = probit_start(x, y, 0).beta[0]
    state = probit_start(x, y, 0)
    kept = []
    for _ in range(600):
        state = draw_probit(x, y, None, state, 2, rng)
        kept.append(state.beta[0].copy())
    np.testing.assert_allclose(np.mean(kept, axis=0), fitted, atol=0.03)


def test_latent_normals_stay_on_their_side_far_in_the_tail() -> None:
    centre = np.array([[-12.0, 12.0, 0.0]])
    z = latent(centre, np.array([[True, False, True]]), np.random.default_rng(4))
    assert z[0, 0] > 0 and z[0, 1] < 0 and z[0, 2] > 0 and np.isfinite(z).all()


def test_donors_are_the_nearest() -> None:
    seen = np.array([[0.0, 1.0, 2.0, 10.0, 11.0]])
    near = nearest_donors(seen, np.tile([[1.4, 30.0]], (1, 200)), 2, np.random.default_rng(5))
    assert set(near[0, ::2]) == {1, 2} and set(near[0, 1::2]) == {3, 4}


@pytest.mark.parametrize(
    ("kind", "clustered", "scale"),
    [
        ("mean", False, "mean_difference"),
        ("binary", False, "risk_difference"),
        ("mean", True, "mean_difference"),
        ("binary", True, "risk_difference"),
    ],
)
def test_pooled_intervals_cover_where_complete_cases_do_not(kind: Any, clustered: bool, scale: Any) -> None:
    """Coverage within 4 Monte Carlo errors below 0.95 and bias within 4, over 150 trials with 30% lost."""
    rng = np.random.default_rng(20260702)
    big = np.random.default_rng(0).normal(size=(2, 400_000))
    place = big[0] + (0.5 * big[1] if clustered else 0.0)
    truth = -0.5
    if kind == "binary":
        truth = float(np.mean(1 / (1 + np.exp(0.5 - place)) - 1 / (1 + np.exp(-place))))
    runs, covered, values, plain = 150, 0, [], []
    for _ in range(runs):
        sample = trial(rng, kind, clustered=clustered)
        found = handle("multiple_imputation", sample, ArmMeans(), ask(scale), rng, OPTIONS)
        assert found.interval is not None
        covered += found.interval.low <= truth <= found.interval.high
        values.append(found.value)
        plain.append(handle("complete_case", sample, ArmMeans(), ask(scale), rng, {}).value)
    error = np.std(values) / np.sqrt(runs)
    assert abs(np.mean(values) - truth) < 4 * error
    assert covered / runs >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / runs)
    if not clustered:
        assert abs(np.mean(plain) - truth) > 4 * np.std(plain) / np.sqrt(runs), "nothing was at stake"


def test_counts_come_from_donors_with_their_time_at_risk() -> None:
    rng = np.random.default_rng(6)
    sample = trial(rng, "count")
    assert sample.exposure is not None
    completed = impute(sample, settings(), rng)
    pairs = {(y, t) for y, t in zip(sample.outcome, sample.exposure, strict=True) if not np.isnan(y)}
    assert completed.exposure is not None
    made = set(zip(completed.outcome.ravel(), completed.exposure.ravel(), strict=True))
    assert made <= pairs
    found = handle("multiple_imputation", sample, LogRates(), ask("rate_ratio"), rng, OPTIONS)
    assert found.interval is not None and found.interval.low < found.value < found.interval.high
    assert found.value == pytest.approx(np.sqrt(found.interval.low * found.interval.high))


def test_what_was_observed_is_never_changed() -> None:
    rng = np.random.default_rng(7)
    sample = trial(rng, "mean", clustered=True, missing_covariate=True)
    completed = impute(sample, settings(), rng)
    seen = sample.observed
    np.testing.assert_array_equal(completed.outcome[:, seen], np.tile(sample.outcome[seen], (10, 1)))
    assert not np.isnan(completed.outcome).any()
    assert completed.covariates is not None and sample.covariates is not None
    assert not np.isnan(completed.covariates).any()
    known = ~np.isnan(sample.covariates[:, 0])
    np.testing.assert_array_equal(completed.covariates[3, known], sample.covariates[known])


def test_the_same_numbers_come_of_the_same_stream_whatever_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = trial(np.random.default_rng(8), "mean")
    first = handle(
        "multiple_imputation", sample, ArmMeans(), ask("mean_difference"), np.random.default_rng(9), OPTIONS
    )
    second = handle(
        "multiple_imputation", sample, ArmMeans(), ask("mean_difference"), np.random.default_rng(9), OPTIONS
    )
    assert first == second
    monkeypatch.setattr("evaluation.imputation.chained.MEMORY", 1.0)
    one_by_one = impute(sample, settings(), np.random.default_rng(9))
    assert one_by_one.outcome.shape == (10, 300) and not np.isnan(one_by_one.outcome).any()


def test_auxiliary_columns_come_from_the_roster_and_take_the_bias_away() -> None:
    """An unadjusted analysis can use a roster column that it does not adjust for."""
    rng = np.random.default_rng(10)
    options = {"multiple_imputation": OPTIONS["multiple_imputation"] | {"auxiliary": ["need", "area"]}}
    with_it, without = [], []
    for _ in range(60):
        sample = trial(rng, "mean", slope=1.5)
        assert sample.covariates is not None
        roster = pd.DataFrame({"need": sample.covariates[:, 0], "area": rng.choice(["n", "s", None], 300)})
        bare = replace(sample, covariates=None, covariate_names=(), roster=roster, roster_row=np.arange(300))
        with_it.append(
            handle("multiple_imputation", bare, ArmMeans(), ask("mean_difference"), rng, options).value
        )
        without.append(
            handle("multiple_imputation", bare, ArmMeans(), ask("mean_difference"), rng, OPTIONS).value
        )
    assert abs(np.mean(with_it) + 0.5) < 4 * np.std(with_it) / np.sqrt(60)
    assert abs(np.mean(without) + 0.5) > 4 * np.std(without) / np.sqrt(60)
    matrix, labels = auxiliary_matrix(bare, ("area",), where="auxiliary")
    assert matrix.shape == (300, 2) and all(label.startswith("area: ") for label in labels)
    with pytest.raises(EstimatorRefused, match="Did you mean 'need'"):
        auxiliary_matrix(bare, ("needs",), where="auxiliary")


def test_too_few_people_and_repeated_people_are_refused() -> None:
    rng = np.random.default_rng(11)
    sample = trial(rng, "mean", people=12, loss=2.0)
    with pytest.raises(EstimatorRefused, match="manski_bounds"):
        handle("multiple_imputation", sample, ArmMeans(), ask("mean_difference"), rng, OPTIONS)
    twice = replace(trial(rng, "mean"), person=np.zeros(300, dtype=np.int64))
    with pytest.raises(EstimatorRefused, match="one row per person"):
        handle("multiple_imputation", twice, ArmMeans(), ask("mean_difference"), rng, OPTIONS)


def test_an_analysis_with_nothing_missing_is_the_plain_one() -> None:
    rng = np.random.default_rng(12)
    sample = trial(rng, "mean")
    whole = sample.keep(sample.observed)
    plain = ArmMeans()(whole, ask("mean_difference"), rng)
    assert handle("multiple_imputation", whole, ArmMeans(), ask("mean_difference"), rng, OPTIONS) == plain
