"""A draw as a picture: who got what, by block and cluster, or over time.

Made from a roster, not from a release: for the notebook beside the data, and never for a page.
`picture` chooses the view that the design calls for: clusters by periods for wedges and crossovers,
the order of arrival for sequential schemes, and otherwise units (clusters, or people) gathered by block.
Arms differ by shape as well as colour, and the text alternative says the counts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from experiments.design import Allocation, Codes, Design
from experiments.roster import strata
from reports import theme
from reports.figures import allocation_order, allocation_periods, allocation_units
from reports.figures.picture import Picture

IN_ORDER = frozenset({"minimised", "adaptive", "sequential_blocks"})


def picture(design: Design, roster: pd.DataFrame, allocation: Allocation) -> Picture:
    """The drawn assignment, with its caption and its text alternative."""
    codes = codes_of(design, allocation)
    with theme.styled():
        if design.period_column is not None:
            made = allocation_periods.picture(design, roster, codes, allocation.detail)
        elif design.scheme in IN_ORDER:
            made = allocation_order.picture(design, roster, codes)
        else:
            made = allocation_units.picture(design, roster, codes, allocation.detail)
        legend(made.axes[0], design, unmeasured=bool((codes < 0).any()))
    made.alt = f"{made.alt} {counts_in_words(design, roster, codes)}"
    return made


def codes_of(design: Design, allocation: Allocation) -> Codes:
    """(rows,) codes of an allocation's arms, -1 where none."""
    codes = np.full(len(allocation.arm), -1, dtype=np.int8)
    for code, name in enumerate(design.names):
        codes[np.asarray(allocation.arm == name, dtype=bool)] = code
    return codes


def counts_in_words(design: Design, roster: pd.DataFrame, codes: Codes) -> str:
    """How many rows, and clusters, each arm got, and within how many blocks."""
    parts = []
    for code, name in enumerate(design.names):
        mine = codes == code
        part = f"{name.replace('_', ' ')} {int(mine.sum())} rows"
        if design.cluster_column is not None:
            part += f" in {roster.loc[mine, design.cluster_column].nunique()} clusters"
        parts.append(part)
    held = [column for column in design.block_columns if column in roster.columns]
    blocks = len(strata(roster, tuple(held)).label) if held else 0
    return "; ".join(parts) + (f"; over {blocks} blocks." if blocks else ".")


def legend(axes: Axes, design: Design, *, unmeasured: bool) -> None:
    """One entry to an arm, above the drawing."""
    handles = [
        Line2D(
            [],
            [],
            ls="",
            marker=theme.SHAPES[code % len(theme.SHAPES)],
            color=theme.ARMS[code % len(theme.ARMS)],
            label=name.replace("_", " "),
            ms=6,
        )
        for code, name in enumerate(design.names)
    ]
    if unmeasured:
        handles.append(Line2D([], [], ls="", marker="x", color=theme.MUTED, label="not measured", ms=5))
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.01),
        ncols=min(4, len(handles)),
        frameon=False,
        borderaxespad=0.0,
        handletextpad=0.3,
        columnspacing=1.2,
    )
