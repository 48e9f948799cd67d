"""`desist release`: the gate between findings and anything printed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


def release(
    run: Annotated[Path, typer.Argument(help="The folder that `desist run` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder to write: only what may be published.")],
    policy: Annotated[
        Path | None,
        typer.Option(help="The data owner's disclosure policy (YAML); default: threshold of 10 people."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Pass or withhold every number by the disclosure policy, with the reasons on record."""
    from desist.progress import Progress
    from reports.release import release as release_run

    with Progress():
        released = release_run(run, policy, out)
    content, text = released.summary(out)
    answer(content, text, as_json=as_json)
