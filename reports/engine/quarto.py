"""Quarto, where it is installed: the same project, rendered by `quarto render`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from data_contracts.refusal import Refusal
from reports.engine.project import environment

TIMEOUT = 1800


class QuartoFailed(Refusal):
    """Quarto is not there, or did not render the pages."""


def find_quarto() -> str | None:
    """The path of the `quarto` command, or None."""
    return shutil.which("quarto")


def quarto_version(command: str) -> str:
    """What `quarto --version` prints."""
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip() or "unknown"


def render_quarto(work: Path, site: Path, *, release_folder: Path, progress: Callable[[str], None]) -> None:
    """Render the project in `work` and move what Quarto made to the folder `site`."""
    command = find_quarto()
    if command is None:
        raise QuartoFailed(
            where="quarto",
            found="no such command on the PATH",
            expected="an installed Quarto",
            remedy="Install it from quarto.org, or use --engine embedded.",
        )
    own = {**os.environ, **environment(work, release_folder), "QUARTO_PYTHON": sys.executable}
    own["PYTHONPATH"] = os.pathsep.join(
        p for p in (str(Path(__file__).resolve().parents[2]), own.get("PYTHONPATH", "")) if p
    )
    progress("running quarto render")
    try:
        done = subprocess.run(
            [command, "render"],
            cwd=work,
            env=own,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise QuartoFailed(
            where="quarto render",
            found=f"{type(error).__name__}",
            expected=f"a rendered site within {TIMEOUT} seconds",
            remedy="Run `quarto check`, or use --engine embedded.",
        ) from None
    made = work / "_site"
    if done.returncode or not made.is_dir():
        last = (done.stderr or done.stdout).strip().splitlines()[-6:]
        raise QuartoFailed(
            where="quarto render",
            found="; ".join(line.strip() for line in last if line.strip()) or f"exit {done.returncode}",
            expected="a rendered site",
            remedy="Read the lines above, or use --engine embedded.",
        )
    shutil.copytree(made, site, dirs_exist_ok=True)
