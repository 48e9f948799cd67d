"""Stays in custody, as a derivation takes them off the time at risk."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from experiments.derivation import Needed, Rows, unit_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """A table with one row per stay: the columns of unit ids, of the first day in, and of the day out."""

    table: str
    by: str
    entered: str
    released: str

    def needs(self) -> tuple[Needed, ...]:
        """The columns read, under the keys that name them."""
        return (
            Needed(where="custody.by", table=self.table, column=self.by, holds="units"),
            Needed(where="custody.entered", table=self.table, column=self.entered, holds="days"),
            Needed(where="custody.released", table=self.table, column=self.released, holds="days"),
        )

    def stays(self, rows: Rows) -> pd.DataFrame:
        """`person`, `entered`, `released` of every stay of a unit of the roster."""
        frame = rows.tables[self.table].frame
        unit_ids(rows, frame, self.by, table=self.table, key="custody.by")
        frame = frame[frame[self.by].isin(rows.units[rows.key])]
        return pd.DataFrame(
            {
                "person": frame[self.by],
                "entered": frame[self.entered].dt.normalize(),
                "released": frame[self.released].dt.normalize(),
            }
        )
