"""Rate ratios and standardised risks: by hand where a hand can, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluation.estimate import EstimatorRefused
from evaluation.estimators.estimating_equations import EstimatingEquations
from evaluation.estimators.marginal_standardisation import MarginalStandardisation
from evaluation.estimators.rate_ratio import RateRatio
from evaluation.inference.firth import solve_firth

from .small_trials import RNG, ask, trial

HC2: dict[str, Any] = {"variance": "HC2", "df": "normal", "level": 0.95}
FG: dict[str, Any] = {"variance": "FG", "df": "satterthwaite", "level": 0.95}


def risks(**more: Any) -> MarginalStandardisation:
    return MarginalStandardisation(**{**HC2, "separation": "refuse", **more})


def rates(**more: Any) -> RateRatio:
    return RateRatio(**{**HC2, "model": "poisson", **more})


def binary_trial(n: int = 300, **more: Any) -> Any:
    rng = np.random.default_rng(3)
    x = rng.normal(size=n)
    arm = np.arange(n) % 2
    y = rng.random(n) < 1 / (1 + np.exp(0.4 + 0.6 * arm - x))
    return trial(y, arm, "binary", covariates=more.pop("covariates", x), **more)


def count_trial(clusters: int | None = None, **more: Any) -> Any:
    rng = np.random.default_rng(4)
    n = 240
    cluster = None if clusters is None else np.arange(n) % clusters
    arm = np.arange(n) % 2 if cluster is None else cluster % 2
    exposure = rng.uniform(0.3, 1, n)
    y = rng.poisson(exposure * 2 * 0.7**arm)
    given = {} if cluster is None else {"cluster": cluster}
    return trial(y, arm, "count", **{"exposure": exposure, **given, **more})


# ---- against hand calculation


def test_without_covariates_the_risks_are_raw_and_hc2_is_neymans_variance() -> None:
    sample = trial([1] * 30 + [0] * 70 + [1] * 45 + [0] * 55, [1] * 100 + [0] * 100, "binary")
    difference = risks()(sample, ask("risk_difference"), RNG)
    assert_allclose(difference.value, -0.15, atol=1e-9)
    assert_allclose(difference.standard_error, np.sqrt(0.3 * 0.7 / 99 + 0.45 * 0.55 / 99), rtol=1e-8)
    assert_allclose(risks()(sample, ask("risk_ratio"), RNG).value, 0.30 / 0.45, rtol=1e-8)
    odds = risks(variance="model")(sample, ask("odds_ratio"), RNG)
    assert_allclose(odds.value, (30 / 70) / (45 / 55), rtol=1e-8)
    # Woolf's standard error of a log odds ratio
    assert_allclose(odds.standard_error, np.sqrt(1 / 30 + 1 / 70 + 1 / 45 + 1 / 55), rtol=1e-8)


def test_a_rate_ratio_is_events_over_exposure_in_each_arm() -> None:
    sample = count_trial()
    treated = sample.arm == 1
    expected = (sample.outcome[treated].sum() / sample.exposure[treated].sum()) / (
        sample.outcome[~treated].sum() / sample.exposure[~treated].sum()
    )
    found = rates()(sample, ask("rate_ratio"), RNG)
    assert_allclose(found.value, expected, rtol=1e-9)
    model = rates(variance="model")(sample, ask("rate_ratio"), RNG)
    events = [sample.outcome[treated].sum(), sample.outcome[~treated].sum()]
    assert_allclose(model.standard_error, np.sqrt(1 / events[0] + 1 / events[1]), rtol=1e-8)
    quasi = rates(variance="model", model="quasi_poisson")(sample, ask("rate_ratio"), RNG)
    assert_allclose(
        quasi.standard_error, model.standard_error * np.sqrt(found.extra["dispersion"]), rtol=1e-8
    )


def test_the_unit_of_exposure_does_not_matter_to_a_ratio() -> None:
    sample = count_trial()
    in_days = replace(sample, exposure=sample.exposure * 365.25)
    first, second = (rates()(s, ask("rate_ratio"), RNG) for s in (sample, in_days))
    assert_allclose([first.value, first.standard_error], [second.value, second.standard_error], rtol=1e-8)


def test_firth_on_a_two_by_two_table_adds_half_an_event_to_each_cell() -> None:
    y = np.array([0.0] * 10 + [1.0] * 4 + [0.0] * 6)
    x = np.column_stack([np.ones(20), [0.0] * 10 + [1.0] * 10])
    found = solve_firth(y, x, starts=np.arange(20))
    assert_allclose(found.coefficient[0], np.log(0.5 / 10.5), rtol=1e-8)
    assert_allclose(found.coefficient.sum(), np.log(4.5 / 6.5), rtol=1e-8)


def test_standardisation_targets_the_marginal_effect_whatever_the_covariate() -> None:
    """The adjusted odds ratio stays near the raw one; the conditional coefficient would be further from 1."""
    rng = np.random.default_rng(8)
    n = 40_000
    x, arm = rng.normal(size=n), np.arange(n) % 2
    y = rng.random(n) < 1 / (1 + np.exp(-(-0.5 - 1.0 * arm + 2.0 * x)))
    adjusted = risks()(trial(y, arm, "binary", covariates=x), ask("odds_ratio"), RNG)
    raw = risks()(trial(y, arm, "binary"), ask("odds_ratio"), RNG)
    assert abs(np.log(adjusted.value / raw.value)) < 4 * 0.012
    assert adjusted.value > np.exp(-1.0) + 0.1
    assert adjusted.standard_error < raw.standard_error


def test_bootstrap_and_delta_method_agree() -> None:
    sample = binary_trial()
    for scale in ("risk_difference", "risk_ratio", "odds_ratio"):
        delta = risks(variance="HC2")(sample, ask(scale), RNG)
        boot = risks(variance="bootstrap", resamples=4000)(sample, ask(scale), np.random.default_rng(1))
        assert boot.value == delta.value
        assert boot.interval is not None and delta.interval is not None
        # The bootstrap's own error is 1/sqrt(8000) of the standard error; skewness is a little more.
        assert_allclose(boot.standard_error, delta.standard_error, rtol=0.06)
        assert boot.interval.low < boot.value < boot.interval.high


def test_blocks_enter_the_model() -> None:
    """Arms' shares differ by block and so does the risk: ignoring blocks would invent an effect."""
    rng = np.random.default_rng(5)
    block = np.repeat([0, 1], 3000)
    arm = (rng.random(6000) < np.where(block == 1, 0.8, 0.2)).astype(int)
    y = rng.random(6000) < np.where(block == 1, 0.6, 0.2)
    found = risks()(trial(y, arm, "binary", block=block), ask("risk_difference"), RNG)
    assert abs(found.value) < 3 * found.standard_error < 0.06
    counts = rng.poisson(np.where(block == 1, 3.0, 1.0))
    ratio = rates()(trial(counts, arm, "count", block=block), ask("rate_ratio"), RNG)
    assert abs(np.log(ratio.value)) < 3 * ratio.standard_error < 0.15


