"""A cluster trial with counts, from a study file to findings, on generated data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cluster_counts_data
from data_contracts.refusal import Refusal
from evaluation.run import run_study

HERE = Path(__file__).parent
STUDY = HERE / "studies" / "cluster_counts.yaml"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cluster_counts_data.write(tmp_path_factory.mktemp("mentoring"))


@pytest.fixture(scope="module")
def estimates(data: Path) -> dict[str, dict[str, Any]]:
    findings = run_study(STUDY, data).findings
    return {row["extra"]["analysis"]: row for row in findings.estimates}


def test_the_three_rate_ratios_agree_and_hold_the_truth(estimates: dict[str, dict[str, Any]]) -> None:
    ratios = [estimates[name] for name in ("primary", "by_school", "within_school_law")]
    for row in ratios:
        assert row["interval"]["low"] < cluster_counts_data.RATE_RATIO < row["interval"]["high"]
        assert row["clusters_used"] == 24
    logs = np.log([row["value"] for row in ratios])
    assert np.ptp(logs) < ratios[0]["standard_error"]


def test_the_rates_are_events_over_time_at_risk_of_those_with_a_record(
    data: Path, estimates: dict[str, dict[str, Any]]
) -> None:
    tables = cluster_counts_data.tables(7)
    joined = tables["mentoring_participants"].merge(tables["mentoring_police_contact"], on="person")
    assert estimates["primary"]["units_used"] == len(joined) < len(tables["mentoring_participants"])
    for row in estimates["primary"]["extra"]["rates"]:
        inside = joined[joined["arm"] == row["arm"]]
        assert row["rate"] == pytest.approx(inside["violent_incidents"].sum() / inside["years_at_risk"].sum())


def test_degrees_of_freedom_are_counted_in_schools(estimates: dict[str, dict[str, Any]]) -> None:
    assert all(row["df"] < 24 for row in estimates.values())
    assert estimates["within_school_law"]["df"] == 24 - 2 - 2  # intercept and arm, and two boroughs


def test_a_variance_that_forgets_the_schools_is_refused(data: Path, tmp_path: Path) -> None:
    for contract in STUDY.parent.glob("*.odcs.yaml"):
        (tmp_path / contract.name).write_text(contract.read_text())
    forgetful = tmp_path / STUDY.name
    forgetful.write_text(STUDY.read_text().replace("variance: FG", "variance: HC2", 1))
    with pytest.raises(Refusal, match="FG"):
        run_study(forgetful, data)
