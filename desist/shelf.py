"""What stands on each shelf, with its first line, read from the files without importing them."""

from __future__ import annotations

import ast
from pathlib import Path

from data_contracts.catalogue import names

PACKAGES = {
    "estimators": "evaluation.estimators",
    "designs": "experiments.designs",
    "checks": "evaluation.checks",
    "derivations": "experiments.derivations",
}
ROOT = Path(__file__).resolve().parents[1]


def shelf(kind: str) -> dict[str, str]:
    """{name: first line} of one kind of plug-in."""
    if kind in PACKAGES:
        folder = ROOT / PACKAGES[kind].replace(".", "/")
        return {name: _first_line(folder / f"{name}.py") for name in names(PACKAGES[kind])}
    if kind == "feeds":
        files = sorted((ROOT / "data_contracts" / "feeds").glob("*.odcs.yaml"))
        return {f.name.removesuffix(".odcs.yaml"): _yaml_line(f, "purpose") for f in files}
    if kind == "definitions":
        files = sorted((ROOT / "experiments" / "definitions").glob("*.definition.yaml"))
        return {
            f"{f.name.removesuffix('.definition.yaml')}@{_yaml_line(f, 'version')}": _yaml_line(f, "words")
            for f in files
        }
    files = sorted((ROOT / "experiments" / "studies").glob("*.yaml"))
    return {f.stem: _yaml_line(f, "title") for f in files if ".registered" not in f.name}


def _first_line(path: Path) -> str:
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return doc.split("\n\n", 1)[0].replace("\n", " ")


def _yaml_line(path: Path, key: str) -> str:
    from data_contracts.safe_yaml import read_yaml

    content = read_yaml(path)
    if key == "purpose":
        description = content.get("description") or {}
        return " ".join(str(description.get("purpose", content.get("name", ""))).split())
    return " ".join(str(content.get(key, "")).split())
