"""Figures by the names that a notebook uses."""

from __future__ import annotations

from collections.abc import Mapping

from reports.figures import DRAWN, UnknownFigure, draw
from reports.figures.picture import Picture
from reports.values import Values

ALSO: Mapping[str, str] = {"effects": "analyses"}
"""Other names for figures."""


def figure(what: str, v: Values) -> Picture:
    """The figure called `what`, which shows itself in a notebook with its text alternative."""
    name = ALSO.get(what, what)
    if name not in DRAWN:
        from data_contracts.refusal import nearest

        raise UnknownFigure(
            where="plot",
            found=f"'{what}'",
            expected="the name of a figure",
            remedy=nearest(what, [*DRAWN, *ALSO]),
        )
    return draw(name, v)
