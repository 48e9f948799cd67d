"""`desist demo`: the whole chain on a real trial, from nothing to a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


def demo(
    out: Annotated[Path, typer.Option(help="Folder for data, run, release and site.")] = Path("build/demo"),
    as_json: Json = False,
) -> None:
    """Run, release and render the LIFE experiment: a real randomised trial on reoffending."""
    from desist.demo import make_demo
    from desist.progress import Progress

    with Progress() as progress:
        made = make_demo(out, progress=progress)
    lines = [f"  {name:<8} {path}" for name, path in made.paths.items()]
    answer(
        {**{name: str(path) for name, path in made.paths.items()}, "engine": made.engine},
        "\n".join([f"The chain ran end to end (pages by the {made.engine} engine):", *lines]),
        as_json=as_json,
    )
