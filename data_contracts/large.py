"""Files larger than memory held to their contract, in chunks that duckdb streams.

Each chunk is converted and checked by the same code as a small table, so both paths refuse the same
files for the same reasons. What only the whole table can tell (a key repeated, a column with no value,
two spellings of one key) is counted by duckdb under a memory limit, spilling to a temporary folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from data_contracts.check import global_rules, pandera_schema, schema_breaches, told_once
from data_contracts.convert import convert
from data_contracts.files import UnreadableFile, check_kind, file_hash
from data_contracts.layout import Layout
from data_contracts.read import arrange, delivery_vintage
from data_contracts.table import ROWS_SHOWN, Breach, ContractBroken, TableContract

CHUNK_ROWS = 500_000
MEMORY_LIMIT = "400MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file that kept its contract, left on disk; `missing` counts coded gaps by column and reason."""

    contract: TableContract
    path: Path
    sha256: str
    rows: int
    extracted: date | None
    provisional: bool


def check_file(path: Path, contract: TableContract, *, chunk_rows: int = CHUNK_ROWS) -> CheckedFile:
    """Check a CSV or Parquet file of any size; raise `ContractBroken` with every breach at once."""
    kind = check_kind(path)
    if kind not in (".csv", ".parquet") or contract.layout != Layout() or contract_has_identifiers(contract):
        raise UnreadableFile(
            where=path.name,
            found="a file or a contract that cannot be checked in chunks",
            expected="a tidy CSV or Parquet file (no layout, no identifier columns)",
            remedy="Check it whole, or tidy it and pseudonymise it first.",
        )
    vintage = delivery_vintage(path, contract)
    latest = vintage.extracted or date.today()
    schema = pandera_schema(contract, latest=latest, whole=False)
    found: dict[tuple[str, str], Breach] = {}
    rows = 0
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = '{_quoted(spill)}'")
        connection.execute("SET threads = 1")
        connection.execute("SET preserve_insertion_order = true")
        source = _source(path, kind)
        for cells in _chunks(connection, source, path, chunk_rows):
            arranged, _, breaches = arrange(cells, contract)
            if breaches:
                raise ContractBroken(table=contract.name, breaches=breaches)
            converted = convert(arranged, contract)
            for each in told_once(converted, schema_breaches(converted.frame, schema, contract)):
                _add(found, each, rows)
            rows += len(cells)
        if rows == 0:
            raise ContractBroken(table=contract.name, breaches=[Breach(column="", rule="no rows", count=0)])
        headers = {name: column.source_name or name for name, column in contract.columns.items()}
        for each in _whole_table(connection, source, contract, headers):
            _add(found, each, 0)
    if found:
        order = {name: position for position, name in enumerate(contract.columns)}
        ordered = sorted(found.values(), key=lambda b: (order.get(b.column, len(order)), b.rule))
        raise ContractBroken(table=contract.name, breaches=ordered)
    return CheckedFile(
        contract=contract,
        path=path,
        sha256=file_hash(path),
        rows=rows,
        extracted=vintage.extracted,
        provisional=vintage.provisional,
    )


def contract_has_identifiers(contract: TableContract) -> bool:
    """Whether a column holds numbers with check digits, which duckdb cannot judge."""
    return any(column.identifier is not None for column in contract.columns.values())


def _source(path: Path, kind: str) -> str:
    name = _quoted(str(path))
    if kind == ".parquet":
        return f"read_parquet('{name}', file_row_number = true)"
    return (
        f"read_csv('{name}', header = true, all_varchar = true, nullstr = '', delim = ',', "
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


def _whole_table(
    connection: Any, source: str, contract: TableContract, headers: dict[str, str]
) -> Iterator[Breach]:
    for rule in global_rules(contract):
        columns = [_name(headers[name]) for name in rule.columns]
        listed = ", ".join(columns)
        if rule.kind == "empty":
            (held,) = connection.execute(f"SELECT count({listed}) FROM {source}").fetchone()
            if held == 0:
                yield Breach(column=rule.column, rule=rule.words, count=0)
            continue
        if rule.kind == "spelling":
            folded = f"replace(lower({listed}), ' ', '')"
            query = (
                f"SELECT coalesce(sum(spellings), 0) FROM (SELECT count(DISTINCT {listed}) AS spellings "
                f"FROM {source} WHERE {listed} IS NOT NULL GROUP BY {folded}) WHERE spellings > 1"
            )
        else:
            query = (
                f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {source} "
                f"WHERE {columns[0]} IS NOT NULL GROUP BY {listed} HAVING count(*) > 1)"
            )
        (count,) = connection.execute(query).fetchone()
        if count:
            yield Breach(column=rule.column, rule=rule.words, count=int(count))


def _add(found: dict[tuple[str, str], Breach], new: Breach, offset: int) -> None:
    """Merge a chunk's breach with those before it, its rows numbered within the whole file."""
    rows = tuple(row + offset for row in new.rows)
    old = found.get((new.column, new.rule))
    if old is not None:
        found[new.column, new.rule] = Breach(
            column=new.column, rule=new.rule, count=old.count + new.count, rows=(old.rows + rows)[:ROWS_SHOWN]
        )
    else:
        found[new.column, new.rule] = Breach(column=new.column, rule=new.rule, count=new.count, rows=rows)


def _name(header: str) -> str:
    return '"' + header.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return text.replace("'", "''")
