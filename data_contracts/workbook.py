"""Workbooks to raw cells: the sheets that a layout names, as text, one below the other."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import iterparse

import numpy as np
import pandas as pd

from data_contracts.layout import Layout
from data_contracts.ods import DATE_MARK, ods_sheets
from data_contracts.refusal import Refusal

MAX_UNPACKED = 4_000_000_000
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class WorkbookRefused(Refusal):
    """A workbook that cannot be read as declared."""


def workbook_parts(path: Path, layout: Layout) -> list[tuple[str, list[str], pd.DataFrame]]:
    """(sheet, header, cells below it) for each sheet that the layout asks for; cells are text."""

    def wanted(name: str) -> bool:
        return any(fnmatchcase(name, sheet) for sheet in layout.sheets or ("*",))

    book: dict[str, list[list[str]]] | None = None
    blank: list[int] = []
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
        if size <= MAX_UNPACKED:
            book = (ods_sheets if path.suffix.lower() == ".ods" else xlsx_sheets)(path, wanted)
            blank = [] if path.suffix.lower() == ".ods" else uncalculated(path, wanted)
    except Exception:  # the parsers raise whatever they meet, some with a cell's text
        book = None
    if book is None:
        raise _refused(
            path, "a damaged or oversized workbook", "an .ods or .xlsx file", "Save the workbook again."
        )
    if blank:
        shown = ", ".join(map(str, blank[:10])) + (", ..." if len(blank) > 10 else "")
        raise _refused(
            path,
            f"formulas that were never calculated (rows of the sheet: {shown})",
            "cells with values",
            "Open the workbook, let it calculate, save it; such cells would be read as missing.",
        )
    if not layout.sheets and len(book) > 1:
        raise _refused(
            path,
            f"{len(book)} sheets, hidden ones included",
            "one sheet, or `sheets: [...]` in the layout",
            "Say which sheets are the table.",
        )
    absent = [sheet for sheet in layout.sheets if not any(fnmatchcase(name, sheet) for name in book)]
    if absent:
        raise _refused(
            path, f"no sheet like {', '.join(absent)}", "the layout's sheets", "Check the sheets' names."
        )
    return [(name, *_part(path, rows, layout)) for name, rows in book.items() if wanted(name)]


def xlsx_sheets(path: Path, wanted: Callable[[str], bool]) -> dict[str, list[list[str]]]:
    """{sheet: rows of cell texts} of an Excel workbook, values and not formulas."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    try:
        sheets: dict[str, list[list[str]]] = {}
        for sheet in book.worksheets:
            rows: list[list[str]] = []
            if wanted(sheet.title):
                sheet.reset_dimensions()
                rows = [
                    _trimmed([as_text(cell) for cell in row]) for row in sheet.iter_rows(values_only=True)
                ]
            while rows and not rows[-1]:
                rows.pop()
            sheets[sheet.title] = rows
        return sheets
    finally:
        book.close()


def uncalculated(path: Path, wanted: Callable[[str], bool]) -> list[int]:
    """The rows with a formula that has no value: a program wrote them, and no spreadsheet has opened them since."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True)
    parts = [sheet._worksheet_path for sheet in book.worksheets if wanted(sheet.title)]
    book.close()
    rows: set[int] = set()
    with zipfile.ZipFile(path) as archive:
        for part in parts:
            rows |= _uncalculated_rows(archive, part.lstrip("/"))
    return sorted(rows)


def _uncalculated_rows(archive: zipfile.ZipFile, part: str) -> set[int]:
    with archive.open(part) as stream:
        if not any(b"<f" in block for block in _overlapping(stream)):
            return set()
    rows = set()
    with archive.open(part) as stream:
        for _, element in iterparse(stream):
            if element.tag == f"{_MAIN}c":
                formula = element.find(f"{_MAIN}f") is not None
                # A formula with the value "" says that its value is text.
                if formula and not element.findtext(f"{_MAIN}v") and element.get("t") != "str":
                    rows.add(int("".join(sign for sign in element.get("r", "0") if sign.isdigit())))
            elif element.tag == f"{_MAIN}row":
                element.clear()
    return rows


def _overlapping(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream in blocks, each with the last byte of the one before it."""
    last = b""
    while block := stream.read(1 << 20):
        yield last + block
        last = block[-1:]


def as_text(cell: Any) -> str:
    """A typed cell as its exact text: whole floats without a point, dates as ISO after `DATE_MARK`."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        midnight = cell.time() == time(0)
        return DATE_MARK + (cell.date().isoformat() if midnight else cell.strftime("%Y-%m-%d %H:%M:%S"))
    if isinstance(cell, date):
        return DATE_MARK + cell.isoformat()
    return str(cell)


def _part(path: Path, rows: list[list[str]], layout: Layout) -> tuple[list[str], pd.DataFrame]:
    if len(rows) < layout.header_row:
        raise _refused(
            path, "fewer rows than its header row", f"a header in row {layout.header_row}", "Check the sheet."
        )
    header = [cell.removeprefix(DATE_MARK) for cell in rows[layout.header_row - 1]]
    body = rows[layout.header_row :]
    if layout.stop_at_blank:
        body = body[: next((i for i, row in enumerate(body) if not row), len(body))]
    wide = [i + 1 for i, row in enumerate(body) if len(row) > len(header)]
    if wide:
        shown = ", ".join(map(str, wide[:10])) + (", ..." if len(wide) > 10 else "")
        raise _refused(
            path,
            f"{len(wide)} rows with cells beyond the header (rows {shown})",
            f"at most {len(header)} cells in a row",
            "Look for remarks beside the table, or a header above several columns.",
        )
    cells = np.full((len(body), len(header)), "", dtype=object)
    for i, row in enumerate(body):
        cells[i, : len(row)] = row
    return header, pd.DataFrame(cells, dtype="str")


def _trimmed(row: list[str]) -> list[str]:
    while row and row[-1] == "":
        row.pop()
    return row


def _refused(path: Path, found: str, expected: str, remedy: str) -> WorkbookRefused:
    return WorkbookRefused(where=path.name, found=found, expected=expected, remedy=remedy)
