"""Files larger than memory held to their contract, in chunks that duckdb streams.

Each chunk is converted and checked by the same code as a small table, so both paths refuse the same
files for the same reasons. What only the whole table can tell (a key repeated, a column with no value,
two spellings of one key) is counted by duckdb under a memory limit, spilling to a temporary folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from data_contracts.check import global_rules, pandera_schema, schema_breaches, told_once
from data_contracts.convert import convert
from data_contracts.files import UnreadableFile, check_kind, file_hash
from data_contracts.layout import Layout
from data_contracts.read import arrange, delivery_vintage, in_file_rows
from data_contracts.table import ROWS_SHOWN, Breach, ContractBroken, TableContract

CHUNK_ROWS = 250_000
MEMORY_LIMIT = "400MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file that kept its contract, left on disk; `left_out` counts rows that the layout drops."""

    contract: TableContract
    path: Path
    sha256: str
    rows: int
    left_out: int
    extracted: date | None
    provisional: bool


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
    latest = vintage.extracted or date.today()
    schema = pandera_schema(contract, latest=latest, whole=False)
    found: dict[tuple[str, str], Breach] = {}
    rows = kept = 0
    filled: set[str] = set()
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = '{_quoted(spill)}'")
        connection.execute("SET threads = 1")
        connection.execute("SET preserve_insertion_order = true")
        source = _source(path, kind, contract.layout.delimiter)
        for cells in _chunks(connection, source, path, chunk_rows):
            arranged, _, breaches = arrange(cells, contract)
            if breaches:
                raise ContractBroken(table=contract.name, breaches=breaches)
            converted = convert(arranged, contract)
            told = told_once(converted, schema_breaches(converted.frame, schema, contract))
            for each in in_file_rows(told, arranged.index, rows):
                _add(found, each)
            filled |= {name for name in contract.columns if converted.frame[name].notna().any()}
            rows += len(cells)
            kept += len(arranged)
        if kept == 0:
            raise ContractBroken(table=contract.name, breaches=[Breach(column="", rule="no rows", count=0)])
        for each in _whole_table(connection, source, contract, filled):
            _add(found, each)
    if found:
        order = {name: position for position, name in enumerate(contract.columns)}
        ordered = sorted(found.values(), key=lambda b: (order.get(b.column, len(order)), b.rule))
        raise ContractBroken(table=contract.name, breaches=ordered)
    return CheckedFile(
        contract=contract,
        path=path,
        sha256=file_hash(path),
        rows=kept,
        left_out=rows - kept,
        extracted=vintage.extracted,
        provisional=vintage.provisional,
    )


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
    )
    identified = any(column.identifier is not None for column in contract.columns.values())
    # Repeats are counted on the file's own cells: dropped rows would count, and spaces would hide some.
    repeats = any(rule.kind != "empty" for rule in global_rules(contract))
    changed = bool(contract.layout.drop_rows) or contract.layout.trim
    return plain == Layout() and not identified and not (repeats and changed)


def _source(path: Path, kind: str, delimiter: str) -> str:
    name = _quoted(str(path))
    if kind == ".parquet":
        return f"read_parquet('{name}', file_row_number = true)"
    return (
        f"read_csv('{name}', header = true, all_varchar = true, nullstr = '', delim = '{delimiter}', "
        "quote = '\"', escape = '\"')"
    )


def _chunks(connection: Any, source: str, path: Path, chunk_rows: int) -> Iterator[pd.DataFrame]:
    """The file's cells, `chunk_rows` rows at a time; nothing of duckdb's own messages comes through."""
    try:
        reader = connection.sql(f"SELECT * FROM {source}").to_arrow_reader(chunk_rows)
        for batch in reader:
            frame = batch.to_pandas()
            yield frame.drop(columns=[c for c in frame.columns if c == "file_row_number"])
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


def _whole_table(connection: Any, source: str, contract: TableContract, filled: set[str]) -> Iterator[Breach]:
    """Repeats, counted by duckdb; and the columns in which no chunk had a value."""
    for rule in global_rules(contract):
        if rule.kind == "empty":
            if rule.column not in filled:
                yield Breach(column=rule.column, rule=rule.words, count=0)
            continue
        columns = [contract.columns[name] for name in rule.columns]
        names = [_name(c.source_name or name) for c, name in zip(columns, rule.columns, strict=True)]
        listed = ", ".join(names)
        codes = ", ".join(f"'{_quoted(code)}'" for code in columns[0].missing_codes)
        known = f"{names[0]} IS NOT NULL" + (f" AND {names[0]} NOT IN ({codes})" if codes else "")
        if rule.kind == "spelling":
            query = (
                f"SELECT coalesce(sum(spellings), 0) FROM (SELECT count(DISTINCT {listed}) AS spellings "
                f"FROM {source} WHERE {known} GROUP BY replace(lower({listed}), ' ', '')) WHERE spellings > 1"
            )
        else:
            query = (
                f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {source} "
                f"WHERE {known} GROUP BY {listed} HAVING count(*) > 1)"
            )
        (count,) = connection.execute(query).fetchone()
        if count:
            yield Breach(column=rule.column, rule=rule.words, count=int(count))


def _add(found: dict[tuple[str, str], Breach], new: Breach) -> None:
    """Merge a chunk's breach with those before it."""
    old = found.get((new.column, new.rule))
    if old is not None:
        new = replace(new, count=old.count + new.count, rows=(old.rows + new.rows)[:ROWS_SHOWN])
    found[new.column, new.rule] = new


def _name(header: str) -> str:
    return '"' + header.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return text.replace("'", "''")
