"""`desist new`: a first study file and its table contract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


def new(
    name: Annotated[str, typer.Argument(help="The study's id: lower-case letters, digits and underscores.")],
    out: Annotated[Path, typer.Option(help="Folder to write into.")] = Path(),
    as_json: Json = False,
) -> None:
    """Write NAME.yaml and its table contract, ready to edit; replaces nothing."""
    from experiments.new_study import write_new_study

    study, contract = write_new_study(name, out)
    answer(
        {"study": str(study), "contract": str(contract)},
        f"  study     {study}\n  contract  {contract}\nNext: edit both, then `desist check {study}`.",
        as_json=as_json,
    )
