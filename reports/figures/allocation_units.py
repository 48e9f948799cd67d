"""Drawn units gathered by block: one mark to a cluster or a person, or one bar where they are many."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from experiments.design import Codes, Design
from experiments.roster import drawn_units, strata
from reports import theme
from reports.figures.picture import Picture

MOST_MARKS = 1_200
MOST_LINES = 40
ACROSS = 40


def picture(design: Design, roster: pd.DataFrame, codes: Codes, detail: pd.DataFrame | None) -> Picture:
    """Blocks down the page, their units across, sorted by arm; pairs stand side by side."""
    group, names = _groups(design, roster, detail)
    people = design.scheme == "two_stage"
    cluster = None if people else design.cluster_column
    units = drawn_units(roster, cluster, group)
    taken, block = codes[units.first], units.stratum
    what = "clusters" if cluster else "people"
    if design.scheme == "matched_pairs":
        return _pairs(design, taken, block, what)
    if len(taken) > MOST_MARKS or len(names) > MOST_LINES:
        return _bars(design, taken, block, names, what)
    lines: list[tuple[str, Codes]] = []
    for number, name in enumerate(names):
        inside = np.sort(taken[block == number])
        for start in range(0, len(inside), ACROSS):
            lines.append((name if start == 0 else "", inside[start : start + ACROSS]))
    made = Picture(
        height=0.8 + 0.19 * len(lines),
        caption=f"The draw: {len(taken)} {what}"
        + (f" in {len(names)} {'clusters' if people else 'blocks'}." if len(names) > 1 else "."),
        alt=f"One mark to each of {len(taken)} {what}, sorted by arm"
        + (f" within {len(names)} groups." if len(names) > 1 else "."),
    )
    axes = made.subplots()
    for y, (_, arms) in enumerate(lines):
        _marks(axes, design, np.arange(len(arms)), np.full(len(arms), y), arms, 5.0)
    axes.set_yticks(range(len(lines)), [name for name, _ in lines])
    _bare(axes, len(lines), min(ACROSS, max(len(arms) for _, arms in lines)))
    return made


def _groups(
    design: Design, roster: pd.DataFrame, detail: pd.DataFrame | None
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], tuple[str, ...]]:
    """Each row's group with the groups' names: blocks, pairs, or clusters by saturation."""
    if design.scheme == "two_stage" and detail is not None and design.cluster_column is not None:
        keys = ("saturation", design.cluster_column)
        found = strata(roster.assign(saturation=detail["saturation"]), keys)
        return found.code, found.label
    held = roster
    if detail is not None:
        held = roster.assign(**{str(column): detail[column] for column in detail.columns})
    found = strata(held, tuple(c for c in design.block_columns if c in held.columns))
    return found.code, found.label if len(found.label) > 1 else ("",)


def _pairs(
    design: Design, taken: Codes, block: np.ndarray[tuple[int], np.dtype[np.int64]], what: str
) -> Picture:
    """Every pair as a column of marks, in lines of forty pairs."""
    order = np.argsort(block, kind="stable")
    sizes = np.bincount(block)
    member = np.arange(len(block)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    pair, arms = block[order], taken[order]
    tall = int(sizes.max()) + 1
    lines = -(-len(sizes) // ACROSS)
    made = Picture(
        height=0.8 + 0.17 * tall * lines,
        caption=f"The draw: {len(taken)} {what} in {len(sizes)} pairs or sets, one column each.",
        alt=f"{len(sizes)} columns of marks, one to a matched pair or set.",
    )
    axes = made.subplots()
    _marks(axes, design, pair % ACROSS, (pair // ACROSS) * tall + member, arms, 5.0)
    axes.set_yticks([])
    _bare(axes, tall * lines, min(ACROSS, len(sizes)))
    return made


def _bars(
    design: Design,
    taken: Codes,
    block: np.ndarray[tuple[int], np.dtype[np.int64]],
    names: tuple[str, ...],
    what: str,
) -> Picture:
    """Numbers by arm within blocks, stacked."""
    counts = np.stack(
        [np.bincount(block[taken == k], minlength=len(names)) for k in range(len(design.names))]
    )
    made = Picture(
        height=0.9 + 0.2 * min(len(names), 60),
        caption=f"The draw: {len(taken)} {what} in {len(names)} blocks.",
        alt=f"Stacked bars of the number of {what} by arm, one bar to each of {len(names)} blocks.",
    )
    axes = made.subplots()
    left = np.zeros(len(names))
    for code, row in enumerate(counts):
        axes.barh(
            range(len(names)),
            row,
            left=left,
            height=0.7,
            color=theme.ARMS[code % len(theme.ARMS)],
            edgecolor="white",
            hatch=("", "///", "...", "xx", "++", "oo")[code % 6],
        )
        left += row
    axes.set_yticks(range(len(names)), names if len(names) <= MOST_LINES else [""] * len(names))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(what.capitalize())
    return made


def _marks(axes: Axes, design: Design, x: object, y: object, arms: Codes, size: float) -> None:
    for code in range(len(design.names)):
        mine = arms == code
        axes.plot(
            np.asarray(x)[mine],
            np.asarray(y)[mine],
            ls="",
            marker=theme.SHAPES[code % len(theme.SHAPES)],
            color=theme.ARMS[code % len(theme.ARMS)],
            ms=size,
        )


def _bare(axes: Axes, lines: int, across: int) -> None:
    axes.set_xticks([])
    axes.set_ylim(lines - 0.4, -0.6)
    axes.set_xlim(-0.6, max(across, 10) - 0.4)
    axes.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
