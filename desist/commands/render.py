"""`desist render`: from a release to a site, with Quarto where it is found."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


class Engine(StrEnum):
    """Which engine lays out the pages."""

    auto = "auto"
    quarto = "quarto"
    embedded = "embedded"


def render(
    rel: Annotated[Path, typer.Argument(help="The folder that `desist release` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder to write the site into.")],
    to: Annotated[str, typer.Option(help="Formats, separated by commas: html, pdf, docx.")] = "html,pdf",
    engine: Annotated[
        Engine, typer.Option(help="quarto, embedded, or auto: quarto where it is found.")
    ] = Engine.auto,
    as_json: Json = False,
) -> None:
    """Render the report's pages from released values only, and say which engine did it."""
    from desist.progress import Progress
    from reports.render import render as render_release

    with Progress() as progress:
        report = render_release(rel, to, engine.value, out, progress=progress)
    answer(
        {
            "engine": report.engine,
            "engine_version": report.engine_version,
            "out": str(report.out),
            "studies": list(report.studies),
            "formats": list(report.formats),
            "pages": list(report.pages),
        },
        report.sentence(),
        as_json=as_json,
    )
