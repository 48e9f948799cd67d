"""Figures for pages and notebooks, made from released values alone, each with a text alternative.

`draw("primary", v)` returns a matplotlib figure that also shows itself in a notebook.
`show("primary", v)` writes it as a file beside the page and returns the Markdown that shows it,
with its caption and its alternative text.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from data_contracts.refusal import Refusal, nearest
from reports.neutral import attribute, markdown
from reports.values import Values

if TYPE_CHECKING:
    from reports.figures.picture import Picture

DRAWN: Mapping[str, str] = {
    "flow": "reports.figures.flow",
    "primary": "reports.figures.primary",
    "analyses": "reports.figures.analyses",
    "posterior": "reports.figures.posterior",
    "survival": "reports.figures.survival",
    "definitions": "reports.figures.definitions",
    "balance": "reports.figures.balance",
}
"""Each figure's name, and the module whose `picture(v)` draws it."""

EXPECTED = frozenset({"flow", "primary"})
"""Figures that every study should have; the others go without a word where the study has nothing for them."""

PLACE = "DESIST_FIGURES"
FORMAT = "DESIST_FIGURE_FORMAT"
QUARTO = "QUARTO_EXECUTE_INFO"
"""Where Quarto says which format it is rendering."""
BESIDE_PAGES = Path(__file__).resolve().parents[1] / "studies" / "figures"


class UnknownFigure(Refusal):
    """A figure that nobody draws, or that this study has nothing for."""


def draw(name: str, v: Values) -> Picture:
    """The figure, or a refusal that says why there is none."""
    found = draw_or_none(name, v)
    if found is None:
        raise UnknownFigure(
            where=f"figures of {v.study}",
            found=f"nothing released to draw '{name}' from",
            expected="a released result of that kind",
            remedy="The table of what was withheld, and why, is at the end of the report.",
        )
    return found


def draw_or_none(name: str, v: Values) -> Picture | None:
    """The figure, or None where the release holds nothing to draw."""
    if name not in DRAWN:
        raise UnknownFigure(
            where="figures",
            found=f"'{name}'",
            expected="the name of a figure",
            remedy=nearest(name, DRAWN),
        )
    if not v.present:
        return None
    picture: Picture | None = importlib.import_module(DRAWN[name]).picture(v)
    return picture


def show(name: str, v: Values) -> str:
    """Markdown that shows the figure, after writing its file; a plain sentence where there is none."""
    picture = draw_or_none(name, v)
    if picture is None:
        missed = v.present and name in EXPECTED
        return "\nNothing was released from which this figure could be drawn.\n" if missed else ""
    kinds = _kinds()
    folder = (Path(os.environ[PLACE]) if os.environ.get(PLACE) else BESIDE_PAGES) / v.study
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        (folder / f"{name}.{kind}").write_bytes(picture.as_bytes(kind))
    source = f"figures/{v.study}/{name}.{kinds[0]}"
    return f'\n![{markdown(picture.caption)}]({source}){{#fig-{name} fig-alt="{attribute(picture.alt)}"}}\n'


def _kinds() -> tuple[str, ...]:
    """The kinds of file to write, the one to show first: Word documents need pictures of points."""
    if os.environ.get(FORMAT) == "both":
        return ("svg", "png")
    about = os.environ.get(QUARTO)
    if about and Path(about).is_file():
        try:
            to = json.loads(Path(about).read_text(encoding="utf-8"))["format"]["pandoc"]["to"]
        except (KeyError, TypeError, ValueError):
            return ("svg",)
        return ("png",) if str(to).startswith("docx") else ("svg",)
    return ("svg",)
