"""Quarto, where it is installed: the same project, rendered by `quarto render`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from data_contracts.refusal import Refusal
from reports.engine.execute import execute
from reports.engine.project import environment
from reports.engine.subset import Page, read_page

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


def render_quarto(
    work: Path,
    site: Path,
    pages: Sequence[Path],
    *,
    release_folder: Path,
    progress: Callable[[str], None],
) -> None:
    """Render the project in `work` and move what Quarto made to the folder `site`.

    It works on a copy. Quarto starts a kernel for every page with cells; the data dictionaries are many
    and print in milliseconds, so that theirs are run beforehand in one kernel.
    """
    command = find_quarto()
    if command is None:
        raise QuartoFailed(
            where="quarto",
            found="no such command on the PATH",
            expected="an installed Quarto",
            remedy="Install it from quarto.org, or use --engine embedded.",
        )
    project = work.with_name("quarto")
    shutil.copytree(work, project)
    own = {**os.environ, **environment(project, release_folder), "QUARTO_PYTHON": sys.executable}
    own["PYTHONPATH"] = os.pathsep.join(
        p for p in (str(Path(__file__).resolve().parents[2]), own.get("PYTHONPATH", "")) if p
    )
    read = [read_page(project / page.relative_to(work)) for page in pages]
    dictionaries = [page for page in read if page.screen_only]
    if dictionaries:
        progress("running the cells of the data dictionaries")
        texts = execute(dictionaries, cwd=project, environment=own)
        for page, text in zip(dictionaries, texts, strict=True):
            _write_executed(page, text)
    progress("running quarto render")
    try:
        done = subprocess.run(
            [command, "render"],
            cwd=project,
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
    made = project / "_site"
    if done.returncode or not made.is_dir():
        last = (done.stderr or done.stdout).strip().splitlines()[-6:]
        raise QuartoFailed(
            where="quarto render",
            found="; ".join(line.strip() for line in last if line.strip()) or f"exit {done.returncode}",
            expected="a rendered site",
            remedy="Read the lines above, or use --engine embedded.",
        )
    shutil.copytree(made, site, dirs_exist_ok=True)


def _write_executed(page: Page, text: str) -> None:
    """The page with its cells run, for Quarto to lay out; naming the engine keeps any label from being run."""
    front = yaml.safe_dump({**page.front, "engine": "markdown"}, allow_unicode=True, sort_keys=False)
    page.path.write_text(f"---\n{front}---\n\n{text}\n", encoding="utf-8")
