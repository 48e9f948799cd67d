"""A schedule: what each sequence is given in each period, and what that means for a roster's rows.

Clusters (or places) are drawn to sequences, so a row's arm follows from its cluster's sequence and
its own period. The roster has one row per person and period, or one per cluster and period: a row
needs a cluster and a period, and an id of its own. A cell written `-` is left unmeasured (an
incomplete design, or a transition while the arm changes): rows there hold no arm in a draw that puts
their cluster in that sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pandas as pd

from experiments.design import Codes, Design, DesignRefused, Ints

Period = str | int
Schedule = Mapping[str, tuple[str, ...]]

UNMEASURED = "-"


def check_schedule(design: Design, schedule: Schedule, periods: tuple[Period, ...]) -> None:
    """Refuse sequences of the wrong length, of unknown arms, or that are one another's doubles."""
    if len(schedule) < 2 or len(periods) < 2:
        raise DesignRefused(
            where="schedule",
            found=f"{len(schedule)} sequences over {len(periods)} periods",
            expected="two or more of each",
            remedy="Write one line per sequence, with one arm per period.",
        )
    if len({str(period) for period in periods}) != len(periods):
        raise DesignRefused(
            where="periods",
            found="a period named twice",
            expected="each period once, in order of time",
            remedy="Give every period its own name.",
        )
    for name, cells in schedule.items():
        if len(cells) != len(periods):
            raise DesignRefused(
                where=f"schedule.{name}",
                found=f"{len(cells)} cells",
                expected=f"one for each of the {len(periods)} periods",
                remedy=f"Write an arm in every cell, or '{UNMEASURED}' where nothing is measured.",
            )
        for cell in cells:
            if cell != UNMEASURED:
                design.code(cell)
    if len(set(schedule.values())) != len(schedule):
        raise DesignRefused(
            where="schedule",
            found="two sequences with the same cells",
            expected="sequences that differ",
            remedy="Merge them, and give the merged sequence the clusters of both.",
        )
    held = {cell for cells in schedule.values() for cell in cells}
    for name in design.names:
        if name not in held:
            raise DesignRefused(
                where="schedule",
                found=f"no cell of the arm '{name}'",
                expected="every arm in some cell",
                remedy="Add the arm to the schedule, or remove it from the arms.",
            )


def check_cell_shares(design: Design, schedule: Schedule, weights: Mapping[str, int]) -> None:
    """Refuse arms' shares that are not the shares of measured cells that the schedule gives them.

    `weights` are numbers of clusters per sequence; equal where empty.
    """
    totals = dict.fromkeys(design.names, 0)
    for name, cells in schedule.items():
        for cell in cells:
            if cell != UNMEASURED:
                totals[cell] += weights.get(name, 0) if weights else 1
    measured = sum(totals.values())
    exact = {name: Fraction(total, measured) for name, total in totals.items()} if measured else {}
    if exact != dict(zip(design.names, design.shares, strict=True)):
        raise DesignRefused(
            where="arms",
            found="shares that differ from the schedule's",
            expected="each arm's share of the measured cluster-periods: "
            + ", ".join(f"{name} {share}" for name, share in exact.items()),
            remedy="Write those shares, so that the study states what the schedule does.",
        )


def cell_table(design: Design, schedule: Schedule) -> Codes:
    """(sequences, periods) arm codes, -1 where nothing is measured."""
    return np.array(
        [[-1 if cell == UNMEASURED else design.code(cell) for cell in cells] for cells in schedule.values()],
        dtype=np.int8,
    )


def period_of_rows(roster: pd.DataFrame, column: str, periods: tuple[Period, ...]) -> Ints:
    """(rows,) position of each row's period in `periods`; whole numbers held as 1.0 are period 1."""
    position = {str(period): i for i, period in enumerate(periods)}
    labels = roster[column]
    if pd.api.types.is_float_dtype(labels.dtype) and (labels % 1 == 0).all():
        labels = labels.astype("int64")
    found = labels.astype("str").map(position)
    unknown = int(found.isna().sum())
    if unknown:
        raise DesignRefused(
            where="roster",
            found=f"{unknown} rows whose '{column}' is not a period of the schedule",
            expected=f"one of the {len(periods)} declared periods",
            remedy="Leave out rows before, between (washout) or after the declared periods, or declare them.",
        )
    return np.asarray(found, dtype=np.int64)
