"""Estimates on one axis with their intervals: circles for confidence intervals, diamonds for credible ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import MaxNLocator

from experiments.outcome import RATIO_SCALES
from reports import theme
from reports import wording as w
from reports.figures.axes import ratio_axis
from reports.figures.picture import Picture


def forest(chosen: Sequence[Mapping[str, Any]], names: Sequence[str], *, caption: str, alt: str) -> Picture:
    """One row to an estimate, in the order given; all are on the scale of the first."""
    scale = chosen[0]["scale"]
    times, null = w.factor(scale), w.null_value(scale)
    with theme.styled():
        made = Picture(height=0.75 + 0.62 * len(chosen), caption=caption, alt=alt)
        axes = made.subplots()
        axes.axvline(null * times, color=theme.INK, lw=1)
        ends = [null * times]
        for row, e in enumerate(reversed(chosen)):
            low, high = e["interval"]["low"], e["interval"]["high"]
            credible = e["interval"]["kind"] == "credible"
            colour = theme.CREDIBLE if credible else theme.CONFIDENCE
            span = [x * times for x in (low, high, e["value"]) if x is not None]
            ends += span
            axes.plot([min(span), max(span)], [row, row], color=colour, lw=2)
            axes.plot([e["value"] * times], [row], "D" if credible else "o", color=colour, ms=6.5)
        axes.set_yticks(range(len(chosen)), list(reversed(names)))
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(-0.6, len(chosen) - 0.4)
        if scale in RATIO_SCALES:
            ratio_axis(axes, ends)
        else:
            reach = max(ends) - min(ends) or 1.0
            axes.set_xlim(min(ends) - 0.05 * reach, max(ends) + 0.05 * reach)
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=reach > 4))
        unit = w.unit_words(scale, chosen[0]["unit"]) or w.SCALES.get(scale, scale)
        axes.set_xlabel(w.upper_first(unit))
        axes.spines["left"].set_visible(False)
    return made


def folded(name: str, most: int = 24) -> str:
    """A name on as many lines as it needs beside the axis."""
    lines, line = [], ""
    for word in name.split():
        if line and len(line) + 1 + len(word) > most:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])
