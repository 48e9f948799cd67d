"""Which rows of an event table count: those that a condition keeps and that an outcome definition takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import pandas as pd

from experiments.definitions.definition import Definition, counts_as
from experiments.derivation import (
    Derivation,
    DerivationRefused,
    Needed,
    Rows,
    Search,
    expression_columns,
    kept_rows,
    unit_ids,
)

_PINNED = re.compile(r"^[a-z][a-z0-9_]*@[0-9]+\.[0-9]+\.[0-9]+(#[0-9a-f]{8,64})?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsEvents(Derivation):
    """What every derivation that counts a person's events asks: whose they are, who was found, and what counts.

    `by` is the event table's column of unit ids.
    """

    by: str
    without_rows: Search | Literal["no events"]
    classes: str | None = None
    definition: str | None = None
    also_under: tuple[str, ...] = ()

    events: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_pinned(self.definition, self.also_under, self.classes)

    @property
    def others(self) -> tuple[str, ...]:
        """The table of the search, where it is named."""
        return (self.search.table,) if self.search else ()

    @property
    def search(self) -> Search | None:
        """The table that says how each search ended."""
        return self.without_rows if isinstance(self.without_rows, Search) else None

    @property
    def definitions(self) -> tuple[str, ...]:
        """The outcome's own definition, then the others."""
        return () if self.definition is None else (self.definition, *self.also_under)


def check_pinned(definition: str | None, also_under: tuple[str, ...], classes: str | None) -> None:
    """Refuse definitions that are not NAME@VERSION, that repeat, or that have no column of classes."""
    if definition is None and also_under:
        raise DerivationRefused(
            where="definition",
            found="nothing, while `also_under` names other definitions",
            expected="the definition that the outcome itself is under",
            remedy="Write `definition: NAME@VERSION`; `desist list definitions` shows what there is.",
        )
    if definition is not None and classes is None:
        raise DerivationRefused(
            where="classes",
            found="nothing",
            expected="the column that holds each event's Home Office class",
            remedy="Name it: a definition chooses events by their class.",
        )
    named = [*([definition] if definition else []), *also_under]
    for pinned in named:
        if not _PINNED.match(pinned):
            raise DerivationRefused(
                where="also_under" if pinned in also_under else "definition",
                found=f"'{pinned}'",
                expected="NAME@VERSION or NAME@VERSION#HASH, such as violence_with_injury@1.1.0",
                remedy="The version holds what counts for as long as the study lives.",
            )
    if len({pinned.partition("@")[0] for pinned in named}) != len(named):
        raise DerivationRefused(
            where="also_under",
            found="a definition named twice",
            expected="each definition once",
            remedy="Remove one.",
        )


def event_columns(
    table: str,
    *,
    by: str,
    dates: Iterable[tuple[str, str]],
    where: str | None,
    classes: str | None,
    condition: str = "where",
) -> tuple[Needed, ...]:
    """The columns of an event table that a derivation reads; `dates` are (key, column).

    `condition` is the key of the study file under which `where` stands.
    """
    named = [Needed(where="by", table=table, column=by, holds="units")]
    named += [Needed(where=key, table=table, column=column, holds="days") for key, column in dates]
    if classes is not None:
        named.append(Needed(where="classes", table=table, column=classes, holds="text"))
    return (*named, *expression_columns(where, key=condition, table=table))


def chosen_events(
    rows: Rows,
    *,
    by: str,
    dates: tuple[tuple[str, str], ...],
    where: str | None,
    classes: str | None,
    definition: Definition | None,
    condition: str = "where",
) -> pd.DataFrame:
    """The events of the roster's units that count, with `person` and, named by its key, each of `dates` as a whole day.

    `dates` are (key, column). Refuses a table of strangers, and events that count without the first of `dates`:
    they cannot be laid in a window.
    """
    frame = rows.table.frame
    unit_ids(rows, frame, by, table=rows.table.contract.name, key="by")
    frame = kept_rows(frame[frame[by].isin(rows.units[rows.key])], where)
    if definition is not None:
        assert classes is not None
        frame = frame[counts_as(definition, frame, code=classes)]
    first, column = dates[0]
    undated = int(frame[column].isna().sum())
    if undated:
        raise DerivationRefused(
            where=f"{rows.where}.{first}",
            found=f"{undated} events that count and have no date",
            expected="a date in every event that counts",
            remedy=f"Add `not missing({column})` to `{condition}` if they are to be left out, and say why.",
        )
    made = {"person": frame[by]}
    for key, name in dates:
        made[key] = frame[name].dt.normalize()
    return pd.DataFrame(made)
