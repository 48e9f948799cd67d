"""Emergency-department records, as a derivation lays them beside the police's."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from data_contracts.read import CheckedTable
from experiments.derivation import Needed, expression_columns, kept_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A table with one row per attendance after an assault: its columns of place and time."""

    table: str
    place: str
    time: str
    where: str | None = None

    def needs(self) -> tuple[Needed, ...]:
        """The columns read, under the keys that name them."""
        return (
            Needed(where="department.place", table=self.table, column=self.place, holds="units"),
            Needed(where="department.time", table=self.table, column=self.time, holds="times"),
            *expression_columns(self.where, key="department.where", table=self.table),
        )


def placed(table: CheckedTable, place: str, time: str, where: str | None) -> pd.DataFrame:
    """`place` and `time` of every record of a table that counts."""
    return kept_rows(table.frame, where)[[place, time]].rename(columns={place: "place", time: "time"})
