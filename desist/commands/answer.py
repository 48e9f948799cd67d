"""How a verb answers: one JSON object with `--json`, lines for a person otherwise."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def answer(content: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print the answer of a verb on stdout."""
    print(json.dumps(content, ensure_ascii=False) if as_json else text)  # noqa: T201
