"""Whole chains, as a newcomer meets them: declared, rehearsed on invented rows, run, released, rendered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cluster_counts_data
from experiments.load import dump, find_study, load_protocol
from study_text import without

CLUSTER_COUNTS = Path(__file__).resolve().parents[1] / "evaluation" / "studies" / "cluster_counts.yaml"


def test_a_first_study_goes_from_new_to_a_page(desist: Callable[..., Any], tmp_path: Path) -> None:
    study = tmp_path / "my_trial.yaml"
    for words in (
        ("new", "my_trial", "--out", tmp_path),
        ("synthesise", study, "--out", tmp_path / "data", "--rows", 240, "--seed", 3),
        ("check", study, "--data", tmp_path / "data"),
        ("run", study, "--data", tmp_path / "data", "--out", tmp_path / "run"),
        ("release", tmp_path / "run", "--out", tmp_path / "release"),
        ("render", tmp_path / "release", "--to", "html", "--engine", "embedded", "--out", tmp_path / "site"),
    ):
        said = desist(*words, "--json")
        assert said.code == 0, (words[0], said.err)
        assert isinstance(json.loads(said.out), dict), words[0]
    page = (tmp_path / "site" / "studies" / "my_trial.html").read_text(encoding="utf-8")
    assert "Mentoring" in page and "confidence interval" in page
    assert "exploratory" in page.lower()
    own = "contracts/my_trial-my_trial_participants.html"
    assert f'href="../{own}"' in page and "young person" in (tmp_path / "site" / own).read_text(
        encoding="utf-8"
    )
    for made in (page, (tmp_path / "site" / "index.html").read_text(encoding="utf-8")):
        assert "Rehearsal." in made and "invented" in made


def test_a_changed_window_in_a_registered_study_reaches_the_page(
    desist: Callable[..., Any], life_data: Path, tmp_path: Path
) -> None:
    life = without(dump(load_protocol(find_study("baltimore_life"))), "bayesian", "randomisation")
    kept = tmp_path / "baltimore_life.registered.yaml"
    kept.write_text(life, encoding="utf-8")
    sha = load_protocol(kept).fingerprint
    start, end = life.index("registration:\n"), life.index("population:\n")
    registered = (
        "registration:\n  status: registered\n  outcome_data_seen: false\n  note: For the test.\n"
        "  where: ISRCTN00000000\n  date: 2026-01-31\n"
        f"  protocol: {kept.name}\n  sha256: {sha}\n"
    )
    study = tmp_path / "baltimore_life.yaml"
    changed = life[:start] + registered + life[end:].replace("follow_up_days: 364", "follow_up_days: 182", 1)
    study.write_text(changed, encoding="utf-8")
    run, release, site = tmp_path / "run", tmp_path / "release", tmp_path / "site"
    assert desist("run", study, "--data", life_data, "--out", run).code == 0
    assert desist("release", run, "--policy", "open_data", "--out", release).code == 0
    said = desist("render", release, "--to", "html", "--engine", "embedded", "--out", site)
    assert said.code == 0, said.err
    page = (site / "studies" / "baltimore_life.html").read_text(encoding="utf-8")
    assert "outcomes.rearrest.follow_up_days" in page
    assert "364" in page and "182" in page and "not amended" in page
    assert "counts as exploratory" in page
    index = (site / "index.html").read_text(encoding="utf-8")
    assert "Exploratory" in index and "Registered" not in index


def test_every_verb_answers_json_with_one_object(desist: Callable[..., Any]) -> None:
    for words in (
        ("list",),
        ("list", "estimators"),
        ("check", "baltimore_life"),
        ("contract", "show", "life_release_cohort"),
    ):
        said = desist(*words, "--json")
        assert said.code == 0, (words, said.err)
        assert isinstance(json.loads(said.out), dict), words


@pytest.mark.parametrize(
    "kind", ["estimators", "designs", "feeds", "derivations", "definitions", "checks", "studies"]
)
def test_everything_on_a_shelf_has_a_first_line(desist: Callable[..., Any], kind: str) -> None:
    shelf = json.loads(desist("list", kind, "--json").out)[kind]
    assert shelf and all(len(summary) > 10 for summary in shelf.values()), shelf


def test_a_cluster_trial_with_counts_goes_from_study_file_to_page(
    desist: Callable[..., Any], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    cluster_counts_data.write(data)
    run, release, site = tmp_path / "run", tmp_path / "release", tmp_path / "site"
    assert desist("run", CLUSTER_COUNTS, "--data", data, "--out", run).code == 0
    assert desist("release", run, "--out", release).code == 0
    said = desist("render", release, "--to", "html", "--engine", "embedded", "--out", site)
    assert said.code == 0, said.err
    (page,) = (site / "studies").glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert "Rate ratio" in text and "clusters" in text and "confidence interval" in text


def test_a_study_from_raw_tables_is_rehearsed_to_its_page(desist: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "rehearsal"
    said = desist("rehearse", "mentoring_rehearsal", "--out", out, "--rows", 600, "--seed", 1, "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["synthetic"] is True and told["withheld"] > 0
    page = Path(told["open"]).read_text(encoding="utf-8")
    for words in (
        "Rehearsal.", "What counts as the outcome", "London, Serious Violence Duty", "Near-miss homicide",
        "How each outcome is made", "Events in window", "a table of events cannot tell the two apart", "[p]",
    ):  # fmt: skip
        assert words in page, words
    people = (out / "data" / "allocation.csv").read_text(encoding="utf-8").splitlines()[1:]
    published = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("release", "site")
        for path in (out / folder).rglob("*")
        if path.suffix in (".html", ".json", ".svg")
    )
    assert not [row for row in people if row.split(",")[0] in published]
    first = (out / "release" / "record.json").read_bytes()
    again = desist("rehearse", "mentoring_rehearsal", "--out", out, "--rows", 600, "--seed", 1)
    assert again.code == 0, again.err
    assert (out / "release" / "record.json").read_bytes() == first


def test_a_rehearsal_replaces_nothing_but_a_rehearsal(desist: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    said = desist("rehearse", "mentoring_rehearsal", "--out", tmp_path)
    assert said.code == 1 and "rehearsal.json" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_shipped_study_is_copied_under_a_new_id_and_checks(
    desist: Callable[..., Any], tmp_path: Path
) -> None:
    said = desist("new", "my_copy", "--like", "mentoring_rehearsal", "--out", tmp_path, "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out) == {"study": str(tmp_path / "my_copy.yaml"), "contract": None}
    assert [path.name for path in tmp_path.iterdir()] == ["my_copy.yaml"]
    copy, original = (
        load_protocol(tmp_path / "my_copy.yaml"),
        load_protocol(find_study("mentoring_rehearsal")),
    )
    assert (copy.id, copy.outcomes, copy.analyses) == ("my_copy", original.outcomes, original.analyses)
    assert desist("check", tmp_path / "my_copy.yaml").code == 0
    assert desist("new", "my_copy", "--like", "mentoring_rehearsal", "--out", tmp_path).code == 1
    nearest = desist("new", "other", "--like", "mentoring_rehearsl", "--out", tmp_path)
    assert nearest.code == 1 and "mentoring_rehearsal" in nearest.err
    assert [path.name for path in tmp_path.iterdir()] == ["my_copy.yaml"]
