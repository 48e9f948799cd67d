"""Keys repeated in a file too large to hold: what only the whole table can tell, from one chunk after another.

duckdb keeps a salted hash of each row's key and the row's place, never the key: what it spills to its
temporary folder says nothing about anybody. Two keys of 64-bit hashes meet by chance once in 90,000 files
of 20 million rows.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from data_contracts.check import GlobalRule, folded
from data_contracts.table import ROWS_SHOWN, Breach


class Repeats:
    """One table of hashes for each rule about the whole file; `add` every chunk, then ask for `breaches`."""

    def __init__(self, connection: Any, rules: Sequence[GlobalRule]) -> None:
        self._connection = connection
        self._rules = [rule for rule in rules if rule.kind != "empty"]
        self._salt = secrets.token_hex(16)
        for number in range(len(self._rules)):
            connection.execute(f"CREATE TABLE keys{number} (name UBIGINT, spelling UBIGINT, row UINTEGER)")

    def add(self, frame: pd.DataFrame, rows: Any) -> None:
        """A converted chunk; `rows` are (n,) places in the file, counted from 1."""
        for number, rule in enumerate(self._rules):
            columns = list(rule.columns)
            known = frame[columns].notna().all(axis=1).to_numpy(dtype=bool)
            part = frame.loc[known, columns].set_axis([f"c{i}" for i in range(len(columns))], axis=1)
            name = f"hash('{self._salt}', {', '.join(part.columns)})"
            spelling = "0"
            if rule.kind == "spelling":
                name, spelling = f"hash('{self._salt}', folded)", name
                part = part.assign(folded=folded(part["c0"]))
            part = part.assign(row=np.asarray(rows)[known])
            self._connection.register("chunk", pa.Table.from_pandas(part, preserve_index=False))
            self._connection.execute(f"INSERT INTO keys{number} SELECT {name}, {spelling}, row FROM chunk")
            self._connection.unregister("chunk")

    def breaches(self) -> Iterator[Breach]:
        """What stands in the file more than once, or under two spellings."""
        for number, rule in enumerate(self._rules):
            more = "count(DISTINCT spelling)" if rule.kind == "spelling" else "count(*)"
            again = f"SELECT name FROM keys{number} GROUP BY name HAVING {more} > 1"
            held = f"FROM keys{number} WHERE name IN ({again})"
            (count,) = self._connection.execute(f"SELECT count(*) {held}").fetchone()
            if count:
                first = self._connection.execute(
                    f"SELECT row {held} ORDER BY row LIMIT {ROWS_SHOWN}"
                ).fetchall()
                rows = tuple(int(row) for (row,) in first)
                yield Breach(column=rule.column, rule=rule.words, count=int(count), rows=rows)
