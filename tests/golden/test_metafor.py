"""Random-effects meta-analysis against metafor on the BCG vaccine trials."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.effects.meta_analysis import MetaAnalysisRefused, pool

CASES = [("REML", "REML", "normal"), ("REML_knha", "REML", "knapp_hartung"), ("DL", "DL", "normal")]


@pytest.mark.parametrize(("key", "method", "interval"), CASES)
def test_pooled_effects_match_metafor(key: str, method: Any, interval: Any, golden: Any) -> None:
    case = golden("metafor_bcg")
    data = pd.read_csv(case.folder / "data.csv")
    ours = pool(
        data["yi"].to_numpy(float), data["vi"].to_numpy(float), method=method, interval=interval, level=0.95
    )
    expected = case.expected[key]
    # metafor stops its REML steps at 1e-5; hence the case's tolerance.
    tolerance = case.tolerance["all"]
    assert_allclose(ours.estimate, expected["b"], atol=tolerance)
    assert_allclose(ours.standard_error, expected["se"], atol=tolerance)
    assert_allclose(ours.tau_squared, expected["tau2"], atol=tolerance)
    assert_allclose(ours.q, expected["Q"], rtol=1e-10)
    assert_allclose(ours.i_squared, expected["I2"], atol=1e-3)
    assert_allclose([ours.low, ours.high], expected["ci"], atol=tolerance)
    assert_allclose([ours.prediction_low, ours.prediction_high], expected["pi"], atol=tolerance)


def test_the_interval_of_the_variance_between_trials_matches_metafor(golden: Any) -> None:
    data = pd.read_csv(golden("metafor_bcg").folder / "data.csv")
    ours = pool(
        data["yi"].to_numpy(float),
        data["vi"].to_numpy(float),
        method="REML",
        interval="normal",
        level=0.95,
    )
    # metafor 3.8.1, confint(rma(yi, vi)): Q-profile to four significant digits beyond its step.
    assert_allclose([ours.tau_squared_low, ours.tau_squared_high], [0.1196953128, 1.111486262], atol=2e-4)


def test_identical_sites_have_no_variance_between_them() -> None:
    ours = pool(np.full(6, 0.3), np.full(6, 0.04), method="REML", interval="normal", level=0.9)
    assert ours.tau_squared == 0.0
    assert_allclose(ours.estimate, 0.3)
    assert_allclose(ours.standard_error, np.sqrt(0.04 / 6))
    assert_allclose([ours.prediction_low, ours.prediction_high], [ours.low, ours.high])


def test_a_site_without_a_variance_is_refused() -> None:
    with pytest.raises(MetaAnalysisRefused, match="1 without a variance above zero"):
        pool(np.array([0.1, 0.2]), np.array([0.0, 0.1]), method="DL", interval="normal", level=0.95)
