"""Files to raw cells: CSV, Parquet, ODS and Excel, each recognised by its content and not by its name alone.

Text formats come out as text, cell for cell, so that nothing is guessed on the way; Parquet keeps its
types. No error repeats a cell, nor a header that the contract does not declare: a file without a
header row has people in its first line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from data_contracts.delimited import csv_cells, unreadable
from data_contracts.layout import Layout
from data_contracts.workbook import workbook_parts

SUFFIXES = (".csv", ".parquet", ".ods", ".xlsx")


def file_hash(path: Path) -> str:
    """SHA-256 of the file's bytes, in hexadecimal, without holding the file in memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_cells(path: Path, layout: Layout) -> pd.DataFrame:
    """The file's cells under its own headers: text for CSV, ODS and Excel, typed for Parquet."""
    kind = check_kind(path)
    if kind in (".ods", ".xlsx"):
        return _sheets(path, layout)
    cells, header = csv_cells(path, layout) if kind == ".csv" else _parquet(path)
    return cells.set_axis(clean_headers(header, layout), axis=1)


def check_kind(path: Path) -> str:
    """The file's form by its ending, its content agreeing; anything else is refused."""
    if not path.is_file():
        raise unreadable(path, "no file", "a data file", "Check the folder and the file's name.")
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise unreadable(
            path,
            f"a file ending in '{kind}'",
            f"one of {', '.join(SUFFIXES)}",
            "Save the table in one of these forms.",
        )
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
            tail = b""
            if kind == ".parquet" and path.stat().st_size >= 12:
                stream.seek(-4, 2)
                tail = stream.read(4)
    except OSError as error:
        raise unreadable(
            path,
            f"a file that cannot be opened ({error.strerror})",
            "a file that you may read",
            "Check its permissions.",
        ) from None
    if not head:
        raise unreadable(path, "an empty file", "a header row and at least one row", "Check the export.")
    if kind == ".parquet" and not (head[:4] == b"PAR1" and tail == b"PAR1"):
        raise unreadable(
            path,
            "bytes that are not Parquet (a renamed or truncated file)",
            "a Parquet file",
            "Export the table again; pickled files are never opened, because opening one runs its code.",
        )
    if kind in (".ods", ".xlsx") and head[:4] != b"PK\x03\x04":
        raise unreadable(
            path, "bytes that are not a spreadsheet", f"a {kind} file", "Save the workbook again."
        )
    if kind == ".csv":
        _check_text(path, head)
    return kind


def _check_text(path: Path, head: bytes) -> None:
    if head[:4] in (b"PAR1", b"PK\x03\x04"):
        raise unreadable(
            path, "a Parquet or zip file under the name of a CSV", "text", "Give the file its true ending."
        )
    if b"\x00" in head and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise unreadable(path, "a binary file", "text with commas", "Export the table as CSV.")


def parquet_headers(path: Path) -> list[str]:
    """The names of a Parquet file's columns; its rows are not read."""
    return [str(name) for name in _parquet_part(path, lambda file: file.schema_arrow.names)]


def _parquet(path: Path) -> tuple[pd.DataFrame, list[str]]:
    table = _parquet_part(path, lambda file: file.read())
    return arrow_cells(table), [str(name) for name in table.column_names]


def _parquet_part[T](path: Path, part: Callable[[pa.parquet.ParquetFile], T]) -> T:
    """What `part` takes from the file; nothing of pyarrow's own messages comes through."""
    found: T | None = None
    with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
        found = part(pa.parquet.ParquetFile(path))
    if found is None:
        raise unreadable(path, "a damaged Parquet file", "a Parquet file", "Export the table again.")
    return found


def arrow_cells(table: pa.Table) -> pd.DataFrame:
    """Typed cells, columns by their places: categories by their values, decimals as numbers."""
    plain = [_plain(column) for column in table.columns]
    cells: pd.DataFrame = pa.table(plain, names=[str(i) for i in range(len(plain))]).to_pandas()
    return cells


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    return column


def _sheets(path: Path, layout: Layout) -> pd.DataFrame:
    parts: list[pd.DataFrame] = []
    first: list[str] | None = None
    for name, header, cells in workbook_parts(path, layout):
        names = clean_headers(header, layout)
        first = names if first is None else first
        held = [sorted(n for n in each if n not in layout.ignore) for each in (first, names)]
        if held[0] != held[1] or (parts and len(set(names)) < len(names)):
            raise unreadable(
                path,
                f"other headers in sheet {len(parts) + 1} of the table than in its first",
                "the same columns in every sheet, each once",
                "Read the sheets under contracts of their own, or put columns to be left out under `ignore`.",
            )
        part = cells.set_axis(names, axis=1)
        if layout.sheet_column:
            part[layout.sheet_column] = name
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def clean_headers(header: list[str], layout: Layout) -> list[str]:
    """Headers with single spaces between words and without footnote marks."""
    names = pd.Series([" ".join(name.split()) for name in header], dtype="str")
    if layout.footnotes:
        names = names.str.replace(rf"\s*(?:{layout.footnotes})\s*$", "", regex=True)
    return list(names)
