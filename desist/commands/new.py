"""`desist new`: a first study file and its table contract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


def new(
    name: Annotated[str, typer.Argument(help="The study's id: lower-case letters, digits and underscores.")],
    out: Annotated[Path, typer.Option(help="Folder to write into.")] = Path(),
    like: Annotated[
        str | None,
        typer.Option(help="Copy this shipped study (`desist list studies`) in place of the template."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write NAME.yaml and its table contract, ready to edit; with --like, a copy of a study on feeds; replaces nothing."""
    from experiments.new_study import write_new_study

    study, *contracts = map(str, write_new_study(name, out, like=like))
    contract = contracts[0] if contracts else None
    lines = [f"  study     {study}"] + [f"  contract  {made}" for made in contracts]
    after = (
        "Next: edit both"
        if contracts
        else "Its tables are feeds (`desist contract show FEED`). Next: edit it"
    )
    answer(
        {"study": study, "contract": contract},
        "\n".join(
            [*lines, f"{after}, then `desist check {study}` and `desist rehearse {study} --out rehearsal`."]
        ),
        as_json=as_json,
    )
