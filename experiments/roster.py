"""The roster that a design draws: its ids, its strata and its clusters, checked before any draw.

A roster is a DataFrame with one row per unit, indexed by unique ids. Refusals give columns and
counts, never an id or a person's value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.refusal import Refusal
from experiments.ids import distinct_ignoring_case, fold

Ints = NDArray[np.int64]


class DesignRefused(Refusal):
    """A design that cannot be drawn on this roster, or that nobody drew."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strata:
    """`code` is (rows,) from 0; `label` the value of each stratum, columns joined by ' / '."""

    code: Ints
    label: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnUnits:
    """`unit` is (rows,), the drawn unit of each row, and `stratum` (drawn units,).

    `first` is the position of each drawn unit's first row.
    """

    unit: Ints
    stratum: Ints
    first: Ints


def check_roster(roster: pd.DataFrame, *columns: str) -> None:
    """Refuse a roster with no units, unclear ids, or without a value in each of the columns named."""
    if len(roster) == 0:
        raise _roster("no units", "at least one", "Check the filter that made the roster.")
    _check_ids(roster.index)
    for column in columns:
        if column not in roster.columns:
            raise _roster(
                f"no column '{column}'",
                f"the columns {', '.join(columns)}",
                "Check the design's column names.",
            )
        missing = int(blank(roster[column]).sum())
        if missing:
            raise _roster(
                f"{missing} missing values in '{column}'",
                "a value for every unit",
                "Give the missing a category of their own before the draw.",
            )


def strata(roster: pd.DataFrame, columns: tuple[str, ...]) -> Strata:
    """The combinations of the columns' values that occur; one stratum where no column is named."""
    if not columns:
        return Strata(code=np.zeros(len(roster), dtype=np.int64), label=("everyone",))
    if len(columns) == 1:
        found, values = pd.factorize(roster[columns[0]], sort=True)
        return Strata(code=found.astype(np.int64), label=tuple(str(value) for value in values))
    groups = roster.groupby(list(columns), observed=True, sort=True)
    code = np.asarray(groups.ngroup(), dtype=np.int64)
    first = np.unique(code, return_index=True)[1].astype(np.int64)
    rows = roster[list(columns)].iloc[first].itertuples(index=False)
    return Strata(code=code, label=tuple(" / ".join(str(v) for v in row) for row in rows))


def drawn_units(roster: pd.DataFrame, cluster: str | None, stratum: Ints) -> DrawnUnits:
    """Rows grouped by `cluster`, in order of first appearance; each row its own unit without one."""
    if cluster is None:
        rows = np.arange(len(roster), dtype=np.int64)
        return DrawnUnits(unit=rows, stratum=stratum, first=rows)
    unit = pd.factorize(roster[cluster])[0].astype(np.int64)
    first = np.unique(unit, return_index=True)[1].astype(np.int64)
    spread = stratum[first][unit] != stratum
    if spread.any():
        raise _roster(
            f"{len(np.unique(unit[spread]))} clusters ('{cluster}') that span two or more blocks",
            "every cluster inside one block",
            "Block on a property of the cluster, or correct the rows that disagree.",
        )
    return DrawnUnits(unit=unit, stratum=stratum[first], first=first)


def one_value_per_cluster(roster: pd.DataFrame, units: DrawnUnits, column: str, cluster: str) -> None:
    """Refuse a column that varies within a cluster, though the design reads it by cluster."""
    code = pd.factorize(roster[column])[0]
    spread = code[units.first][units.unit] != code
    if spread.any():
        raise _roster(
            f"{len(np.unique(units.unit[spread]))} clusters ('{cluster}') with more than one value of '{column}'",
            "one value per cluster",
            "Correct the rows that disagree.",
        )


def blank(values: pd.Series[Any]) -> NDArray[np.bool_]:
    """(rows,) True where a value is missing or only spaces."""
    missing = np.asarray(values.isna(), dtype=bool)
    if pd.api.types.is_string_dtype(values.dtype) and not missing.all():
        text = values.astype("str").str.strip()
        missing = missing | np.asarray((text == "").fillna(True), dtype=bool)
    return missing


def _check_ids(index: pd.Index[Any]) -> None:
    if isinstance(index, pd.MultiIndex):
        raise _roster("ids in several columns", "one id per unit", "Join them into one id before the draw.")
    missing = int(np.count_nonzero(index.isna()))
    if missing:
        raise _roster(f"{missing} missing ids", "an id for every unit", "Complete the ids.")
    if not pd.api.types.is_string_dtype(index.dtype):
        if not index.is_unique:
            raise _repeated(index)
        return
    if distinct_ignoring_case(index):
        return
    folded = fold(index)
    if (folded == "").any():
        raise _roster(
            f"{int((folded == '').sum())} ids with no characters", "an id for every unit", "Complete the ids."
        )
    if not index.is_unique:
        raise _repeated(index)
    raise _roster(
        f"{int(folded.duplicated().sum())} ids that differ from another only in case or spaces",
        "ids that stay different when typed by hand",
        "Find out whether they are the same unit, and give each unit one spelling.",
    )


def _repeated(index: pd.Index[Any]) -> DesignRefused:
    return _roster(
        f"{int(index.duplicated().sum())} repeated ids",
        "each unit once",
        "Remove the repeats before the draw.",
    )


def _roster(found: str, expected: str, remedy: str) -> DesignRefused:
    return DesignRefused(where="roster", found=found, expected=expected, remedy=remedy)
