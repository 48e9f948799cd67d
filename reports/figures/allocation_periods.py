"""Clusters by periods: the schedule that a wedge or a crossover drew."""

from __future__ import annotations

import numpy as np
import pandas as pd

from experiments.design import Codes, Design
from reports import theme
from reports.figures.picture import Picture

MOST_NAMED = 40


def picture(design: Design, roster: pd.DataFrame, codes: Codes, detail: pd.DataFrame | None) -> Picture:
    """One line to a cluster, one column to a period; clusters with the same course lie together."""
    cluster, period = design.cluster_column, design.period_column
    assert cluster is not None
    assert period is not None
    declared = [str(p) for p in getattr(design, "periods", ())]
    seen = roster[period].astype("str")
    order = [p for p in declared if p in set(seen)] or list(dict.fromkeys(seen))
    column = seen.map({p: i for i, p in enumerate(order)}).to_numpy()
    line, names = pd.factorize(roster[cluster])
    cells = np.full((len(names), len(order)), -2, dtype=np.int8)
    cells[line, column] = codes
    sequence = None
    if detail is not None and "sequence" in detail:
        first = np.unique(line, return_index=True)[1]
        sequence = detail["sequence"].to_numpy()[first]
    rank = np.lexsort(tuple(cells.T[::-1]))
    cells = cells[rank]
    made = Picture(
        height=1.0 + 0.2 * min(len(names), 60),
        caption=f"The draw: {len(names)} clusters over {len(order)} periods.",
        alt=f"Grid of {len(names)} clusters by {len(order)} periods.",
    )
    axes = made.subplots()
    size = float(np.clip(260 / max(len(names), 3 * len(order)), 2.0, 9.0))
    for code in range(len(design.names)):
        y, x = np.nonzero(cells == code)
        axes.plot(
            x,
            y,
            ls="",
            marker=theme.SHAPES[code % len(theme.SHAPES)],
            color=theme.ARMS[code % len(theme.ARMS)],
            ms=size,
        )
    y, x = np.nonzero(cells == -1)
    axes.plot(x, y, ls="", marker="x", color=theme.MUTED, ms=size * 0.7)
    axes.set_xticks(range(len(order)), order, rotation=0 if len(order) <= 10 else 90)
    if len(names) <= MOST_NAMED:
        axes.set_yticks(range(len(names)), [str(names[i]) for i in rank])
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{len(names)} clusters")
    if sequence is not None and len(names) <= MOST_NAMED:
        right = axes.secondary_yaxis("right")
        right.set_yticks(range(len(names)), [str(sequence[i]) for i in rank])
        right.tick_params(length=0)
        right.spines["right"].set_visible(False)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(-0.6, len(order) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(period.replace("_", " ").capitalize())
    return made
