"""A folder is there whole or not at all, also after a kill at the worst moment."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data_contracts.whole_folder import whole_folder

ROOT = Path(__file__).resolve().parents[2]
KILLED_AT = {"between the renames": 1, "before the former folder is removed": 2}


SCRIPT = """
import os, signal, sys
from pathlib import Path
from data_contracts.whole_folder import whole_folder

renames, real = 0, Path.rename

def rename(self, target):
    global renames
    moved = real(self, target)
    renames += 1
    if renames == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return moved

Path.rename = rename
with whole_folder(Path(sys.argv[1]), marker="a") as folder:
    (folder / "a").write_text("new")
"""


def killed(out: Path, at: int) -> None:
    """Write `out` in a process that is killed after so many renames."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(out), str(at)], check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL


def write(out: Path, text: str) -> None:
    with whole_folder(out, marker="a") as folder:
        (folder / "a").write_text(text)


@pytest.mark.parametrize(
    ("when", "after"), [("between the renames", "old"), ("before the former folder is removed", "new")]
)
def test_what_a_kill_left_is_put_back_on_the_next_use(when: str, after: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    write(out, "old")
    killed(out, KILLED_AT[when])
    assert any(path.suffix == ".old" for path in tmp_path.iterdir())
    with pytest.raises(ZeroDivisionError), whole_folder(out, marker="a"):
        raise ZeroDivisionError
    assert (out / "a").read_text() == after
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".old"] == []
    write(out, "newest")
    assert (out / "a").read_text() == "newest"


def test_folders_of_another_name_are_left_alone(tmp_path: Path) -> None:
    others = [
        tmp_path / name
        for name in (".run.x.abcdefgh.old", ".runabcdefgh.old", ".run.old", ".run.ABCDEFGH.old")
    ]
    for other in others:
        (other / "was").mkdir(parents=True)
    write(tmp_path / "run", "new")
    assert all((other / "was").is_dir() for other in others)
