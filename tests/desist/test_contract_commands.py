"""The verbs contract, synthesise and pseudonymise, as a script would call them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data_contracts.examples import write_example

ROOT = Path(__file__).resolve().parents[2]
DRIVER = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from desist import cli
said = []
for arguments in json.load(sys.stdin):
    sys.argv = ["desist", *arguments]
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code
    said.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str]]:
    """What each call answered: (exit code, stdout, stderr)."""
    folder = tmp_path_factory.mktemp("verbs")
    life = write_example("life_release_cohort", folder / "life")
    broken = folder / "broken.csv"
    broken.write_text(life.read_text().replace("LIFE001,no_aid,20", "LIFE001,no_aid,99"))
    (folder / "people.csv").write_text("nhs,age\n943 476 5919,14\n9434765919,15\n,13\n")
    calls: dict[str, list[str]] = {
        "show": ["contract", "show", "offences"],
        "show json": ["contract", "show", "offences", "--json"],
        "good": ["contract", "check", "life_release_cohort", str(life), "--json"],
        "broken": ["contract", "check", "life_release_cohort", str(broken), "--json"],
        "diff": ["contract", "diff", "offences", str(ROOT / "data_contracts/feeds/offences.odcs.yaml"), "--json"],
        "unknown": ["contract", "show", "ofences"],
        "usage": ["contract", "check", "offences"],
        "synthesise": ["synthesise", "baltimore_life", "--out", str(folder / "dry"), "--rows", "80", "--seed", "3", "--json"],
        "again": ["synthesise", "baltimore_life", "--out", str(folder / "dry2"), "--rows", "80", "--seed", "3", "--json"],
        "taken": ["synthesise", "baltimore_life", "--out", str(folder / "dry"), "--json"],
        "dry check": ["check", "baltimore_life", "--data", str(folder / "dry"), "--json"],
        "key": ["pseudonymise", "--make-key", str(folder / "key"), "--json"],
        "pseudonymise": ["pseudonymise", str(folder / "people.csv"), "--column", "nhs", "--scheme", "nhs", "--project", "calder",
                         "--out", str(folder / "out.csv"), "--key", str(folder / "key"), "--json"],
        "half": ["pseudonymise", str(folder / "people.csv"), "--column", "nhs"],
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=json.dumps(list(calls.values())),
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder)},
    )
    answers = {name: tuple(answer) for name, answer in zip(calls, json.loads(done.stdout), strict=True)}
    answers["files"] = (0, str(folder), "")
    return answers


def content(said: dict[str, Any], name: str) -> dict[str, Any]:
    code, out, err = said[name]
    assert code == 0, err
    return dict(json.loads(out))


def test_show_prints_a_dictionary(said: dict[str, Any]) -> None:
    code, out, _ = said["show"]
    assert code == 0
    assert "no disposal before the offence" in out
    assert "offence_code  (string, Home Office class, required)" in out
    assert [row["column"] for row in content(said, "show json")["columns"]][:2] == ["offence", "person"]


def test_check_answers_with_exit_codes_and_one_object(said: dict[str, Any]) -> None:
    good = content(said, "good")
    assert (good["rows"], good["breaches"], len(good["sha256"])) == (432, [], 64)
    code, out, err = said["broken"]
    assert code == 1
    assert json.loads(out)["breaches"] == [
        {"column": "weeks_observed", "rule": "above the maximum 52", "count": 1, "rows": [1]}
    ]
    assert "above the maximum 52" in err


def test_a_contract_does_not_differ_from_itself(said: dict[str, Any]) -> None:
    found = content(said, "diff")
    assert (found["level"], found["changes"]) == (None, [])


def test_wrong_usage_and_refusals_have_their_codes(said: dict[str, Any]) -> None:
    assert said["usage"][0] == 2
    assert said["half"][0] == 2
    code, _, err = said["unknown"]
    assert code == 1
    assert "Did you mean 'offences'" in err


def test_a_dry_run_has_tables_that_the_study_accepts(said: dict[str, Any]) -> None:
    assert content(said, "synthesise")["synthetic"] is True
    assert content(said, "dry check")["data"][0]["rows"] == 80
    folder = Path(said["files"][1])
    first, second = (folder / d / "life_release_cohort.csv" for d in ("dry", "dry2"))
    assert first.read_bytes() == second.read_bytes()
    assert "provisional: true" in (folder / "dry" / "life_release_cohort.vintage.yaml").read_text()
    assert said["taken"][0] == 1
    assert "Synthetic rows never overwrite data" in said["taken"][2]


def test_a_dry_run_draws_arms_by_the_studys_design(said: dict[str, Any]) -> None:
    text = (Path(said["files"][1]) / "dry" / "life_release_cohort.csv").read_text()
    # Complete randomisation of 80 to two arms of one half each: exactly 40.
    assert text.count(",financial_aid,") == 40


def test_pseudonymise_counts_and_writes_no_number(said: dict[str, Any]) -> None:
    found = content(said, "pseudonymise")
    assert (found["rows"], found["people"], found["rows_without"], found["spellings_merged"]) == (3, 1, 1, 1)
    text = (Path(said["files"][1]) / "out.csv").read_text()
    assert text.startswith("person,age\n") and "476" not in text
