"""Workbooks: true dates, repeated and blank cells, comments, notes beside the table, sizes."""

from __future__ import annotations

import re
import zipfile
from datetime import date, datetime
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from data_contracts.delimited import UnreadableFile
from data_contracts.layout import Layout
from data_contracts.odcs import loads_contract
from data_contracts.ods import DATE_MARK, ods_sheets
from data_contracts.read import read_table
from data_contracts.table import ContractBroken
from data_contracts.workbook import WorkbookRefused, workbook_parts
from small_contract import SMALL, with_layout

CONTRACT = loads_contract(SMALL, name="small")
CONTENT = """<?xml version="1.0"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"""


def text(value: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="string"{more}><text:p>{value}</text:p></table:table-cell>'


def number(value: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="float" office:value="{value}"{more}/>'


def day(value: str) -> str:
    return f'<table:table-cell office:value-type="date" office:date-value="{value}"><text:p>03/02/24</text:p></table:table-cell>'


def blank(times: int = 1) -> str:
    return f'<table:table-cell table:number-columns-repeated="{times}"/>'


def row(*cells: str, times: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'


def ods(path: Path, *rows: str, name: str = "One") -> Path:
    table = f'<table:table table:name="{name}">{"".join(rows)}</table:table>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", CONTENT.format(tables=table))
    return path


HEADER = row(text("person"), text("came"), text("left"), text("visits"), blank(16380))


def test_cells_come_as_their_values_and_not_as_they_are_shown(tmp_path: Path) -> None:
    path = ods(
        tmp_path / "a.ods",
        row(text("x", ' table:number-columns-repeated="2"'), blank(), number("1234.50"), blank(16000)),
        row(blank(16384), times=2),
        row(number("7"), day("2024-02-03T00:00:00"), day("2024-02-03T10:30:00"), times=2),
        row(
            '<table:table-cell office:value-type="string"><office:annotation><text:p>a remark</text:p></office:annotation>'
            '<text:p>two<text:s text:c="2"/>parts<text:note><text:p>1</text:p></text:note></text:p><text:p>and a line</text:p></table:table-cell>'
        ),
        row(blank(16384), times=1_048_000),
    )
    assert ods_sheets(path, lambda _: True) == {
        "One": [
            ["x", "x", "", "1234.5"],
            [],
            [],
            ["7", DATE_MARK + "2024-02-03", DATE_MARK + "2024-02-03 10:30:00"],
            ["7", DATE_MARK + "2024-02-03", DATE_MARK + "2024-02-03 10:30:00"],
            ["two  parts\nand a line"],
        ]
    }


def test_a_sheet_that_is_not_wanted_is_named_and_not_read(tmp_path: Path) -> None:
    path = ods(tmp_path / "a.ods", row(text("x")))
    assert ods_sheets(path, lambda name: name == "Two") == {"One": []}


def test_a_true_date_is_read_whatever_the_declared_form(tmp_path: Path) -> None:
    path = ods(
        tmp_path / "small.ods",
        HEADER,
        row(text("a"), day("2024-02-03"), text("04/02/2024"), number("1")),
        row(text("b"), text("05/02/2024"), day("2024-02-06"), number("2")),
    )
    frame = read_table(path, CONTRACT).frame
    assert frame["came"].dt.strftime("%m-%d").tolist() == ["02-03", "02-05"]
    assert frame["left"].dt.strftime("%m-%d").tolist() == ["02-04", "02-06"]


def test_a_true_date_with_a_time_is_no_date_and_text_in_iso_is_not_the_declared_form(tmp_path: Path) -> None:
    path = ods(
        tmp_path / "small.ods",
        HEADER,
        row(text("a"), day("2024-02-03T12:00:00"), text("04/02/2024"), number("1")),
        row(text("b"), text("2024-02-05"), text("06/02/2024"), number("2")),
    )
    with pytest.raises(ContractBroken, match=r"came': not a date as dd/MM/yyyy \(2 rows: 1, 2\)"):
        read_table(path, CONTRACT)


def test_excel_dates_and_numbers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["person", "came", "left", "visits"])
    sheet.append(["a", date(2024, 2, 3), datetime(2024, 2, 4), 7.0])
    sheet.append(["b", "05/02/2024", None, 3])
    book.save(tmp_path / "small.xlsx")
    frame = read_table(tmp_path / "small.xlsx", CONTRACT).frame
    assert frame["came"].dt.day.tolist() == [3, 5]
    assert frame["visits"].tolist() == [7, 3]


def test_remarks_beside_the_table_are_refused_by_row(tmp_path: Path) -> None:
    path = ods(
        tmp_path / "small.ods", HEADER, row(text("a"), text("b"), text("c"), number("1"), text("see note"))
    )
    with pytest.raises(WorkbookRefused, match=r"1 rows with cells beyond the header \(rows 1\)") as caught:
        read_table(path, CONTRACT)
    assert "see note" not in str(caught.value)


def test_notes_after_a_blank_row_end_the_table_where_the_layout_says_so(tmp_path: Path) -> None:
    good = row(text("a"), text("03/02/2024"), text("04/02/2024"), number("1"))
    path = ods(
        tmp_path / "small.ods",
        row(text("Title")),
        HEADER,
        good,
        row(blank(9)),
        row(text("Source: a long note"), *[text("x")] * 9),
    )
    layout = with_layout("{headerRow: 2, stopAtBlank: true}")
    assert read_table(path, loads_contract(layout, name="small")).rows == 1
    with pytest.raises(WorkbookRefused):
        read_table(path, loads_contract(with_layout("{headerRow: 2}"), name="small"))


def test_sheet_names_become_a_column_where_the_layout_says_so(tmp_path: Path) -> None:
    path = ods(
        tmp_path / "small.ods",
        HEADER,
        row(text("a"), text("03/02/2024"), text("04/02/2024"), number("1")),
        name="2023-24",
    )
    parts = workbook_parts(path, Layout(sheets=("20*",)))
    assert [(name, len(cells)) for name, _, cells in parts] == [("2023-24", 1)]
    with pytest.raises(WorkbookRefused, match="no sheet like 19"):
        workbook_parts(path, Layout(sheets=("19*",)))


def test_an_entity_bomb_is_refused(tmp_path: Path) -> None:
    lines = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{lines}]><x>&a11;</x>'
    path = tmp_path / "small.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", bomb)
    with pytest.raises(WorkbookRefused, match="damaged or oversized"):
        read_table(path, CONTRACT)


