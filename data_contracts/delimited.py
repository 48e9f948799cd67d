"""Delimited text to raw cells: the declared encoding and separator, every row as long as its header.

No error repeats a cell, nor a header that the contract does not declare.
"""

from __future__ import annotations

import codecs
import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from data_contracts.layout import Layout
from data_contracts.refusal import Refusal

SEPARATORS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}
_BLOCK = 1 << 20


class UnreadableFile(Refusal):
    """A file that is not what its name says, or that cannot be read as declared."""


def csv_cells(path: Path, layout: Layout) -> tuple[pd.DataFrame, list[str]]:
    """(cells as text, the header above them), down to the first blank row where the layout ends there."""
    names, lines = csv_header(path, layout)
    odd: dict[int, bool] = {}
    """Rows of another length than the header, by their number: whether they are blank."""

    def note(row: Any) -> str:  # pyarrow's InvalidRow
        odd[int(row.number) - lines if row.number is not None else 0] = not row.text.strip()
        return "skip"

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
        raise unreadable(
            path,
            f"bytes that are not {layout.encoding} text, or an unclosed quotation mark",
            f"{layout.encoding} text with one record to a row",
            "Save the file as UTF-8, or declare its encoding in the contract's layout.",
        )
    cells = table.to_pandas()
    if layout.stop_at_blank:
        cells, odd = _above_blank(cells, odd)
    if odd:
        shown = ", ".join(str(row) for row in sorted(odd)[:10])
        noun = "row" if len(odd) == 1 else "rows"
        raise unreadable(
            path,
            f"{len(odd)} {noun} with more or fewer cells than the header ({noun} {shown}{', ...' if len(odd) > 10 else ''})",
            f"{len(names)} cells in every row",
            "Look for unquoted commas, or a footer below the table.",
        )
    return cells, names


def csv_header(path: Path, layout: Layout) -> tuple[list[str], int]:
    """(header cells, lines of the file down to them): a header may run over several lines.

    Refuses a file whose first bytes or whose header say that it is encoded or separated otherwise than declared.
    """
    _check_encoding(path, layout)
    encoding = "utf-8-sig" if layout.encoding == "utf-8" else layout.encoding
    try:
        with path.open(encoding=encoding, newline="") as stream:
            rows = csv.reader(stream, delimiter=layout.delimiter)
            for number, row in enumerate(rows, start=1):
                if number == layout.header_row:
                    _check_separator(path, row, layout)
                    return row, rows.line_num
    except (UnicodeError, csv.Error):
        pass
    else:
        raise unreadable(
            path,
            "fewer rows than its header row",
            f"a header in row {layout.header_row}",
            "Check the export.",
        )
    raise unreadable(
        path,
        f"bytes that are not {layout.encoding} text",
        f"{layout.encoding} text",
        "Save the file as UTF-8, or declare its encoding in the contract's layout.",
    )


def _above_blank(cells: pd.DataFrame, odd: dict[int, bool]) -> tuple[pd.DataFrame, dict[int, bool]]:
    """What stands above the first blank row, notes below it left out."""
    numbers = np.setdiff1d(np.arange(1, len(cells) + len(odd) + 1), list(odd))
    blank = (cells == "").to_numpy().all(axis=1)
    ends = [*numbers[blank][:1], *(row for row, empty in odd.items() if empty)]
    if not ends:
        return cells, odd
    end = min(ends)
    return cells[numbers < end], {row: empty for row, empty in odd.items() if row < end}


def _check_encoding(path: Path, layout: Layout) -> None:
    with path.open("rb") as stream:
        mark = stream.read(2)
    found = ""
    if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and layout.encoding != "utf-16":
        found = "UTF-16"
    elif layout.encoding in ("cp1252", "latin-1") and _is_utf8(path):
        found = "UTF-8"
    if found:
        raise unreadable(
            path,
            f"{found} text",
            f"{layout.encoding} text",
            f"Declare `encoding: {found.lower()}` in the layout, or save the file in the declared encoding.",
        )


def _is_utf8(path: Path) -> bool:
    """Whether the file is UTF-8 with letters beyond ASCII: no other text decodes as such by chance."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    beyond = False
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return False
            beyond = beyond or not block.isascii()
    return beyond


def _check_separator(path: Path, row: list[str], layout: Layout) -> None:
    """Refuse a header in one piece that another separator would cut."""
    if len(row) != 1:
        return
    cuts = {sign: len(row[0].split(sign)) for sign in SEPARATORS if sign != layout.delimiter}
    sign = max(cuts, key=lambda each: cuts[each])
    if cuts[sign] == 1:
        return
    raise unreadable(
        path,
        f"a header in one piece: the file seems to be separated by {SEPARATORS[sign]}",
        f"columns separated by {SEPARATORS[layout.delimiter]}, as the contract declares",
        f"Save the file with {SEPARATORS[layout.delimiter]} between its columns, or declare `delimiter` in the layout.",
    )


def unreadable(path: Path, found: str, expected: str, remedy: str) -> UnreadableFile:
    """A refusal of a file, named without its folder."""
    return UnreadableFile(where=path.name, found=found, expected=expected, remedy=remedy)
