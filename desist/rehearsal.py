"""A rehearsal: the whole chain of a study on invented rows, before any real data exist."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from data_contracts.whole_folder import whole_folder

MARKER = "rehearsal.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Where each part was written, which engine laid out the pages, and what was kept back."""

    paths: Mapping[str, Path]
    engine: str
    withheld: int


def rehearse(
    study: Path,
    out: Path,
    *,
    rows: int,
    seed: int,
    policy: str | Path = "default",
    progress: Callable[[str], None] = lambda _: None,
) -> Rehearsal:
    """Synthesise, run, release and render `study` into `out`, whole or not at all.

    A folder that an earlier rehearsal made is replaced; any other that holds something is refused. Every number of
    the page is marked provisional, and the page says that the rows were invented.
    """
    from data_contracts.disclosure import load_policy
    from desist.dry_run import write_dry_run
    from evaluation.run import run_study, write_run
    from reports.release import release
    from reports.render import render

    started = time.time()
    owner = load_policy(policy)
    with whole_folder(out, marker=MARKER) as folder:
        progress("inventing rows")
        write_dry_run(study, folder / "data", rows=rows, seed=seed)
        write_run(run_study(study, folder / "data", progress=progress), folder / "run", started=started)
        progress("releasing")
        released = release(folder / "run", owner, folder / "release")
        made = render(folder / "release", ("html", "pdf"), "auto", folder / "site", progress=progress)
        about = {"study": released.study, "rows": rows, "seed": seed, "synthetic": True}
        (folder / MARKER).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    places = {name: out / name for name in ("data", "run", "release", "site")}
    return Rehearsal(
        paths={**places, "open": out / "site" / "studies" / f"{released.study}.html"},
        engine=made.engine,
        withheld=len(released.withheld),
    )