def test_a_large_sheet_takes_seconds(tmp_path: Path) -> None:
    rows = [row(text(f"p{i}"), text("03/02/2024"), text("04/02/2024"), number(str(i))) for i in range(20_000)]
    path = ods(tmp_path / "small.ods", HEADER, *rows)
    assert read_table(path, CONTRACT).rows == 20_000


HEADERS = ["person", "came", "left", "visits"]
CAME, LEFT = datetime(2024, 2, 3), datetime(2024, 2, 4)


def xlsx(path: Path, *sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for cells in rows:
            sheet.append(cells)
    book.save(path)
    return path


def test_a_formula_that_was_never_calculated_is_told_and_not_read_as_missing(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "small.xlsx", [HEADERS, ["A", CAME, LEFT, 1], ["B", CAME, LEFT, "=1+6"]])
    with pytest.raises(WorkbookRefused, match=r"never calculated \(rows of the sheet: 3\)"):
        read_table(path, CONTRACT)
    # The same cell once a spreadsheet has calculated it, also to an empty text.
    for kind, cell, value in (("n", "7", 7.0), ("str", "", None)):
        made = tmp_path / "made.xlsx"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
            for item in old.namelist():
                content = old.read(item).decode()
                content = re.sub(r"<f>1\+6</f><v ?/>|<f>1\+6</f><v></v>", f"<f>1+6</f><v>{cell}</v>", content)
                new.writestr(item, re.sub(r'(<c r="D3")[^>]*>', rf'\1 t="{kind}">', content))
        table = read_table(made, CONTRACT)
        assert [None if np.isnan(v) else v for v in table.frame["visits"]] == [1.0, value]


@pytest.mark.parametrize(
    "second", [[*HEADERS[:3]], [*HEADERS, "visits"], [*HEADERS, "other"]], ids=["less", "twice", "more"]
)
def test_sheets_with_other_headers_are_not_filled_up_with_gaps(second: list[str], tmp_path: Path) -> None:
    cells: list[object] = ["A", CAME, LEFT, 7, 8][: len(second)]
    path = xlsx(tmp_path / "small.xlsx", [HEADERS, ["B", CAME, LEFT, 7]], [second, cells])
    contract = loads_contract(with_layout("{sheets: ['*']}"), name="small")
    with pytest.raises(UnreadableFile, match="other headers in sheet 2"):
        read_table(path, contract)


def test_an_error_of_a_spreadsheet_is_no_name(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "small.xlsx", [HEADERS, ["#REF!", CAME, LEFT, 1], ["#1", CAME, LEFT, 1]])
    with pytest.raises(ContractBroken, match=r"'person': .* an error of a spreadsheet \(1 row: 1\)"):
        read_table(path, CONTRACT)


def test_a_row_repeated_beyond_any_sheet_is_refused_at_once(tmp_path: Path) -> None:
    bomb = ods(
        tmp_path / "small.ods",
        row(*(text(name) for name in HEADERS)),
        row(text("A"), day("2024-02-03"), day("2024-02-04"), number("7"), times=2_000_000_000),
    )
    with pytest.raises(WorkbookRefused, match="oversized"):
        read_table(bomb, CONTRACT)
