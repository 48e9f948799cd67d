"""What the tests share: the referees' numbers, where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


class Golden(NamedTuple):
    """A case made by a referee: its expected values, its tolerances and the folder of its data."""

    expected: dict[str, Any]
    tolerance: dict[str, float]
    folder: Path


@pytest.fixture(scope="session")
def golden() -> Any:
    """`golden("name")`: a case from the shared folder; skips, saying so, where it is absent."""

    def case(name: str) -> Golden:
        folder = SHARED / "golden" / name
        if not folder.is_dir():
            pytest.skip(f"the shared golden case {name} is not beside this checkout")
        content = json.loads((folder / "expected.json").read_text())
        return Golden(content["expected"], content["tolerance"], folder)

    return case


@pytest.fixture(scope="session")
def shared_data() -> Any:
    """`shared_data("name")`: a folder of open data; skips, saying so, where it is absent."""

    def folder(name: str) -> Path:
        path = SHARED / "data" / name
        if not path.is_dir():
            pytest.skip(f"the shared data folder {name} is not beside this checkout")
        return path

    return folder
