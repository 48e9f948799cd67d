"""The house keeps its floors: imports point down, names name something, files hold one idea."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("desist", "reports", "evaluation", "experiments", "data_contracts")
SOURCES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
VAGUE = {"utils", "util", "helpers", "common", "misc", "core"}


def test_imports_point_down_and_heavy_libraries_stay_in_their_rooms() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_file_has_one_idea_and_a_name(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert path.stem not in VAGUE
    assert len(text.splitlines()) <= 400, "past 400 lines there is a second idea: give it a home"
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "no module docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant):
            raise AssertionError(f"line {node.lineno}: an assert that cannot fail")


def test_the_repository_speaks_of_the_project_alone() -> None:
    """No paths of a machine and no addresses of package hosts in what git tracks."""
    hosts = ["py" + "pi.org", "npm" + "js.", "python" + "hosted"]
    forbidden = re.compile("|".join([r"(?<![\w.])/(?:work|root|farm)/", *map(re.escape, hosts)]))
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    for name in listed.stdout.split():
        path = ROOT / name
        if path.suffix in (".png", ".svg", ".parquet", ".npz", ".ods", ".xlsx") or not path.is_file():
            continue
        found = forbidden.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{name} carries {found.group(0) if found else ''}"


def test_the_architecture_and_the_glossary_name_what_is_there() -> None:
    """Every path in ARCHITECTURE.md exists, and every plug-in folder is described there."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for name in re.findall(
        r"`((?:desist|reports|evaluation|experiments|data_contracts|tests|docs|benchmarks)/[\w./]*)`", text
    ):
        assert (ROOT / name).exists(), f"ARCHITECTURE.md names {name}, which is not there"
    for folder in PACKAGES:
        assert f"`{folder}/`" in text, f"ARCHITECTURE.md does not describe {folder}/"
    for folder in (
        "evaluation/estimators",
        "evaluation/checks",
        "experiments/designs",
        "data_contracts/feeds",
    ):
        assert f"`{folder}/`" in text, f"ARCHITECTURE.md does not describe {folder}/"


def test_the_readme_names_only_verbs_and_targets_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    from desist.cli import app

    verbs = {c.name or getattr(c.callback, "__name__", "") for c in app.registered_commands}
    verbs |= {group.name for group in app.registered_groups}
    for verb in re.findall(
        r"(?<!import )\bdesist ([a-z]+)\b(?! is)",
        "\n".join(re.findall(r"`[^`]*`|^    .*$|^desist .*$", readme, re.MULTILINE)),
    ):
        assert verb in verbs, f"README shows `desist {verb}`"
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"(?:`|^ +)make ([a-z]+)", readme, re.MULTILINE):
        assert target in targets, f"README shows `make {target}`"
