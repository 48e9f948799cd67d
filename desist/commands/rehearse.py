"""`desist rehearse`: the whole chain of a study on invented rows, report included."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


def rehearse(
    study: Annotated[str, typer.Argument(help="A study's id, or the path of its YAML file.")],
    out: Annotated[
        Path, typer.Option(help="Folder for data, run, release and site; an earlier rehearsal is replaced.")
    ],
    rows: Annotated[int, typer.Option(min=2, help="People or units in the roster, about.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same rows.")] = 1,
    policy: Annotated[
        str, typer.Option(help="The data owner's disclosure policy: a file, or `default`.")
    ] = "default",
    as_json: Json = False,
) -> None:
    """Invent rows that keep every contract of a study, then run, release and render it: a report before any data."""
    from desist.progress import Progress
    from desist.rehearsal import rehearse as made_by
    from experiments.load import find_study

    with Progress() as progress:
        made = made_by(find_study(study), out, rows=rows, seed=seed, policy=policy, progress=progress)
    lines = [f"  {name:<8} {path}" for name, path in made.paths.items()]
    answer(
        {
            "synthetic": True,
            **{name: str(path) for name, path in made.paths.items()},
            "engine": made.engine,
            "withheld": made.withheld,
        },
        "\n".join(
            [
                f"The chain ran end to end on invented rows (pages by the {made.engine} engine; "
                f"{made.withheld} items withheld):",
                *lines,
                "No finding from them means anything.",
            ]
        ),
        as_json=as_json,
    )
