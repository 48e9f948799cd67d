"""The look of figures: few colours, each with a contrast of at least 4.5 to 1 on white, and shapes beside them.

Nothing here is set for the whole process: figures are drawn inside `styled()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INK = "#1c2733"
MUTED = "#566270"
RULE = "#c9d0d8"
PALE = "#eef2f5"
ARMS = ("#0f5f8a", "#9a4a06", "#5b3f8c", "#2f6b34", "#8a1f4d", "#4d5a66")
"""The arm whose effect is asked first, then the others; used with the shapes below."""
SHAPES = ("o", "s", "D", "^", "v", "P")
CONFIDENCE, CREDIBLE = "#0f5f8a", "#5b3f8c"
BENEFIT = "#cfe3ee"
WIDTH = 5.4
"""Inches: at this width the text of a figure is still readable on a telephone."""

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "xtick.labelcolor": INK,
    "text.color": INK,
    "svg.fonttype": "path",
    "text.parse_math": False,
    "svg.hashsalt": "desist",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.unicode_minus": True,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw inside this: the style holds here and nowhere else."""
    import matplotlib as mpl

    with mpl.rc_context(_RC):
        yield
