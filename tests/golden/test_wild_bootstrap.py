"""Wild cluster bootstrap against fwildclusterboot on ten clusters of the voters data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.inference.wild_bootstrap import Multiplier, WildResult, wild_bootstrap


def voters(golden: Any, multiplier: Multiplier, convention: Any) -> tuple[WildResult, Any]:
    case = golden("fwildclusterboot_voters")
    table = pd.read_csv(case.folder / "data.csv")
    result = wild_bootstrap(
        table["proposition_vote"].to_numpy(float),
        table["treatment"].to_numpy(float),
        np.column_stack([np.ones(len(table)), table["log_income"]]),
        table["group_id1"].to_numpy(np.int64),
        multiplier=multiplier,
        restricted=True,
        convention=convention,
        redraws=99_999,
        level=0.95,
        rng=np.random.default_rng(20),
    )
    return result, case


def test_all_rademacher_draws_match(golden: Any) -> None:
    """fwildclusterboot counts |t*| > |t| only: `strict`. It draws nothing at random here."""
    result, case = voters(golden, "rademacher", "strict")
    expected = case.expected["rademacher"]
    assert result.enumerated and len(result.redrawn) == expected["B"]
    assert_allclose(result.value, expected["est"], rtol=1e-9)
    assert_allclose(result.t, expected["t"], atol=case.tolerance["t"])
    assert result.p == expected["p"]
    # The referee stops its root search at about 1e-6.
    assert_allclose([result.low, result.high], expected["ci"], atol=5e-6)


def test_counting_ties_adds_the_draw_that_changes_nothing_and_its_mirror(golden: Any) -> None:
    strict, _ = voters(golden, "rademacher", "strict")
    inclusive, _ = voters(golden, "rademacher", "inclusive")
    assert inclusive.p == pytest.approx(strict.p + 2 / 1024)
    assert inclusive.low <= strict.low and inclusive.high >= strict.high


def test_webb_draws_match_within_monte_carlo_error(golden: Any) -> None:
    result, case = voters(golden, "webb", "strict")
    expected = case.expected["webb"]
    # Two independent runs of 99,999: four standard errors of their difference are 0.0025.
    assert abs(result.p - expected["p"]) < 0.0025 < case.tolerance["p_webb"]
    assert_allclose([result.low, result.high], expected["ci"], atol=case.tolerance["ci"])
