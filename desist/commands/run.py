"""`desist run`: from a study and its data to findings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


def run(
    study: Annotated[str, typer.Argument(help="A study's id, or the path of its YAML file.")],
    data: Annotated[Path, typer.Option(help="Folder with one file per table, named after its contract.")],
    out: Annotated[Path, typer.Option(help="Folder to write: findings.json, evidence.json, run.json.")],
    as_json: Json = False,
) -> None:
    """Read and check the data, estimate what the study declares, and write the findings.

    Findings are sensitive: they stay where the data are until `desist release`.
    """
    import time

    from desist.progress import Progress
    from evaluation.run import run_study, write_run
    from experiments.load import find_study

    started = time.time()
    with Progress() as progress:
        result = run_study(find_study(study), data, progress=progress)
        write_run(result, out, started=started)
    rows = result.findings.estimates
    answer(
        {
            "study": result.protocol.id,
            "out": str(out),
            "estimates": len(rows),
            "checks": {c["name"]: c["verdict"] for c in result.findings.findings["checks"]},
        },
        f"{result.protocol.id}: {len(rows)} estimates and {len(result.findings.findings['checks'])} checks "
        f"written to {out} (sensitive: release before showing)",
        as_json=as_json,
    )
