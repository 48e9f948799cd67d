"""Files larger than memory held to their contract, in chunks that duckdb streams.

Each chunk is converted and checked by the same code as a small table, so both paths refuse the same
files for the same reasons. What only the whole table can tell (a key repeated, two spellings of one key:
`data_contracts/repeats.py`) is kept by duckdb under a memory limit, spilling to a temporary folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from data_contracts.check import EMPTY, global_rules, pandera_schema, schema_breaches, told_once
from data_contracts.convert import convert
from data_contracts.delimited import UnreadableFile, csv_header
from data_contracts.files import arrow_cells, check_kind, clean_headers, file_hash, parquet_headers
from data_contracts.layout import Layout
from data_contracts.read import arrange, delivery_vintage, in_file_rows, in_order, part_of
from data_contracts.repeats import Repeats
from data_contracts.table import ROWS_SHOWN, Breach, ContractBroken, TableContract

CHUNK_ROWS = 250_000
MEMORY_LIMIT = "400MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file that kept its contract, left on disk; `left_out` counts rows that the layout drops, `missing` as in
    `CheckedTable`."""

    contract: TableContract
    path: Path
    sha256: str
    rows: int
    left_out: int
    extracted: date | None
    provisional: bool
    missing: dict[str, dict[str, int]]


@dataclass(slots=True)
class _Seen:
    """What the chunks so far have told."""

    breaches: dict[tuple[str, str], Breach] = field(default_factory=dict)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    rows: int = 0
    kept: int = 0

    def add(self, new: Breach) -> None:
        """Merge a chunk's breach with those before it."""
        old = self.breaches.get((new.column, new.rule))
        if old is not None:
            new = replace(new, count=old.count + new.count, rows=(old.rows + new.rows)[:ROWS_SHOWN])
        self.breaches[new.column, new.rule] = new


def check_file(path: Path, contract: TableContract, *, chunk_rows: int = CHUNK_ROWS) -> CheckedFile:
    """Check a CSV or Parquet file of any size; raise `ContractBroken` with every breach at once."""
    kind = check_kind(path)
    if kind not in (".csv", ".parquet") or not in_chunks(contract):
        raise UnreadableFile(
            where=path.name,
            found="a file or a contract that cannot be checked in chunks",
            expected="CSV or Parquet in UTF-8 with its header in row 1, and no identifier columns",
            remedy="Check it whole, or tidy it and pseudonymise it first.",
        )
    vintage = delivery_vintage(path, contract)
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = '{_quoted(spill)}'")
        connection.execute("SET threads = 1")
        connection.execute("SET preserve_insertion_order = true")
        names, source = _source(path, kind, contract.layout)
        empty = pd.DataFrame([], columns=names, dtype="str")
        arranged, _, breaches = arrange(empty, contract)
        held = part_of(contract, arranged) if breaches else contract
        seen = _Seen(breaches={(b.column, b.rule): b for b in breaches})
        latest = vintage.extracted or date.today()
        _check_chunks(connection, _chunks(connection, source, names, path, chunk_rows), held, latest, seen)
    if seen.breaches:
        raise ContractBroken(table=contract.name, breaches=in_order(seen.breaches.values(), contract))
    return CheckedFile(
        contract=contract,
        path=path,
        sha256=file_hash(path),
        rows=seen.kept,
        left_out=seen.rows - seen.kept,
        extracted=vintage.extracted,
        provisional=vintage.provisional,
        missing=seen.missing,
    )


def _check_chunks(
    connection: Any, chunks: Iterator[pd.DataFrame], contract: TableContract, latest: date, seen: _Seen
) -> None:
    schema = pandera_schema(contract, latest=latest, whole=False)
    rules = global_rules(contract)
    repeats = Repeats(connection, rules)
    for cells in chunks:
        arranged = arrange(cells, contract)[0]
        converted = convert(arranged, contract)
        if len(arranged):
            told = told_once(converted, schema_breaches(converted.frame, schema, contract), contract)
            for each in in_file_rows(told, arranged.index, seen.rows):
                seen.add(each)
            repeats.add(converted.frame, np.asarray(arranged.index) + seen.rows + 1)
        for name, counts in converted.missing.items():
            before = seen.missing.setdefault(name, {})
            for reason, count in counts.items():
                before[reason] = before.get(reason, 0) + count
        seen.filled |= {name for name in contract.columns if converted.frame[name].notna().any()}
        seen.filled |= set(converted.unread)  # what did not convert is not also missing
        seen.rows += len(cells)
        seen.kept += len(arranged)
    if seen.kept == 0 and contract.columns:
        if not contract.may_have_no_rows:
            seen.add(Breach(column="", rule="no rows", count=0))
        return
    for rule in rules:
        if rule.kind == "empty" and rule.column not in seen.filled:
            seen.add(Breach(column=rule.column, rule=EMPTY, count=0))
    for each in repeats.breaches():
        seen.add(each)


def in_chunks(contract: TableContract) -> bool:
    """Whether a file can be checked a chunk at a time: what lies around the table, and what check digits
    say of two rows together, cannot."""
    plain = replace(
        contract.layout,
        delimiter=",",
        thousands="",
        decimal=".",
        marks={},
        drop_rows={},
        ignore=(),
        sheets=(),
        trim=False,
    )
    identified = any(column.identifier is not None for column in contract.columns.values())
    return plain == Layout() and not identified


def _source(path: Path, kind: str, layout: Layout) -> tuple[list[str], str]:
    """(headers, the file as duckdb reads it): every option said, so that nothing is guessed from its content."""
    # In duckdb's file names * ? [ stand for other files.
    name = _quoted("".join(f"[{c}]" if c in "*?[" else c for c in str(path)))
    if kind == ".parquet":
        names = clean_headers(parquet_headers(path), layout)
        return names, f"read_parquet('{name}', hive_partitioning = false)"
    header, _ = csv_header(path, layout)
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(header)))
    source = (
        f"read_csv('{name}', auto_detect = false, header = false, skip = 1, columns = {{{columns}}}, "
        f"delim = '{layout.delimiter}', quote = '\"', escape = '\"', nullstr = '', hive_partitioning = false)"
    )
    return clean_headers(header, layout), source


def _chunks(
    connection: Any, source: str, names: list[str], path: Path, chunk_rows: int
) -> Iterator[pd.DataFrame]:
    """The file's cells, `chunk_rows` rows at a time; nothing of duckdb's own messages comes through."""
    try:
        for batch in connection.cursor().sql(f"SELECT * FROM {source}").to_arrow_reader(chunk_rows):
            yield arrow_cells(pa.Table.from_batches([batch])).set_axis(names, axis=1)
    except duckdb.Error:
        failed = True
    else:
        failed = False
    if failed:
        raise UnreadableFile(
            where=path.name,
            found="a file that duckdb cannot read through (a damaged file, or rows of unequal length)",
            expected="a table with the same cells in every row",
            remedy="Export the table again.",
        )


def _quoted(text: str) -> str:
    return text.replace("'", "''")
