"""The LIFE experiment from study file to findings, against the published numbers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from evaluation.findings import SCHEMA, FindingsRefused, read_findings
from evaluation.run import run_study, write_run
from experiments.load import dump, find_study, load_protocol
from study_text import without


@pytest.fixture(scope="module")
def findings(life: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((life / "run" / "findings.json").read_text())
    return content


@pytest.fixture(scope="module")
def by_analysis(findings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {e["extra"]["analysis"]: e for e in findings["estimates"]}


def test_the_findings_keep_their_schema(findings: dict[str, Any]) -> None:
    jsonschema.validate(findings, json.loads(SCHEMA.read_text()))
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))


def test_the_flow_is_the_published_one(findings: dict[str, Any]) -> None:
    """Rossi, Berk & Lenihan (1980): 432 men, 216 in each arm, everybody followed for a year."""
    randomised = [row["people"] for row in findings["flow"] if row["stage"] == "randomised"]
    assert randomised == [432, 216, 216]


def test_the_risk_difference_is_the_published_one(by_analysis: dict[str, Any]) -> None:
    """48 of 216 with aid and 66 of 216 without: -0.0833, with Neyman's standard error 0.0423."""
    primary = by_analysis["primary"]
    events = {row["arm"]: row["events"] for row in primary["extra"]["behind"]}
    assert events == {"financial_aid": 48, "no_aid": 66}
    assert primary["value"] == pytest.approx(48 / 216 - 66 / 216, abs=1e-12)
    p1, p0 = 48 / 216, 66 / 216
    assert primary["standard_error"] == pytest.approx(
        np.sqrt((p1 * (1 - p1) + p0 * (1 - p0)) / 215), abs=1e-12
    )
    assert round(primary["standard_error"], 4) == 0.0423


def test_the_hazard_ratio_is_the_published_one(by_analysis: dict[str, Any]) -> None:
    """Cox with the six covariates -0.379 (0.191), log-likelihood -658.75, LR 33.27 on 7; alone -0.369 (0.190)."""
    adjusted, alone = by_analysis["time_adjusted"], by_analysis["time_unadjusted"]
    assert round(np.log(adjusted["value"]), 3) == -0.379
    assert round(adjusted["standard_error"], 3) == 0.191
    assert round(np.log(alone["value"]), 3) == -0.369
    assert round(alone["standard_error"], 3) == 0.190
    assert round(adjusted["extra"]["log_likelihood"], 2) == -658.75
    assert "33.27" in json.dumps(round_all(adjusted["extra"]["likelihood_ratio"]))


def test_the_bayesian_answer_agrees_with_the_econometric_one(by_analysis: dict[str, Any]) -> None:
    """The posterior mean under the declared weak prior is the difference, within 4 Monte Carlo errors."""
    bayes, primary = by_analysis["bayesian"], by_analysis["primary"]
    error = bayes["extra"]["convergence"]["monte_carlo_error"]
    assert 0 < error < 0.02 * primary["standard_error"]
    assert abs(bayes["value"] - primary["value"]) < 4 * error
    assert bayes["standard_error"] == pytest.approx(primary["standard_error"], rel=0.06)
    assert bayes["interval"]["kind"] == "credible" and bayes["p_value"] is None


def test_a_second_run_gives_the_same_bytes(life: Path, tmp_path: Path) -> None:
    result = run_study(find_study("baltimore_life"), life / "data")
    write_run(result, tmp_path / "again", started=0.0)
    for name in ("findings.json", "evidence.json", "protocol.yaml"):
        assert (tmp_path / "again" / name).read_bytes() == (life / "run" / name).read_bytes(), name
    ours = {p.name: p.read_bytes() for p in (tmp_path / "again" / "draws").iterdir()}
    assert ours == {p.name: p.read_bytes() for p in (life / "run" / "draws").iterdir()}
    assert (tmp_path / "again" / "run.json").read_bytes() != (life / "run" / "run.json").read_bytes()


def test_the_order_of_rows_in_the_file_moves_no_econometric_number(life: Path, tmp_path: Path) -> None:
    lines = (life / "data" / "life_release_cohort.csv").read_text().splitlines(keepends=True)
    turned = tmp_path / "life_release_cohort.csv"
    turned.write_text("".join([lines[0], *reversed(lines[1:])]))
    study = tmp_path / "study.yaml"
    study.write_text(without(dump(load_protocol(find_study("baltimore_life"))), "bayesian", "randomisation"))
    ours = {e["extra"]["analysis"]: e["value"] for e in run_study(study, tmp_path).findings.estimates}
    theirs = json.loads((life / "run" / "findings.json").read_text())["estimates"]
    for row in theirs:
        if row["extra"]["analysis"] in ours:
            assert ours[row["extra"]["analysis"]] == pytest.approx(row["value"], rel=1e-9)


def test_findings_edited_by_hand_are_refused(life: Path, tmp_path: Path) -> None:
    for name in ("findings.json", "evidence.json"):
        (tmp_path / name).write_bytes((life / "run" / name).read_bytes())
    read_findings(tmp_path)
    text = (tmp_path / "findings.json").read_text()
    (tmp_path / "findings.json").write_text(text.replace('"registered": false', '"registered": true', 1))
    with pytest.raises(FindingsRefused, match="vouch"):
        read_findings(tmp_path)
    with pytest.raises(FindingsRefused, match=r"no findings\.json"):
        read_findings(tmp_path / "nowhere")


def test_a_shorter_window_counts_fewer_events(life: Path, tmp_path: Path) -> None:
    """The window is kept by the software: in 26 weeks, events are those of the first 26 weeks."""
    import pandas as pd

    text = dump(load_protocol(find_study("baltimore_life"))).replace(
        "follow_up_days: 364", "follow_up_days: 182"
    )
    study = tmp_path / "half_year.yaml"
    study.write_text(without(text, "bayesian", "randomisation"))
    rows = run_study(study, life / "data").findings.estimates
    table = pd.read_csv(life / "data" / "life_release_cohort.csv")
    early = table[(table["rearrested"] == 1) & (table["weeks_observed"] <= 26)]
    for row in rows:
        events = {b["arm"]: b["events"] for b in row["extra"]["behind"]}
        assert events == early["arm"].value_counts().to_dict()


def round_all(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: round_all(v) for k, v in node.items()}
    return round(node, 2) if isinstance(node, float) else node


def test_the_code_fingerprint_follows_the_code(tmp_path: Path) -> None:
    from evaluation.findings import code_fingerprint

    assert len(code_fingerprint()) == 64 and code_fingerprint() == code_fingerprint()
    assert hashlib.sha256(b"").hexdigest() != code_fingerprint()