def test_rows_of_weight_zero_change_nothing() -> None:
    sample = count_trial(clusters=12)
    extra = sample.keep(np.append(np.arange(240), [0, 1, 2]))
    weighted = replace(extra, weight=np.append(np.ones(240), np.zeros(3)))
    plain = rates(**FG)(sample, ask("rate_ratio"), RNG)
    with_zeros = rates(**FG)(weighted, ask("rate_ratio"), RNG)
    assert_allclose(
        [with_zeros.value, with_zeros.standard_error, with_zeros.df],
        [plain.value, plain.standard_error, plain.df],
        rtol=1e-9,
    )


def test_a_factor_level_present_in_one_arm_only_is_answered() -> None:
    sample = binary_trial()
    level = ((sample.arm == 1) & (np.arange(300) < 60)).astype(float)
    found = risks()(
        replace(sample, covariates=level[:, None], covariate_names=("x0",)), ask("risk_difference"), RNG
    )
    assert np.isfinite(found.standard_error) and found.standard_error < 0.15


# ---- separation


def separated() -> Any:
    y = np.zeros(80)
    y[:6] = 1
    return trial(y, [1] * 40 + [0] * 40, "binary")


def test_an_arm_without_events_is_refused_or_penalised_in_words() -> None:
    for scale in ("risk_difference", "odds_ratio"):
        with pytest.raises(EstimatorRefused, match="penalise"):
            risks()(separated(), ask(scale), RNG)
    found = risks(separation="penalise", variance="HC3")(separated(), ask("risk_difference"), RNG)
    assert "Firth" in found.extra["fit"]
    assert_allclose(found.value, 6.5 / 41 - 0.5 / 41, rtol=1e-7)
    assert found.interval is not None and found.interval.low < found.value


def test_a_covariate_that_separates_is_refused() -> None:
    sample = binary_trial()
    perfect = replace(sample, covariates=sample.outcome[:, None] * 2 - 1 + 0.0, covariate_names=("x0",))
    with pytest.raises(EstimatorRefused, match="separates"):
        risks()(perfect, ask("risk_difference"), RNG)


def test_a_ratio_has_no_bootstrap_where_resamples_have_no_events() -> None:
    y = np.zeros(80)
    y[[0, 1, 2, 3, 40, 41]] = 1
    few = trial(y, [1] * 40 + [0] * 40, "binary")
    with pytest.raises(EstimatorRefused, match="no bootstrap"):
        risks(variance="bootstrap", resamples=999)(few, ask("risk_ratio"), np.random.default_rng(0))


