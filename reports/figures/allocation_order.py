"""The order of arrival: how the arms filled as people came."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from experiments.design import Codes, Design
from experiments.roster import drawn_units
from reports import theme
from reports.figures.picture import Picture

MOST_MARKS = 400


def picture(design: Design, roster: pd.DataFrame, codes: Codes) -> Picture:
    """Numbers in each arm after every allocation, above a strip of the allocations themselves."""
    units = drawn_units(roster, design.cluster_column, np.zeros(len(roster), dtype=np.int64))
    taken = codes[units.first]
    what = "clusters" if design.cluster_column else "people"
    made = Picture(
        height=3.0,
        caption=f"The draw in the order of arrival: {len(taken)} {what}.",
        alt=f"Lines of the number in each arm as {len(taken)} {what} arrived.",
    )
    axes = made.subplots()
    position = np.arange(1, len(taken) + 1)
    top = max(int(np.bincount(taken[taken >= 0]).max()), 1)
    for code in range(len(design.names)):
        colour = theme.ARMS[code % len(theme.ARMS)]
        axes.plot(position, np.cumsum(taken == code), color=colour, lw=1.6, drawstyle="steps-post")
        marks = position[taken == code]
        if len(taken) <= MOST_MARKS:
            axes.plot(
                marks,
                np.full(len(marks), -top * (0.06 + 0.05 * code)),
                ls="",
                marker=theme.SHAPES[code % len(theme.SHAPES)],
                color=colour,
                ms=3,
            )
    axes.axhline(0, color=theme.RULE, lw=0.8)
    batch = getattr(design, "batch", None)
    if batch is not None:
        starts = np.flatnonzero(np.diff(pd.factorize(roster[batch])[0])) + 1
        for start in starts:
            axes.axvline(start + 0.5, color=theme.RULE, lw=0.8, ls=":")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= top])
    axes.set_xlim(0, len(taken) + 1)
    axes.set_xlabel(f"{what.capitalize()}, in order of arrival")
    axes.set_ylabel("Number in the arm")
    return made
