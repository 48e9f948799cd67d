"""A matplotlib figure that carries its caption and its alternative text, and shows itself in a notebook."""

from __future__ import annotations

import base64
import io
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from reports.neutral import html
from reports.theme import WIDTH


class Picture(Figure):
    """A figure with `caption` and `alt`, both made from released values.

    Its files carry no date, no software name and no other metadata.
    """

    def __init__(self, *, height: float, caption: str, alt: str, width: float = WIDTH) -> None:
        super().__init__(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(self)
        self.caption = caption
        self.alt = alt

    def as_bytes(self, kind: str) -> bytes:
        """The figure as `svg` or `png`; the same bytes every time."""
        from reports.theme import styled

        out = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
        with styled():
            self.savefig(out, format=kind, metadata=metadata, dpi=200 if kind == "png" else "figure")
        return out.getvalue()

    def _repr_html_(self) -> str:
        image = base64.b64encode(self.as_bytes("svg")).decode()
        return (
            f'<figure><img style="max-width: 100%" src="data:image/svg+xml;base64,{image}" '
            f'alt="{html(self.alt)}"><figcaption>{html(self.caption)}</figcaption></figure>'
        )
