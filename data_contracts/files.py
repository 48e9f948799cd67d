"""Files to raw cells: CSV, Parquet, ODS and Excel, each recognised by its content and not by its name alone.

Text formats come out as text, cell for cell, so that nothing is guessed on the way; Parquet keeps its
types. No error repeats a cell, nor a header that the contract does not declare: a file without a
header row has people in its first line.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from data_contracts.layout import Layout
from data_contracts.refusal import Refusal
from data_contracts.workbook import workbook_parts

SUFFIXES = (".csv", ".parquet", ".ods", ".xlsx")


class UnreadableFile(Refusal):
    """A file that is not what its name says, or that cannot be read as declared."""


def file_hash(path: Path) -> str:
    """SHA-256 of the file's bytes, in hexadecimal, without holding the file in memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_cells(path: Path, layout: Layout) -> pd.DataFrame:
    """The file's cells under its own headers: text for CSV, ODS and Excel, typed for Parquet."""
    kind = check_kind(path)
    if kind == ".csv":
        return _csv(path, layout)
    if kind == ".parquet":
        return _parquet(path)
    return _sheets(path, layout)


def check_kind(path: Path) -> str:
    """The file's form by its ending, its content agreeing; anything else is refused."""
    if not path.is_file():
        raise _unreadable(path, "no file", "a data file", "Check the folder and the file's name.")
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise _unreadable(
            path,
            f"a file ending in '{kind}'",
            f"one of {', '.join(SUFFIXES)}",
            "Save the table in one of these forms.",
        )
    with path.open("rb") as stream:
        head = stream.read(4096)
        tail = b""
        if kind == ".parquet" and path.stat().st_size >= 12:
            stream.seek(-4, 2)
            tail = stream.read(4)
    if not head:
        raise _unreadable(path, "an empty file", "a header row and at least one row", "Check the export.")
    if kind == ".parquet" and not (head[:4] == b"PAR1" and tail == b"PAR1"):
        raise _unreadable(
            path,
            "bytes that are not Parquet (a renamed or truncated file)",
            "a Parquet file",
            "Export the table again; pickled files are never opened, because opening one runs its code.",
        )
    if kind in (".ods", ".xlsx") and head[:4] != b"PK\x03\x04":
        raise _unreadable(
            path, "bytes that are not a spreadsheet", f"a {kind} file", "Save the workbook again."
        )
    if kind == ".csv":
        _check_text(path, head)
    return kind


def _check_text(path: Path, head: bytes) -> None:
    if head[:4] in (b"PAR1", b"PK\x03\x04"):
        raise _unreadable(
            path, "a Parquet or zip file under the name of a CSV", "text", "Give the file its true ending."
        )
    if b"\x00" in head and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise _unreadable(path, "a binary file", "text with commas", "Export the table as CSV.")


def _csv(path: Path, layout: Layout) -> pd.DataFrame:
    bad: list[int] = []

    def note(row: Any) -> str:  # pyarrow's InvalidRow
        bad.append(int(row.number) - lines if row.number is not None else 0)
        return "skip"

    with path.open("rb") as stream:
        mark = stream.read(2)
    if mark in (b"\xff\xfe", b"\xfe\xff") and layout.encoding != "utf-16":
        raise _unreadable(
            path,
            "UTF-16 text",
            f"{layout.encoding} text",
            "Save as UTF-8, or declare `encoding: utf-16` in the layout.",
        )
    names, lines = _header(path, layout)
    try:
        table = pa.csv.read_csv(
            path,
            read_options=pa.csv.ReadOptions(
                use_threads=False,
                encoding=layout.encoding,
                skip_rows=lines,
                column_names=[f"c{i}" for i in range(len(names))],
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=layout.delimiter,
                newlines_in_values=True,
                invalid_row_handler=note,
                ignore_empty_lines=not layout.stop_at_blank,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types={f"c{i}": pa.string() for i in range(len(names))},
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except (pa.ArrowInvalid, UnicodeError):
        table = None
    if table is None:
        raise _unreadable(
            path,
            f"bytes that are not {layout.encoding} text, or an unclosed quotation mark",
            f"{layout.encoding} text with one record to a row",
            "Save the file as UTF-8, or declare its encoding in the contract's layout.",
        )
    if bad and not layout.stop_at_blank:
        shown = ", ".join(str(row) for row in bad[:10])
        raise _unreadable(
            path,
            f"{len(bad)} rows with more or fewer cells than the header (rows {shown}{', ...' if len(bad) > 10 else ''})",
            f"{len(names)} cells in every row",
            "Look for unquoted commas, or a footer below the table.",
        )
    frame = table.to_pandas()
    return _framed(frame, names, layout)


def _header(path: Path, layout: Layout) -> tuple[list[str], int]:
    """(header cells, lines of the file down to them): a header may run over several lines."""
    import csv

    encoding = "utf-8-sig" if layout.encoding == "utf-8" else layout.encoding
    try:
        with path.open(encoding=encoding, newline="") as stream:
            rows = csv.reader(stream, delimiter=layout.delimiter)
            for number, row in enumerate(rows, start=1):
                if number == layout.header_row:
                    return row, rows.line_num
    except (UnicodeError, csv.Error):
        pass
    else:
        raise _unreadable(
            path,
            "fewer rows than its header row",
            f"a header in row {layout.header_row}",
            "Check the export.",
        )
    raise _unreadable(
        path,
        f"bytes that are not {layout.encoding} text",
        f"{layout.encoding} text",
        "Save the file as UTF-8, or declare its encoding in the contract's layout.",
    )


def _parquet(path: Path) -> pd.DataFrame:
    try:
        table = pa.parquet.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
        table = None
    if table is None:
        raise _unreadable(path, "a damaged Parquet file", "a Parquet file", "Export the table again.")
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    frame.columns = [str(name) for name in table.column_names]
    return frame


def _sheets(path: Path, layout: Layout) -> pd.DataFrame:
    parts = []
    for name, header, cells in workbook_parts(path, layout):
        part = _framed(cells, header, layout)
        if layout.sheet_column:
            part[layout.sheet_column] = name
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _framed(frame: pd.DataFrame, header: list[str], layout: Layout) -> pd.DataFrame:
    """The cells under cleaned headers, down to the first blank row where the layout ends there."""
    names = pd.Series([" ".join(name.split()) for name in header], dtype="str")
    if layout.footnotes:
        names = names.str.replace(rf"\s*(?:{layout.footnotes})\s*$", "", regex=True)
    frame.columns = list(names)
    if layout.stop_at_blank and len(frame):
        blank = (frame == "").to_numpy().all(axis=1)
        if blank.any():
            frame = frame.iloc[: int(blank.argmax())]
    return frame


def _unreadable(path: Path, found: str, expected: str, remedy: str) -> UnreadableFile:
    return UnreadableFile(where=path.name, found=found, expected=expected, remedy=remedy)