# ---- what is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"exposure": np.append(-1.0, np.ones(239))}, "1 rows with an exposure that is zero, negative"),
        ({"exposure": np.append(0.0, np.ones(239))}, "zero, negative or missing"),
        ({"outcome": np.append(-1.0, np.ones(239))}, "1 rows with a negative or fractional count"),
        ({"outcome": np.append(0.5, np.ones(239))}, "fractional"),
        ({"outcome": np.where(np.arange(240) % 2 == 1, 0.0, 1.0)}, "no events"),
        ({"arm": np.ones(240, dtype=np.int64)}, "usual"),
        ({"weight": np.append(-1.0, np.ones(239))}, "negative or missing weights"),
        ({"covariates": np.ones((240, 1)), "covariate_names": ("same",)}, "covariates.same: found the same"),
        (
            {
                "covariates": np.column_stack([np.arange(240.0), 2 * np.arange(240.0) + 1]),
                "covariate_names": ("a", "b"),
            },
            "covariates.b: found a column that is a weighted sum",
        ),
        ({"block": np.append(1, np.zeros(239)).astype(np.int64)}, "a block with people of one arm only"),
    ],
)
def test_counts_that_cannot_be_analysed_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(EstimatorRefused, match=words):
        rates()(replace(count_trial(), **change), ask("rate_ratio"), RNG)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"variance": "HC2", "df": "normal"}, "FG"),
        ({"variance": "model", "df": "normal"}, "FG"),
        ({"variance": "CR0", "df": "satterthwaite"}, "at least 100 clusters"),
        ({"variance": "CR2", "df": "normal"}, "at least 100 clusters"),
    ],
)
def test_a_variance_that_is_wrong_with_twelve_clusters_is_refused(options: Any, words: str) -> None:
    with pytest.raises(EstimatorRefused, match=words):
        rates(**options)(count_trial(clusters=12), ask("rate_ratio"), RNG)


def test_a_variance_of_clusters_without_clusters_is_refused() -> None:
    with pytest.raises(EstimatorRefused, match="HC2"):
        rates(**FG)(count_trial(), ask("rate_ratio"), RNG)


def test_one_cluster_in_an_arm_and_a_cluster_in_both_are_refused() -> None:
    sample = count_trial()
    alone = replace(sample, cluster=sample.arm * (1 + np.arange(240) % 5))
    with pytest.raises(EstimatorRefused, match=r"arms\.usual: found one cluster"):
        rates(**FG)(alone, ask("rate_ratio"), RNG)
    with pytest.raises(EstimatorRefused, match="12 clusters with people in both arms"):
        rates(**FG)(replace(sample, cluster=np.arange(240) // 20), ask("rate_ratio"), RNG)


def test_too_few_degrees_of_freedom_are_refused() -> None:
    with pytest.raises(EstimatorRefused, match=r"1\.9 degrees of freedom from 4 clusters"):
        rates(**FG)(count_trial(clusters=4), ask("rate_ratio"), RNG)


def test_an_outcome_that_never_or_always_happens_is_refused() -> None:
    for value in (0.0, 1.0):
        sample = replace(binary_trial(), outcome=np.full(300, value))
        with pytest.raises(EstimatorRefused, match=r"(never|always) happens"):
            risks()(sample, ask("risk_difference"), RNG)


def test_a_bootstrap_of_few_clusters_is_refused() -> None:
    sample = replace(
        binary_trial(), cluster=np.where(np.arange(300) % 2 == 1, 1, 0) + 2 * (np.arange(300) // 30)
    )
    with pytest.raises(EstimatorRefused, match="a bootstrap of 20 clusters"):
        risks(variance="bootstrap", resamples=999)(sample, ask("risk_difference"), RNG)


def test_choices_that_contradict_each_other_fail_when_declared() -> None:
    with pytest.raises(EstimatorRefused, match="resamples"):
        risks(variance="bootstrap")
    with pytest.raises(EstimatorRefused, match="resamples"):
        risks(resamples=2000)
    with pytest.raises(EstimatorRefused, match="level"):
        rates(level=95.0)


def test_estimating_equations_say_which_scale_goes_with_which_outcome() -> None:
    gee = EstimatingEquations(working="exchangeable", **FG)
    with pytest.raises(EstimatorRefused, match="rate_ratio"):
        gee(count_trial(clusters=12), ask("risk_difference"), RNG)
    with pytest.raises(EstimatorRefused, match="clusters"):
        gee(count_trial(), ask("rate_ratio"), RNG)
