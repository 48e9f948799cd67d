"""`desist synthesise`: tables for a dry run of a study, before any real data exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


def synthesise(
    study: Annotated[str, typer.Argument(help="A study's id, or the path of its YAML file.")],
    out: Annotated[Path, typer.Option(help="Folder to write the tables into; it must be new or empty.")],
    rows: Annotated[int, typer.Option(min=2, help="People or units in the roster, about.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same rows.")] = 1,
    as_json: Json = False,
) -> None:
    """Write synthetic tables that keep every contract of a study and all keys between them."""
    from desist.dry_run import write_dry_run
    from experiments.load import find_study

    paths = write_dry_run(find_study(study), out, rows=rows, seed=seed)
    content = {"study": study, "seed": seed, "synthetic": True, "files": [str(path) for path in paths]}
    lines = [*(f"  {path}" for path in paths), "Synthetic rows: no finding from them means anything."]
    answer(content, "\n".join(lines), as_json=as_json)
