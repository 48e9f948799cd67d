"""`desist monitor`: the plan shown, looks and the pilot recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from data_contracts.refusal import Refusal
from desist.commands.monitor import monitor

STUDY = """
id: calder
title: Mentoring in Calder
seed: 1
registration: {status: exploratory, outcome_data_seen: false, note: a test}
population: {unit: person, eligible: anybody, roster: participants, id: person, arm: arm}
arms: {mentoring: {label: Mentoring, share: 1/2}, usual: {label: Usual, share: 1/2, reference: true}}
design: {scheme: complete}
outcomes:
  arrest: {label: Arrest, role: primary, table: participants, column: arrested, kind: binary,
    follow_up_days: 365, unit: proportion, better: lower}
estimands:
  arrest: {outcome: arrest, contrast: [mentoring, usual], population: all, scale: risk_difference, intercurrent: {}}
analyses:
  primary: {estimand: arrest, estimator: difference_in_means, variance: neyman, level: 0.95, missing: {primary: complete_case}}
checks: {}
monitoring:
  analysis: primary
  sequential: {rule: obrien_fleming, alpha: 0.05, sides: 2, looks: [1/5, 2/5, 3/5, 4/5, 1], measure: people,
    maximum: 500, report: median_unbiased}
  pilot:
    consent: {question: Share consenting, kind: proportion, better: higher, green: 0.7, red: 0.5, alpha: 0.05}
"""

app = typer.Typer()
app.command()(monitor)


def run(*words: Any) -> Any:
    result = CliRunner().invoke(app, [*map(str, words), "--json"])
    if isinstance(result.exception, Refusal):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "calder.yaml"
    path.write_text(STUDY)
    return path


def test_the_plan_is_shown_with_its_published_bounds(study: Path) -> None:
    shown = run(study)
    assert [round(row["upper"], 3) for row in shown["bounds"]] == [4.562, 3.226, 2.634, 2.281, 2.04]
    assert "look 3 at 0.6000   upper   2.6337" in CliRunner().invoke(app, [str(study)]).stdout


def test_looks_and_the_pilot_are_recorded_and_decided(study: Path, tmp_path: Path) -> None:
    pilot = run(study, "--data", tmp_path, "--pilot", "consent=76/102")
    assert pilot["advice"] == "go on" and pilot["criteria"]["consent"]["colour"] == "green"
    words = (study, "--data", tmp_path, "--standard-error", "0.05")
    assert run(*words, "--amount", "100", "--estimate", "-0.02")["decision"]["action"] == "go on"
    said = run(*words, "--amount", "200", "--estimate", "-0.17")
    assert said["decision"]["action"] == "stop for benefit", "fewer arrests are better"
    assert said["ledger_head"].startswith("4:")
    with pytest.raises(Refusal, match="no further look"):
        run(*words, "--amount", "300", "--estimate", "-0.17")


@pytest.mark.parametrize(
    "words",
    [
        ("--amount", "100"),
        ("--final",),
        ("--amount", "1", "--estimate", "1", "--standard-error", "1"),
        ("--pilot", "consent=1/2"),
    ],
)
def test_half_a_look_or_no_folder_is_wrong_usage(study: Path, words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, [str(study), *words]).exit_code == 2


def test_a_percentage_is_no_count(study: Path, tmp_path: Path) -> None:
    assert (
        CliRunner().invoke(app, [str(study), "--data", str(tmp_path), "--pilot", "consent=75%"]).exit_code
        == 2
    )


def test_a_study_without_monitoring_is_refused(study: Path) -> None:
    study.write_text(STUDY.split("monitoring:")[0])
    with pytest.raises(Refusal, match="monitoring"):
        run(study)
