"""Derivations: an outcome made from a table with many rows to a unit, or from raw answers.

A study writes, under an outcome,

    table: offences
    derive:
      method: events_in_window     # a file in experiments/derivations/
      ...                          # every choice that the method asks for
    column: count                  # one of the columns that the method makes

and the rest of the chain sees a table with one row per unit. A derivation holds choices and does its
arithmetic in `data_contracts/derive/`. Nobody is lost in it: a unit whose outcome cannot be known has
a missing one, and a unit without rows has what the study says that stands for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

import pandas as pd

from data_contracts.expression import Expression
from data_contracts.read import CheckedTable
from data_contracts.refusal import Refusal
from experiments.definitions.definition import Definition

ROSTER = "the roster"
"""Stands for the roster's table in `Needed`."""


Holds = Literal["anything", "units", "days", "times", "numbers", "whole numbers", "flags", "text"]
"""What a column must hold: `units` the roster's ids, `days` dates or times, `times` times of day, `flags` 0 and 1."""


class DerivationRefused(Refusal):
    """A derivation that asks for what is not there, or rows from which no outcome follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A column that a derivation reads: `where` is the key of the study file that names it.

    `begins` says that `column` is how the names of one or more columns begin; `condition` is the condition on
    rows that names the column, where one does.
    """

    where: str
    table: str
    column: str
    holds: Holds = "anything"
    begins: bool = False
    condition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A table that says how the search for each unit ended: one row per unit; `known` is true where it settled the matter.

    A person with no record in a system of offenders has no offence in it; a person whose record was ambiguous, or who was
    not looked for, has a missing outcome and never a zero. So `known: result in ['found', 'no_record']` for a
    police system, and `known: result == 'found'` where everybody should have a record, as in a school census.
    Taking `no_record` for missing would make being measured depend on the outcome.
    """

    table: str
    by: str
    known: str

    def __post_init__(self) -> None:
        Expression(self.known)

    def needs(self) -> tuple[Needed, ...]:
        """The columns read, under the keys that name them."""
        return (
            Needed(where="without_rows.by", table=self.table, column=self.by, holds="units"),
            *expression_columns(self.known, key="without_rows.known", table=self.table),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """What a derivation is given: the roster's rows, uniquely labelled, and the checked tables.

    `units` holds the roster's columns; `key` is the one with unit ids. `days` is the outcome's window.
    """

    units: pd.DataFrame
    key: str
    table: CheckedTable
    tables: Mapping[str, CheckedTable]
    days: int
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation(ABC):
    """What every derivation offers; `method` is the name of its file."""

    makes: ClassVar[Mapping[str, str]]
    """The columns it makes, each with what it holds."""

    events: ClassVar[bool] = False
    """Whether a unit without rows had no event, so that having none is no failed match."""

    @property
    def method(self) -> str:
        """The derivation's name: the name of its file."""
        return type(self).__module__.rsplit(".", 1)[-1]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it makes with these choices: all in `makes`, unless a choice leaves some out."""
        return tuple(self.makes)

    @property
    def others(self) -> tuple[str, ...]:
        """The names of tables that it reads besides the outcome's own."""
        return ()

    @property
    def search(self) -> Search | None:
        """The table that says who was found in the outcome's table, where the study names one."""
        return None

    @property
    def definitions(self) -> tuple[str, ...]:
        """Outcome definitions, each as NAME@VERSION: the outcome's own, then the others to show."""
        return ()

    @abstractmethod
    def needs(self, table: str) -> tuple[Needed, ...]:
        """The columns it reads; `table` is the outcome's own."""

    @abstractmethod
    def derive(self, rows: Rows, definition: Definition | None) -> pd.DataFrame:
        """A frame of `columns`, indexed like `rows.units`; NaN where the outcome is not known."""

    def answering(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of the outcome's table that show that a unit was found: all, unless a choice leaves some out."""
        return frame

    def over_after(self, days: int) -> int:
        """Days from the start after which a window of `days` is over, whoever's it is."""
        return days

    def check_days(self, days: int) -> None:
        """Refuse a window that the method does not serve; most serve any of a day or more."""
        if days < 1:
            raise DerivationRefused(
                where="follow_up_days",
                found=str(days),
                expected="a window of at least one day",
                remedy="Give the number of days over which the outcome is counted.",
            )


def expression_columns(where: str | None, *, key: str, table: str) -> tuple[Needed, ...]:
    """The columns that a condition on rows names."""
    if where is None:
        return ()
    names = Expression(where).names
    return tuple(Needed(where=key, table=table, column=name, condition=where) for name in names)


def kept_rows(frame: pd.DataFrame, where: str | None) -> pd.DataFrame:
    """The rows for which a condition is definitely true; all of them where there is none."""
    return frame if where is None else frame[Expression(where).holding(frame)]


def unit_ids(rows: Rows, frame: pd.DataFrame, by: str, *, table: str, key: str) -> None:
    """Refuse a table none of whose ids is a unit of the roster: a failed match is never a count of zero.

    `key` is the key of the study file that names the column `by`.
    """
    if len(frame) and not frame[by].isin(rows.units[rows.key]).any():
        raise DerivationRefused(
            where=f"{rows.where}.{key}",
            found=f"no row of {table}.{by} that belongs to a unit of the roster",
            expected=f"the ids of the roster's column '{rows.key}'",
            remedy="Make both pseudonyms with the same project key and the same normalisation: "
            "an outcome of a failed match would be zero for everybody.",
        )


def found_units(rows: Rows, search: Search) -> pd.Series:
    """(rows,) bool, labelled like `rows.units`: whose search settled the matter."""
    frame = rows.tables[search.table].frame
    if frame[search.by].duplicated().any():
        raise DerivationRefused(
            where=f"{rows.where}.without_rows.by",
            found=f"{int(frame[search.by].duplicated().sum())} rows of {search.table} that repeat a unit",
            expected="one row for each unit that was looked for",
            remedy="Keep the last search for each.",
        )
    found = kept_rows(frame, search.known)[search.by]
    unit_ids(rows, frame, search.by, table=search.table, key="without_rows.by")
    return rows.units[rows.key].isin(found)


def one_row_each(rows: Rows, *, instead: str) -> None:
    """Refuse a roster with several periods to a unit, all of which would get the unit's one outcome."""
    if rows.units[rows.key].duplicated().any():
        raise DerivationRefused(
            where=rows.where,
            found="a roster with several periods to a unit",
            expected="one row to a unit: every period would be given the same outcome",
            remedy=instead,
        )


def start_days(rows: Rows, start: str, *, key: str = "start") -> pd.Series:
    """The day on which each unit's window is laid, from a roster column; refused where one is missing.

    `key` is the key of the study file that names the column.
    """
    days: pd.Series = rows.units[start]
    if days.isna().any():
        raise DerivationRefused(
            where=f"{rows.where}.{key}",
            found=f"{int(days.isna().sum())} units without a date",
            expected="a date for everybody in the roster",
            remedy="A window starts on a day: complete the roster, or name another column.",
        )
    whole: pd.Series = days.dt.normalize()
    return whole


def reached(table: CheckedTable, days: pd.Series) -> pd.Series:
    """Where the rows of a table reach back to each of `days`; everywhere in a delivery that does not say where it begins."""
    if table.begins is None:
        return pd.Series(True, index=days.index)
    return days >= pd.Timestamp(table.begins)


def last_day(table: CheckedTable, *, where: str) -> pd.Timestamp:
    """The day on which a table was extracted; refused where the delivery does not say, or where it is yet to come."""
    if table.extracted is None:
        raise DerivationRefused(
            where=f"{where} ({table.contract.name})",
            found="a delivery without the date on which it was extracted",
            expected="the day up to which the rows reach",
            remedy=f"Write `extracted: YYYY-MM-DD` in {table.contract.name}.vintage.yaml beside the file: "
            "whose window was not over on that day has a missing outcome, not a zero.",
        )
    if table.extracted > date.today():
        raise DerivationRefused(
            where=f"{where} ({table.contract.name})",
            found="a date of extraction that is still to come",
            expected="the day up to which the rows reach",
            remedy=f"Correct {table.contract.name}.vintage.yaml: windows that are not over would count as if they were.",
        )
    return pd.Timestamp(table.extracted)
