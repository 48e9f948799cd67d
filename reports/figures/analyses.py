"""All analyses of the primary question on one axis: confidence and credible intervals side by side."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.ticker import MaxNLocator

from experiments.outcome import RATIO_SCALES
from reports import theme
from reports import wording as w
from reports.figures.axes import ratio_axis
from reports.figures.picture import Picture
from reports.gate.verdict import shown
from reports.values import Values


def picture(v: Values) -> Picture | None:
    """A forest of the estimates that share the primary estimand and its scale."""
    primary = v.record["primary"]
    chosen = [
        e
        for e in v.record["estimates"]
        if e["estimand"] == primary["estimand"] and shown(e["value"]) and isinstance(e["interval"], Mapping)
    ]
    if not chosen:
        return None
    scale = chosen[0]["scale"]
    chosen = [e for e in chosen if e["scale"] == scale]
    times, null = w.factor(scale), w.null_value(scale)
    said = [f"{v(f'estimate.{e["key"]}.estimator')}: {v(f'estimate.{e["key"]}.full')}" for e in chosen]
    with theme.styled():
        made = Picture(
            height=0.75 + 0.62 * len(chosen),
            caption="The same question answered in several ways. Circles: confidence intervals. "
            "Diamonds: credible intervals.",
            alt=f"Estimates with intervals. {'; '.join(said)}.",
        )
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
        keys = [f"estimate.{e['key']}" for e in reversed(chosen)]
        names = [f"{_folded(v(f'{key}.estimator'))}\n{v(f'{key}.short')}" for key in keys]
        axes.set_yticks(range(len(chosen)), names)
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


def _folded(name: str, most: int = 24) -> str:
    lines, line = [], ""
    for word in name.split():
        if line and len(line) + 1 + len(word) > most:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])
