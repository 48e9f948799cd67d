"""`desist list`: what there is to choose from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


class Kind(StrEnum):
    """What can be listed."""

    estimators = "estimators"
    designs = "designs"
    feeds = "feeds"
    derivations = "derivations"
    definitions = "definitions"
    checks = "checks"
    studies = "studies"


def list_(
    kind: Annotated[Kind | None, typer.Argument(help="One kind; all of them where left out.")] = None,
    as_json: Json = False,
) -> None:
    """List estimators, designs, feeds, derivations, definitions, checks and studies, each with its first line."""
    from desist.shelf import shelf

    kinds = [kind.value] if kind else [k.value for k in Kind]
    found = {each: shelf(each) for each in kinds}
    lines = []
    for each, items in found.items():
        lines.append(f"{each}:")
        width = max((len(name) for name in items), default=0)
        lines += [f"  {name:<{width}}  {summary}" for name, summary in items.items()] or ["  none"]
    answer(found, "\n".join(lines), as_json=as_json)
