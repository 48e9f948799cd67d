"""The registry of recording breaks: when a series changed because recording did.

A contract names the breaks that its source suffers. A study that compares before with after across one
of them must say how it deals with it, or its answer may be a change of forms.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from data_contracts.declared import build
from data_contracts.read import CheckedTable
from data_contracts.refusal import Refusal, nearest
from data_contracts.safe_yaml import read_yaml

REGISTRY = Path(__file__).with_suffix(".yaml")


class BreakNotAcknowledged(Refusal):
    """Data that cross a recording break which the study does not mention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingBreak:
    """One break; `first_day` is the first day under the new practice."""

    name: str
    label: str
    first_day: date
    affects: str
    effect: str
    source: str


@functools.cache
def recording_breaks() -> dict[str, RecordingBreak]:
    """Every break in the registry, by name."""
    return {
        name: build(
            RecordingBreak,
            {"name": name, "first_day": entry["from"], **{k: v for k, v in entry.items() if k != "from"}},
            path=f"recording_breaks.{name}",
        )
        for name, entry in read_yaml(REGISTRY).items()
    }


def breaks_of(names: Collection[str]) -> list[RecordingBreak]:
    """The breaks of a contract, in order of date."""
    known = recording_breaks()
    for name in names:
        if name not in known:
            raise BreakNotAcknowledged(
                where="recordingBreaks",
                found=f"'{name}'",
                expected="a break in data_contracts/recording_breaks.yaml",
                remedy=nearest(name, known),
            )
    return sorted((known[name] for name in names), key=lambda found: found.first_day)


def crossed(table: CheckedTable) -> list[RecordingBreak]:
    """The breaks that lie inside the table's period: rows both before and on or after the day.

    Where no column tells the period, every break of the contract may lie in it.
    """
    first, last = period(table)
    if first is None or last is None:
        return breaks_of(table.contract.recording_breaks)
    return [b for b in breaks_of(table.contract.recording_breaks) if first < b.first_day <= last]


def require_acknowledged(table: CheckedTable, acknowledged: Collection[str]) -> None:
    """Refuse a table that crosses a break not among `acknowledged`."""
    silent = [found for found in crossed(table) if found.name not in acknowledged]
    if silent:
        raise BreakNotAcknowledged(
            where=f"table {table.contract.name}",
            found="; ".join(
                f"{b.name} ({b.label}, from {b.first_day.isoformat()}: {b.effect})" for b in silent
            ),
            expected="every recording break inside the data's period acknowledged by the study",
            remedy="Name the breaks in the study and say how the analysis deals with each.",
        )


def period(table: CheckedTable) -> tuple[date | None, date | None]:
    """(first, last) day that the table's rows are about; years count from their first to last day.

    Read from dates, from columns whose unit is `calendar year` or `year ending March`, and from years
    written 2023/24 (April to March).
    """
    first: list[date] = []
    last: list[date] = []
    for name, column in table.contract.columns.items():
        values = table.frame[name].dropna()
        if values.empty:
            continue
        if column.dtype in ("date", "timestamp"):
            first.append(values.min().date())
            last.append(values.max().date())
        elif column.unit == "calendar year":
            first.append(date(int(values.min()), 1, 1))
            last.append(date(int(values.max()), 12, 31))
        elif column.unit == "year ending March":
            first.append(date(int(values.min()) - 1, 4, 1))
            last.append(date(int(values.max()), 3, 31))
        elif column.unit.startswith("year as 20"):
            years = pd.to_numeric(values.str.slice(0, 4))
            first.append(date(int(years.min()), 4, 1))
            last.append(date(int(years.max()) + 1, 3, 31))
    return (min(first), max(last)) if first else (None, None)
