"""The chain on the LIFE experiment: data, run, release, site, each in its own folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

STUDY = "baltimore_life"
TABLE = "life_release_cohort"
POLICY = "open_data"
"""Anyone can already read these records person by person; the threshold holds, counts are exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Where each part was written, and which engine laid out the pages."""

    paths: Mapping[str, Path]
    engine: str


def make_release(out: Path, *, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Run and release the LIFE experiment under `out`; returns the folder of the release."""
    from data_contracts.disclosure import load_policy
    from data_contracts.examples import write_example
    from evaluation.run import run_study, write_run
    from experiments.load import find_study
    from reports.release import release

    started = time.time()
    progress("writing the open data of the LIFE experiment")
    data = out / "data"
    data.mkdir(parents=True, exist_ok=True)
    write_example(TABLE, data)
    result = run_study(find_study(STUDY), data, progress=progress)
    write_run(result, out / "run", started=started)
    progress("releasing")
    release(out / "run", load_policy(POLICY), out / "release")
    return out / "release"


def make_demo(out: Path, *, progress: Callable[[str], None] = lambda _: None) -> Demo:
    """The whole chain under `out`: data, run, release, site."""
    from reports.render import render

    rel = make_release(out, progress=progress)
    report = render(rel, ("html", "pdf"), "auto", out / "site", progress=progress)
    return Demo(
        paths={
            "data": out / "data",
            "run": out / "run",
            "release": rel,
            "site": out / "site",
            "open": out / "site" / "index.html",
        },
        engine=report.engine,
    )
