"""The deviation table writes itself from two protocols, and demotes what was not promised."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluation.deviations import (
    deviation_table,
    exploratory_analyses,
    late_definitions,
    registered_protocol,
)
from experiments.load import dump, find_study, load_protocol, loads
from experiments.registration import RegistrationRefused
from study_text import without

LIFE = dump(load_protocol(find_study("baltimore_life")))
PROMISED = loads(LIFE, name="registered")


def registered(folder: Path, text: str, *, amendments: str = "", sha: str | None = None) -> Path:
    """A registered study in `folder`: the protocol as registered, and `text` as the one run."""
    (folder / "life.registered.yaml").write_text(LIFE)
    status = (
        "registration:\n  status: registered\n  outcome_data_seen: false\n  note: For the test.\n  where: ISRCTN00000000\n"
        f"  date: 2026-01-31\n  protocol: life.registered.yaml\n  sha256: {sha or PROMISED.fingerprint}\n"
    )
    start, end = text.index("registration:\n"), text.index("population:\n")
    path = folder / "life.yaml"
    path.write_text(text[:start] + status + text[end:] + amendments)
    return path


def table(path: Path) -> list[dict[str, Any]]:
    protocol = load_protocol(path)
    return deviation_table(registered_protocol(protocol, path), protocol)


def test_nothing_registered_means_nothing_to_compare(tmp_path: Path) -> None:
    path = tmp_path / "life.yaml"
    path.write_text(LIFE)
    assert table(path) == []


def test_a_kept_promise_has_no_row(tmp_path: Path) -> None:
    assert table(registered(tmp_path, LIFE)) == []


def test_a_changed_window_is_listed_and_makes_what_depends_on_it_exploratory(tmp_path: Path) -> None:
    path = registered(tmp_path, LIFE.replace("follow_up_days: 364", "follow_up_days: 182", 1))
    rows = table(path)
    assert rows == [
        {
            "path": "outcomes.rearrest.follow_up_days",
            "registered": "364",
            "run": "182",
            "amended": None,
            "reason": None,
            "verdict": "not amended",
            "affects": ["primary", "adjusted", "bayesian", "randomisation"],
        }
    ]
    assert exploratory_analyses(rows) == {"primary", "adjusted", "bayesian", "randomisation"}


@pytest.mark.parametrize(
    ("seen", "verdict", "demoted"), [("false", "amended", 0), ("true", "amended after outcomes were seen", 4)]
)
def test_an_amendment_keeps_the_promise_only_if_outcomes_were_unseen(
    tmp_path: Path, seen: str, verdict: str, demoted: int
) -> None:
    amendments = (
        "amendments:\n- date: 2026-03-01\n  path: outcomes.rearrest.follow_up_days\n"
        f"  reason: The data stop at 26 weeks.\n  outcome_data_seen: {seen}\n"
    )
    text = LIFE.replace("follow_up_days: 364", "follow_up_days: 182", 1)
    (row,) = rows = table(registered(tmp_path, text, amendments=amendments))
    assert row["verdict"] == verdict and row["amended"] == "2026-03-01"
    assert len(exploratory_analyses(rows)) == demoted


def test_wording_is_listed_and_changes_nothing(tmp_path: Path) -> None:
    rows = table(registered(tmp_path, LIFE.replace("label: Financial aid", "label: Weekly payments", 1)))
    assert [r["verdict"] for r in rows] == ["wording only"]
    assert not exploratory_analyses(rows)


def test_a_dropped_and_an_added_analysis_are_both_listed(tmp_path: Path) -> None:
    text = LIFE.replace("  adjusted:\n", "  fished:\n")
    paths = {r["path"].split(".")[1] for r in table(registered(tmp_path, text))}
    assert paths == {"adjusted", "fished"}


def test_a_changed_design_touches_every_analysis(tmp_path: Path) -> None:
    text = LIFE.replace("seed: 19711001", "seed: 19711002")
    (row,) = table(registered(tmp_path, text))
    assert row["affects"] == list(PROMISED.analyses)


def test_a_registered_file_that_was_edited_is_refused(tmp_path: Path) -> None:
    path = registered(tmp_path, LIFE)
    (tmp_path / "life.registered.yaml").write_text(LIFE.replace("follow_up_days: 364", "follow_up_days: 182"))
    with pytest.raises(RegistrationRefused, match="never edited"):
        table(path)


def test_a_registered_file_outside_the_folder_is_refused(tmp_path: Path) -> None:
    path = registered(tmp_path, LIFE)
    path.write_text(
        path.read_text().replace("protocol: life.registered.yaml", "protocol: ../life.registered.yaml")
    )
    with pytest.raises(RegistrationRefused, match="leaves the study's folder"):
        table(path)


def test_the_findings_call_the_demoted_numbers_exploratory(
    tmp_path: Path, life_data: Path, desist: Callable[..., Any]
) -> None:
    text = without(LIFE.replace("follow_up_days: 364", "follow_up_days: 182", 1), "bayesian", "randomisation")
    path = registered(tmp_path, text)
    said = desist("run", path, "--data", life_data, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    findings = json.loads((tmp_path / "run" / "findings.json").read_text())
    status = {e["extra"]["analysis"]: e["registered"] for e in findings["estimates"]}
    assert status == {
        "primary": False,
        "adjusted": False,
        "time_adjusted": True,
        "time_unadjusted": True,
        "time_robust": True,
    }


def test_a_definition_named_after_registration_is_exploratory_and_the_others_are_not() -> None:
    row = {
        "path": "outcomes.violence.derive.also_under",
        "registered": "london_serious_violence@1.0.0, near_miss_homicide@1.0.0",
        "run": "london_serious_violence@1.0.0, near_miss_homicide@1.1.0, serious_violence_strategy@1.0.0",
        "verdict": "not amended",
    }
    late = {("violence", "near_miss_homicide"), ("violence", "serious_violence_strategy")}
    assert late_definitions([row]) == late
    assert not late_definitions([row | {"verdict": "amended"}])
    assert late_definitions([row | {"registered": None}]) == late | {("violence", "london_serious_violence")}
