"""The two checks of a trial's arms: what they compute, when they object, and when they cannot say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.checks.attrition import Attrition, attrition_rows
from evaluation.checks.balance import Balance, balance_rows, standardised_difference
from evaluation.estimate import EstimatorRefused
from evaluation.sample import Sample

RNG = np.random.default_rng(1)


def small() -> Sample:
    return Sample(
        outcome=np.array([1.0, 0.0, np.nan, 1.0, 0.0, 1.0, np.nan, np.nan]),
        arm=np.repeat([0, 1], 4),
        arms=("usual", "mentoring"),
        unit="share",
        kind="binary",
        person=np.arange(8),
        covariates=np.array([[1.0, 0], [2, 1], [3, 0], [4, 1], [3, 1], [4, 1], [5, 1], [6, 0]]),
        covariate_names=("age", "male"),
    )


def test_a_standardised_difference_by_hand() -> None:
    """Means 4.5 and 2.5 with SDs of sqrt(5/3); shares 3/4 and 2/4 with variances 3/16 and 4/16."""
    rows = {(r["covariate"], r["arm"]): r for r in balance_rows(small())}
    assert rows["age", "usual"]["mean"] == 2.5 and rows["age", "mentoring"]["n"] == 4
    assert rows["age", "usual"]["standardised_difference"] == pytest.approx(2 / np.sqrt(5 / 3))
    expected = 0.25 / np.sqrt((3 / 16 + 4 / 16) / 2)
    assert rows["male", "mentoring"]["standardised_difference"] == pytest.approx(expected)
    answer = Balance(limit=1.0)(small(), RNG)
    assert answer.verdict == "not met" and "age" in answer.note
    assert answer.statistic == pytest.approx(2 / np.sqrt(5 / 3))
    assert not any("p_value" in row for row in answer.rows)


def test_constants_and_gaps() -> None:
    assert standardised_difference(np.full(3, 2.0), np.full(3, 2.0)) == 0.0
    assert standardised_difference(np.full(3, 2.0), np.full(3, 1.0)) is None
    apart = replace(small(), covariates=np.repeat([[1.0], [2.0]], 4, axis=0), covariate_names=("area",))
    assert Balance(limit=9.0)(apart, RNG).verdict == "not met"
    gap = np.where(np.arange(8)[:, None] >= 4, np.nan, 1.0)
    unrecorded = replace(small(), covariates=gap, covariate_names=("age",))
    assert Balance(limit=9.0)(unrecorded, RNG).verdict == "not assessed"
    assert (
        Balance(limit=9.0)(replace(small(), covariates=None, covariate_names=()), RNG).verdict
        == "not assessed"
    )


def test_people_with_several_rows_count_once() -> None:
    twice = small().keep(np.repeat(np.arange(8), 2))
    assert balance_rows(twice) == balance_rows(small())
    assert attrition_rows(twice) == attrition_rows(small())


def test_attrition_by_hand() -> None:
    rows = attrition_rows(small())
    assert [(r["randomised"], r["lost"], r["share_lost"]) for r in rows] == [(4, 1, 0.25), (4, 2, 0.5)]
    assert Attrition(overall=0.4, difference=0.3)(small(), RNG).verdict == "met"
    overall = Attrition(overall=0.3, difference=0.3)(small(), RNG)
    assert overall.verdict == "not met" and overall.statistic == pytest.approx(3 / 8)
    assert "overall" in overall.note and "arms differ" not in overall.note
    between = Attrition(overall=0.4, difference=0.2)(small(), RNG)
    assert between.verdict == "not met" and "arms differ" in between.note


def test_lost_clusters_are_counted() -> None:
    clustered = replace(small(), cluster=np.array([0, 0, 1, 2, 3, 3, 4, 4]))
    rows = attrition_rows(clustered)
    assert [(r["clusters"], r["clusters_lost"]) for r in rows] == [(3, 1), (2, 1)]


def test_limits_are_checked_when_declared() -> None:
    with pytest.raises(EstimatorRefused, match=r"0\.20, not 20"):
        Attrition(overall=20, difference=0.05)
    with pytest.raises(EstimatorRefused, match="limit"):
        Balance(limit=0.0)
