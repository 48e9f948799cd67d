"""Survival analyses against R's survival, lifelines and the published numbers of the LIFE experiment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.describe_survival import describe_survival
from evaluation.estimators.proportional_hazards import ProportionalHazards
from evaluation.inference.cox import fit, proportionality, risk_sets, robust_variance
from evaluation.inference.survival import (
    kaplan_meier,
    log_rank,
    mean_cumulative,
    quantile,
    restricted_mean,
)
from evaluation.sample import Sample
from experiments.estimand import Estimand

RNG = np.random.default_rng(0)
R_NUMBERS: dict[str, Any] = json.loads((Path(__file__).parent / "survival_cox.json").read_text())
HAZARD = Estimand(
    outcome="arrest",
    contrast=("aid", "none"),
    population="all",
    scale="hazard_ratio",
    intercurrent={"death": "treatment policy"},
)
COVARIATES = ("age", "race", "wexp", "mar", "paro", "prio")
# Newton on the same likelihood, stopped at a change of 1e-13: eight digits agree between programs.
FIT = 1e-8


def life(covariates: tuple[str, ...]) -> Sample:
    from lifelines.datasets import load_rossi

    data = load_rossi()
    return Sample(
        outcome=data["week"].to_numpy(float),
        event=data["arrest"].to_numpy(bool),
        arm=data["fin"].to_numpy(np.int64),
        arms=("none", "aid"),
        unit="weeks",
        kind="time",
        person=np.arange(len(data)),
        covariates=data[list(covariates)].to_numpy(float),
        covariate_names=covariates,
    )


@pytest.fixture(scope="module")
def lung(golden: Any) -> pd.DataFrame:
    return pd.read_csv(golden("survival_lung_cgd").folder / "data.csv")


@pytest.fixture(scope="module")
def cgd(golden: Any) -> pd.DataFrame:
    return pd.read_csv(golden("survival_lung_cgd").folder / "cgd.csv")


def test_life_matches_the_published_cox_model() -> None:
    cox = ProportionalHazards(variance="model", ties="efron", level=0.95)
    adjusted = cox(life(COVARIATES), HAZARD, RNG)
    # Published to three decimals (Fox & Weisberg's appendix on this trial).
    assert_allclose(adjusted.extra["log_hazard_ratio"], -0.379, atol=5e-4)
    assert_allclose(adjusted.standard_error, 0.191, atol=5e-4)
    assert_allclose(adjusted.value, 0.684, atol=5e-4)
    assert_allclose(adjusted.extra["log_likelihood"], -658.75, atol=5e-3)
    assert_allclose(adjusted.extra["likelihood_ratio"]["statistic"], 33.27, atol=5e-3)
    assert adjusted.extra["likelihood_ratio"]["df"] == 7
    bare = cox(life(()), HAZARD, RNG)
    assert_allclose([bare.extra["log_hazard_ratio"], bare.standard_error], [-0.369, 0.190], atol=5e-4)


def test_life_matches_lifelines() -> None:
    from lifelines import CoxPHFitter
    from lifelines.datasets import load_rossi

    peer = CoxPHFitter().fit(load_rossi(), "week", "arrest")
    ours = ProportionalHazards(variance="model", ties="efron", level=0.95)(life(COVARIATES), HAZARD, RNG)
    # lifelines stops Newton at a looser gradient, so five digits agree. Its robust errors are not compared:
    # they use residuals that forget Efron's tied deaths (0.1919 here); R's do not, and are matched below.
    assert_allclose(ours.extra["log_hazard_ratio"], peer.params_["fin"], rtol=1e-5)
    assert_allclose(ours.standard_error, peer.standard_errors_["fin"], rtol=1e-5)


def test_life_robust_error_and_proportionality_match_survival() -> None:
    ours = ProportionalHazards(variance="robust", ties="efron", level=0.95)(life(COVARIATES), HAZARD, RNG)
    # survival 3.5.3: coxph(Surv(week, arrest) ~ ..., robust = TRUE), then cox.zph
    assert_allclose(ours.standard_error, 0.195541779, rtol=FIT)
    assert_allclose(ours.extra["proportionality"]["treatment"]["statistic"], 0.06242975136, rtol=1e-6)
    assert_allclose(ours.extra["proportionality"]["all_columns"]["statistic"], 17.69441525445, rtol=1e-6)


def test_curves_and_medians_match_lifelines_and_survfit(lung: pd.DataFrame, golden: Any) -> None:
    from lifelines import KaplanMeierFitter

    expected = golden("survival_lung_cgd").expected
    sample = Sample(
        outcome=lung["time"].to_numpy(float),
        event=(lung["status"] == 2).to_numpy(),
        arm=(lung["sex"] == 2).to_numpy(np.int64),
        arms=("male", "female"),
        unit="days",
        kind="time",
        person=np.arange(len(lung)),
    )
    curves = describe_survival(sample)
    assert [curve.median for curve in curves] == expected["km_median"]
    assert [curve.people for curve in curves] == expected["rmst500"]["records"]
    assert [int(curve.steps.events.sum()) for curve in curves] == expected["rmst500"]["events"]
    for code, curve in enumerate(curves):
        inside = sample.arm == code
        peer = KaplanMeierFitter().fit(sample.outcome[inside], sample.event[inside])  # type: ignore[index]
        assert_allclose(curve.steps.survival, peer.survival_function_at_times(curve.steps.time), rtol=1e-12)
        table = peer.event_table.loc[curve.steps.time]
        assert_allclose(curve.steps.at_risk, table["at_risk"])
        assert_allclose(curve.steps.censored, table["censored"])
        assert curve.rows()[0]["survival"] == 1.0


def test_restricted_means_and_log_rank_match_survival(lung: pd.DataFrame, golden: Any) -> None:
    expected = golden("survival_lung_cgd").expected
    time, event = lung["time"].to_numpy(float), (lung["status"] == 2).to_numpy()
    for code in (1, 2):
        inside = (lung["sex"] == code).to_numpy()
        mean, variance = restricted_mean(kaplan_meier(time[inside], event[inside]), 500)
        assert_allclose(mean, expected["rmst500"]["rmean"][code - 1], rtol=1e-10)
        assert_allclose(variance**0.5, expected["rmst500"]["se(rmean)"][code - 1], rtol=1e-10)
    statistic, _ = log_rank(time, event, (lung["sex"] == 2).to_numpy(np.int64))
    assert_allclose(statistic, expected["logrank"], rtol=1e-10)


def test_cox_by_cluster_matches_survival(lung: pd.DataFrame, golden: Any) -> None:
    case = golden("survival_lung_cgd")
    known = lung.dropna(subset=["inst"])  # coxph drops the person whose institution is missing
    at = risk_sets(known["time"].to_numpy(float), (known["status"] == 2).to_numpy(), ties="efron")
    ours = fit(known[["sex", "age"]].to_numpy(float), at, ties="efron")
    robust = robust_variance(ours, known["inst"].to_numpy(np.int64))
    cox = case.expected["cox"]
    assert_allclose(ours.coefficient, cox["coef"], atol=case.tolerance["coef"])
    assert_allclose(np.sqrt(np.diag(ours.model_variance)), cox["se(coef)"], atol=case.tolerance["se"])
    assert_allclose(np.sqrt(np.diag(robust)), cox["robust se"], atol=case.tolerance["se"])


def test_recurrent_events_match_survival(cgd: pd.DataFrame, golden: Any) -> None:
    case = golden("survival_lung_cgd")
    at = risk_sets(
        cgd["tstop"].to_numpy(float),
        (cgd["status"] == 1).to_numpy(),
        ties="efron",
        entry=cgd["tstart"].to_numpy(float),
    )
    ours = fit((cgd["treat"] == "rIFN-g").to_numpy(float)[:, None], at, ties="efron")
    robust = robust_variance(ours, cgd["id"].to_numpy(np.int64))
    expected = case.expected["ag_recurrent"]
    assert_allclose(ours.coefficient[0], expected["coef"], atol=case.tolerance["coef"])
    assert_allclose(ours.model_variance[0, 0] ** 0.5, expected["se(coef)"], atol=case.tolerance["se"])
    assert_allclose(robust[0, 0] ** 0.5, expected["robust se"], atol=case.tolerance["se"])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_ties_weights_strata_and_late_entry_match_survival(
    ties: Any, lung: pd.DataFrame, cgd: pd.DataFrame
) -> None:
    expected = R_NUMBERS[ties]
    time, event = lung["time"].to_numpy(float), (lung["status"] == 2).to_numpy()
    x = lung[["sex", "age"]].to_numpy(float)
    plain = fit(x, risk_sets(time, event, ties=ties), ties=ties)
    assert_allclose(plain.coefficient, expected["lung"]["coef"], rtol=FIT)
    assert_allclose(np.sqrt(np.diag(plain.model_variance)), expected["lung"]["se"], rtol=FIT)
    assert_allclose(plain.log_likelihood, expected["lung"]["loglik"], rtol=FIT)
    weight = 1.0 + (lung["age"] > 60).to_numpy(float)
    weighted = fit(x, risk_sets(time, event, ties=ties, weight=weight), ties=ties)
    assert_allclose(weighted.coefficient, expected["lung_weighted"]["coef"], rtol=FIT)
    assert_allclose(
        np.sqrt(np.diag(robust_variance(weighted))), expected["lung_weighted"]["robust_se"], rtol=FIT
    )
    at = risk_sets(
        cgd["tstop"].to_numpy(float),
        (cgd["status"] == 1).to_numpy(),
        ties=ties,
        entry=cgd["tstart"].to_numpy(float),
        strata=(cgd["sex"] == "female").to_numpy(np.int64),
    )
    z = np.column_stack([(cgd["treat"] == "rIFN-g").to_numpy(float), cgd["age"].to_numpy(float)])
    stratified = fit(z, at, ties=ties)
    robust = robust_variance(stratified, cgd["id"].to_numpy(np.int64))
    assert_allclose(stratified.coefficient, expected["cgd_stratified"]["coef"], rtol=FIT)
    assert_allclose(np.sqrt(np.diag(robust)), expected["cgd_stratified"]["robust_se"], rtol=FIT)
    assert_allclose(stratified.log_likelihood, expected["cgd_stratified"]["loglik"], rtol=FIT)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_test_of_proportional_hazards_matches_cox_zph(ties: Any, lung: pd.DataFrame) -> None:
    time, event = lung["time"].to_numpy(float), (lung["status"] == 2).to_numpy()
    x = lung[["sex", "age"]].to_numpy(float)
    fitted = fit(x, risk_sets(time, event, ties=ties), ties=ties)
    whole = kaplan_meier(time, event)
    before = np.concatenate([[1.0], whole.survival])
    clock = 1 - before[np.searchsorted(whole.time, fitted.at.step_time)]
    statistic, p = proportionality(x, fitted, clock)
    assert_allclose(statistic, R_NUMBERS[ties]["lung"]["zph_chisq"], rtol=1e-7)
    assert_allclose(p, R_NUMBERS[ties]["lung"]["zph_p"], rtol=1e-7)


def test_mean_cumulative_functions_match_survfit(cgd: pd.DataFrame) -> None:
    expected = R_NUMBERS["mean_cumulative"]
    for k, treat in enumerate(["placebo", "rIFN-g"]):
        rows = cgd[cgd["treat"] == treat]
        times, mean, low, high = mean_cumulative(
            rows["tstop"].to_numpy(float),
            (rows["status"] == 1).to_numpy(),
            rows["tstart"].to_numpy(float),
            rows["id"].to_numpy(np.int64),
            0.95,
        )
        last = np.searchsorted(times, expected["time"][:3], side="right") - 1
        assert_allclose(mean[last], expected["cumhaz"][3 * k : 3 * k + 3], rtol=1e-10)
        error = np.log(high / low)[last] / (2 * 1.959963984540054) * mean[last]
        assert_allclose(error, expected["std_chaz"][3 * k : 3 * k + 3], rtol=1e-8)
    assert quantile(kaplan_meier(np.array([1.0, 2.0]), np.array([False, False])), 0.5) is None
