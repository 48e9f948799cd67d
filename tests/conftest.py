"""What the tests share: the referees' numbers, where they are at hand."""

from __future__ import annotations

import fcntl
import json
import sys
import time
from collections.abc import Callable
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


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def desist(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """`desist("check", "baltimore_life")`: the command line, in this process."""

    def call(*words: object) -> Said:
        from desist.cli import main

        monkeypatch.setattr(sys, "argv", ["desist", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return Said(int(left.value.code or 0), said.out, said.err)

    return call


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the LIFE experiment's `data`, `run` and `release`, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    folder = shared / "life"
    with (shared / "life.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "release").is_dir():
            from desist.demo import make_release

            make_release(folder)
    return folder


@pytest.fixture(scope="session")
def life_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the LIFE experiment's table alone."""
    from data_contracts.examples import write_example

    folder = tmp_path_factory.mktemp("life-data")
    write_example("life_release_cohort", folder)
    return folder


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """True as soon as `condition()` is; False when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
