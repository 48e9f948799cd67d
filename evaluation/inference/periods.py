"""Periods of a trial over time: their order, how long a cluster has been treated, and what it had before.

References: Hussey & Hughes (2007), Contemporary Clinical Trials 28, 182-191; Kenny, Voldal, Xia, Heagerty & Hughes (2022), Statistics in
Medicine 41, 4311-4339 (time since treatment began); Jones & Kenward (2014), Design and Analysis of Cross-Over Trials (carry-over).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.estimate import EstimatorRefused
from evaluation.sample import Sample
from experiments.schedule import period_of_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def period_number(sample: Sample) -> Ints:
    """(n,) 0, 1, 2, ... in order of time: the design's own order where it names its periods."""
    if sample.period is None:
        raise EstimatorRefused(
            where="period",
            found="a design without periods",
            expected="clusters or places measured in several periods",
            remedy="Use `cluster_means` or `estimating_equations` for a trial of one period.",
        )
    named = getattr(sample.design, "periods", None)
    column = None if sample.design is None else sample.design.period_column
    if named and column is not None and sample.roster is not None and sample.roster_row is not None:
        position = period_of_rows(sample.roster, column, tuple(named))[sample.roster_row]
    else:
        position = sample.period
    return np.asarray(np.unique(position, return_inverse=True)[1], dtype=np.int64)


def periods_treated(unit: Ints, period: Ints, arm: Ints) -> Ints:
    """(n,) 0 before a unit's first treated period, then 1, 2, ... counted over calendar periods.

    Refuses a unit whose treatment stops, and rows of one unit and period in both arms.
    """
    treated = arm == 1
    last = int(period.max()) + 1
    _, group = np.unique(unit, return_inverse=True)
    began = np.full(int(group.max()) + 1, last, dtype=np.int64)
    np.minimum.at(began, group[treated], period[treated])
    since = np.maximum(period - began[group] + 1, 0)
    wrong = int(np.count_nonzero(treated != (since > 0)))
    if wrong:
        raise EstimatorRefused(
            where="arm",
            found=f"{wrong} rows whose cluster had begun the intervention but are not in it",
            expected="clusters that, once in the intervention, stay in it",
            remedy="Use `crossover_periods` for places that go in and out.",
        )
    return np.asarray(since, dtype=np.int64)


def arm_before(unit: Ints, period: Ints, arm: Ints) -> Floats:
    """(n,) share of a unit's rows in the arm asked about in its previous measured period; 0 in its first."""
    cells, cell = np.unique(np.column_stack([unit, period]), axis=0, return_inverse=True)
    cell = cell.ravel()
    size = np.bincount(cell)
    share = np.bincount(cell, weights=arm.astype(float)) / size
    before = np.zeros(len(cells))
    follows = cells[1:, 0] == cells[:-1, 0]
    before[1:][follows] = share[:-1][follows]
    return np.asarray(before[cell])
