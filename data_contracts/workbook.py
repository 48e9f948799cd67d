"""Workbooks to raw cells: the sheets that a layout names, as text, one below the other."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_contracts.layout import Layout
from data_contracts.ods import DATE_MARK, ods_sheets
from data_contracts.refusal import Refusal

MAX_UNPACKED = 4_000_000_000


class WorkbookRefused(Refusal):
    """A workbook that cannot be read as declared."""


def workbook_parts(path: Path, layout: Layout) -> list[tuple[str, list[str], pd.DataFrame]]:
    """(sheet, header, cells below it) for each sheet that the layout asks for; cells are text."""

    def wanted(name: str) -> bool:
        return any(fnmatchcase(name, sheet) for sheet in layout.sheets or ("*",))

    book: dict[str, list[list[str]]] | None = None
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
        if size <= MAX_UNPACKED:
            book = (ods_sheets if path.suffix.lower() == ".ods" else xlsx_sheets)(path, wanted)
    except Exception:  # the parsers raise whatever they meet, some with a cell's text
        book = None
    if book is None:
        raise _refused(
            path, "a damaged or oversized workbook", "an .ods or .xlsx file", "Save the workbook again."
        )
    if not layout.sheets and len(book) > 1:
        raise _refused(
            path,
            f"{len(book)} sheets",
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
