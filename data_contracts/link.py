"""Checked tables joined to one row per unit, with every loss counted, by arm.

A join is exact: a key of the other table equals the unit's key, or it does not. The other table must
have one row to a key (reduce an event table to counts first, `data_contracts/derive/`); a table with
several rows to a key would multiply people, and is refused. Nobody leaves the roster by being
unmatched: they stay with missing values, and the audit says how many, in each arm, because a match
rate that differs by arm is attrition that differs by arm.

Reference: GUILD guidance for linked data (Gilbert et al. 2018, Journal of Public Health 40(1),
191-198), steps 1 to 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy.stats import chi2_contingency

from data_contracts.read import CheckedTable
from data_contracts.refusal import Refusal, nearest

SELDOM = 0.05


class LinkRefused(Refusal):
    """Tables that cannot be joined to one row per unit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Join:
    """A table to bring in: `on` is its column that holds the roster's key; `columns` come across."""

    table: CheckedTable
    on: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linked:
    """`frame` has one row per unit, in the roster's order, indexed by key; `audit` is one dict per
    table and arm (arm None for all together), in the shape of `audit_row`."""

    frame: pd.DataFrame
    audit: tuple[dict[str, Any], ...]


def link(roster: CheckedTable, joins: Sequence[Join], *, key: str, arm: str | None) -> Linked:
    """One row per unit of the roster with the columns of every join."""
    frame = roster.frame
    _columns(roster, (key,) if arm is None else (key, arm))
    if not frame[key].is_unique or frame[key].isna().any():
        raise LinkRefused(
            where=f"{roster.contract.name}.{key}",
            found=f"{int(frame[key].duplicated().sum())} repeated and {int(frame[key].isna().sum())} missing keys",
            expected="each unit once",
            remedy="Link from the table with one row per unit.",
        )
    out = frame.set_index(key)
    audit: list[dict[str, Any]] = []
    for join in joins:
        _columns(join.table, (join.on, *join.columns))
        taken = [name for name in join.columns if name in out.columns]
        if taken:
            raise LinkRefused(
                where=join.table.contract.name,
                found=f"the columns {', '.join(taken)}, which another table already brought",
                expected="each column from one table",
                remedy="Leave them out of the join, or rename them in the contract.",
            )
        other = join.table.frame
        known = other[other[join.on].notna()]
        repeated = int(known[join.on].duplicated(keep=False).sum())
        if repeated:
            raise LinkRefused(
                where=f"{join.table.contract.name}.{join.on}",
                found=f"{repeated} rows that share their key with another row",
                expected="one row to a key, so that nobody is multiplied",
                remedy="Reduce the table to one row per unit first: counts in a window, or the first event.",
            )
        audit += audit_rows(roster, join.table, on=join.on, key=key, arm=arm)
        right = known.set_index(join.on)[list(join.columns)]
        out = out.join(right, how="left")
    return Linked(frame=out, audit=tuple(audit))


def audit_rows(
    roster: CheckedTable, other: CheckedTable, *, on: str, key: str, arm: str | None
) -> list[dict[str, Any]]:
    """The audit of one join, also for event tables with many rows to a unit.

    Keys: table, on, arm (None for all), units, matched, unmatched, match_rate; and, in the row for
    all, rows_in, keys_unique, keys_missing, rows_of_nobody (rows whose key is no unit of the roster).
    """
    keys = other.frame[on]
    units = roster.frame[key]
    if len(keys) and len(units) and is_numeric_dtype(keys.dtype) != is_numeric_dtype(units.dtype):
        raise LinkRefused(
            where=f"{other.contract.name}.{on}",
            found="keys that are numbers on one side and text on the other",
            expected=f"the type of {roster.contract.name}.{key}",
            remedy="Declare both columns alike: a number never equals its text, and nobody would be found.",
        )
    held = units.isin(keys.dropna()).to_numpy(dtype=bool)
    whole = {
        **_counts(held),
        "rows_in": len(keys),
        "keys_unique": int(keys.nunique()),
        "keys_missing": int(keys.isna().sum()),
        "rows_of_nobody": int((~keys.isin(units) & keys.notna()).sum()),
    }
    head = {"table": other.contract.name, "on": on}
    rows: list[dict[str, Any]] = [{**head, "arm": None, **whole}]
    if arm is not None:
        arms = roster.frame[arm]
        for name in sorted(arms.dropna().unique()):
            inside = (arms == name).to_numpy(dtype=bool)
            rows.append({**head, "arm": str(name), **_counts(held[inside])})
    return rows


def match_checks(audit: Sequence[dict[str, Any]], *, limit: float) -> list[dict[str, Any]]:
    """For each table: do match rates differ between arms by more than `limit`?

    Statistic: the largest difference between two arms' match rates, as a proportion. The note says in
    words, for it is printed, whether the p-value of Pearson's chi-squared without continuity correction
    is below 0.05; the verdict rests on the size of the difference and not on the p-value.
    """
    out = []
    for table in dict.fromkeys(row["table"] for row in audit):
        arms = [row for row in audit if row["table"] == table and row["arm"] is not None]
        question = f"Were people found in {table} equally often in every arm?"
        if len(arms) < 2 or any(row["units"] == 0 for row in arms):
            note = "Fewer than two arms with people in them."
            out.append(_check(table, question, "not assessed", None, note))
            continue
        rates = [row["match_rate"] for row in arms]
        difference = max(rates) - min(rates)
        counts = np.array([[row["matched"], row["unmatched"]] for row in arms])
        if (counts.sum(axis=0) > 0).all():
            p = float(chi2_contingency(counts, correction=False).pvalue)
            note = f"Chance alone would {'seldom' if p < SELDOM else 'often'} make them differ as much."
        else:
            note = "Every unit has the same result."
        verdict = "met" if difference <= limit else "not met"
        out.append(_check(table, question, verdict, difference, note))
    return out


def _counts(held: Any) -> dict[str, Any]:
    units, matched = len(held), int(np.count_nonzero(held))
    return {
        "units": units,
        "matched": matched,
        "unmatched": units - matched,
        "match_rate": matched / units if units else None,
    }


def _check(table: str, question: str, verdict: str, statistic: float | None, note: str) -> dict[str, Any]:
    return {
        "name": f"match_rate:{table}",
        "question": question,
        "verdict": verdict,
        "statistic": statistic,
        "note": note,
    }


def _columns(table: CheckedTable, names: Sequence[str]) -> None:
    for name in names:
        if name not in table.frame.columns:
            raise LinkRefused(
                where=table.contract.name,
                found=f"no column '{name}'",
                expected="a column of the table",
                remedy=nearest(name, [str(column) for column in table.frame.columns]),
            )
