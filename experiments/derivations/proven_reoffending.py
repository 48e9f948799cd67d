"""Proven reoffending within a year of an index date, with six further months for the case to be decided.

An offence counts where it was committed in the twelve calendar months from `index_date` and `proven`
(conviction, caution or the like) by the end of the eighteenth, as the Ministry of Justice and the Justice
Data Lab count it; `data_contracts/derive/reoffending.py` has the formula. Somebody whose eighteen
months were not over on the day of extraction has a missing outcome.

Columns: reoffended (for a `binary` outcome), reoffences (for a `count`). The outcome's window is the
year: `follow_up_days: 365`.

Reference: Ministry of Justice, Guide to proven reoffending statistics (October 2017; April 2019), section 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from data_contracts.derive.reoffending import proven_reoffending
from experiments.definitions.definition import Definition
from experiments.derivation import (
    ROSTER,
    DerivationRefused,
    Needed,
    Rows,
    found_units,
    last_day,
    one_row_each,
    reached,
    start_days,
)
from experiments.offence_rows import CountsEvents, chosen_events, event_columns

YEAR = frozenset({365, 366})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenReoffending(CountsEvents):
    """The choices; `proven` says which rows were proven, such as `disposal in ['charged_convicted', ...]`."""

    index_date: str
    offence_date: str
    proven_date: str
    proven: str

    makes: ClassVar[Mapping[str, str]] = {
        "reoffended": "1 where an offence in the year was proven within eighteen months",
        "reoffences": "offences in the year that were proven within eighteen months",
    }

    @property
    def _dates(self) -> tuple[tuple[str, str], ...]:
        return (("offence_date", self.offence_date), ("proven_date", self.proven_date))

    def check_days(self, days: int) -> None:
        """Refuse a window other than the year that the measure has."""
        if days not in YEAR:
            raise DerivationRefused(
                where="follow_up_days",
                found=str(days),
                expected="365: proven reoffending is counted over one year",
                remedy="For another window use `events_in_window`, and say how long a case may take to be decided.",
            )

    def needs(self, table: str) -> tuple[Needed, ...]:
        """Columns of the offence table, the roster and the search."""
        named = event_columns(
            table,
            by=self.by,
            dates=self._dates,
            where=self.proven,
            classes=self.classes,
            condition="proven",
        )
        named += (Needed(where="index_date", table=ROSTER, column=self.index_date, holds="days"),)
        return named if self.search is None else (*named, *self.search.needs())

    def derive(self, rows: Rows, definition: Definition | None) -> pd.DataFrame:
        """The columns in `makes` for each row of the roster."""
        one_row_each(rows, instead="Use `events_in_window` for outcomes that are counted period by period.")
        events = chosen_events(
            rows,
            by=self.by,
            dates=self._dates,
            where=self.proven,
            classes=self.classes,
            definition=definition,
            condition="proven",
        )
        people = pd.DataFrame({"index_date": start_days(rows, self.index_date, key="index_date")})
        people.index = pd.Index(rows.units[rows.key].to_numpy())
        extracted = last_day(rows.table, where=rows.where).date()
        made = proven_reoffending(people, events, extracted=extracted).set_axis(rows.units.index, axis=0)
        made = made.where(reached(rows.table, start_days(rows, self.index_date, key="index_date")))
        if self.search is not None:
            made = made.where(found_units(rows, self.search))
        return made[list(self.makes)]
