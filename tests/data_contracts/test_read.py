"""Files as they come: encodings, layouts, workbooks, dates; and files that are not what they say."""

from __future__ import annotations

import os
import pickle
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from data_contracts.large import check_file
from data_contracts.odcs import loads_contract
from data_contracts.odcs_write import dumps_contract
from data_contracts.read import CheckedTable, find_contract, find_table, read_table
from data_contracts.refusal import Refusal
from data_contracts.table import ContractBroken, TableContract
from small_contract import SMALL, with_layout

HEADER = "person,came,left,visits\n"
ROWS = "Åsa,03/02/2024,04/02/2024,7\nBen,05/02/2024,-9,\nCleo,29/02/2024,,12\n"


@pytest.fixture(scope="module")
def small() -> TableContract:
    return loads_contract(SMALL, name="small")


def contract_with(layout: str) -> TableContract:
    return loads_contract(with_layout(layout), name="small")


def read(
    folder: Path, content: str | bytes, contract: TableContract, name: str = "small.csv"
) -> CheckedTable:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, contract)


def check_rows(table: CheckedTable) -> None:
    assert table.frame["person"].tolist() == ["Åsa", "Ben", "Cleo"]
    assert table.frame["came"].dt.strftime("%Y-%m-%d").tolist() == ["2024-02-03", "2024-02-05", "2024-02-29"]
    assert table.frame["left"].isna().tolist() == [False, True, True]
    np.testing.assert_array_equal(table.frame["visits"], [7, np.nan, 12])
    assert table.missing == {"left": {"still here": 1}}
    assert table.rows == 3


@pytest.mark.parametrize(
    ("layout", "encoded"),
    [
        ("{}", (HEADER + ROWS).encode()),
        ("{}", b"\xef\xbb\xbf" + (HEADER + ROWS).encode()),
        ("{}", (HEADER + ROWS).replace("\n", "\r\n").encode()),
        ("{encoding: cp1252}", (HEADER + ROWS).encode("cp1252")),
        ("{encoding: utf-16}", (HEADER + ROWS).encode("utf-16")),
        ("{delimiter: ';'}", (HEADER + ROWS).replace(",", ";").encode()),
    ],
)
def test_encodings_and_delimiters_as_declared(layout: str, encoded: bytes, tmp_path: Path) -> None:
    table = read(tmp_path, encoded, contract_with(layout))
    check_rows(table)
    assert len(table.sha256) == 64


def test_a_published_layout_is_read_as_declared(tmp_path: Path) -> None:
    layout = (
        "{headerRow: 3, footnotes: '\\[note \\d+\\]', marks: {'..': not available, '[c]': withheld}, thousands: ',', "
        "stopAtBlank: true, trim: true, dropRows: {person: [Total]}, ignore: [Remarks]}"
    )
    text = (
        "Table 1: visits\n,\nperson,came [note 2],left,visits,Remarks\n"
        'Åsa,03/02/2024,04/02/2024,"1,234",x\n Ben ,05/02/2024,..,[c],x\n'
        "Total,05/02/2024,,9,x\nCleo,29/02/2024,,12 [note 1],x\n,,,,\nSource: nobody in particular,,,,\n"
    )
    table = read(tmp_path, text, contract_with(layout))
    assert table.frame["person"].tolist() == ["Åsa", "Ben", "Cleo"]
    np.testing.assert_array_equal(table.frame["visits"], [1234, np.nan, 12])
    assert table.missing == {"left": {"not available": 1}, "visits": {"withheld": 1}}
    assert table.left_out == 1


def test_marks_and_thousands_are_never_guessed(small: TableContract, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match=r"visits': not a whole number \(2 rows: 1, 2\)"):
        read(tmp_path, HEADER + 'Åsa,03/02/2024,,"1,234"\nBen,05/02/2024,,..\n', small)


def test_a_thousands_separator_in_the_wrong_place_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="visits': not a whole number"):
        read(tmp_path, HEADER + 'Åsa,03/02/2024,,"12,34"\n', contract_with("{thousands: ','}"))


@pytest.mark.parametrize("form", ["xlsx", "ods", "parquet"])
def test_workbooks_and_parquet_give_the_rows_of_the_csv(
    form: str, small: TableContract, tmp_path: Path
) -> None:
    path = tmp_path / f"small.{form}"
    if form == "parquet":
        frame = pd.DataFrame(
            {
                "person": ["Åsa", "Ben", "Cleo"],
                "came": pd.to_datetime(["2024-02-03", "2024-02-05", "2024-02-29"]),
                "left": pd.to_datetime(["2024-02-04", None, None]),
                "visits": pd.array([7, None, 12], dtype="Int64"),
            }
        )
        frame.to_parquet(path)
        table = read_table(path, small)
        assert table.frame["came"].dt.day.tolist() == [3, 5, 29]
        np.testing.assert_array_equal(table.frame["visits"], [7, np.nan, 12])
        return
    cells = pd.DataFrame([line.split(",") for line in ROWS.splitlines()], columns=HEADER.strip().split(","))
    cells["visits"] = pd.to_numeric(cells["visits"])
    cells.to_excel(path, index=False, engine="odf" if form == "ods" else "openpyxl")
    check_rows(read_table(path, small))


def test_sheets_are_read_one_below_the_other(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "small.xlsx") as book:
        for sheet, line in (
            ("2023-24", "Åsa,03/02/2024,04/02/2024,7"),
            ("2024-25", "Ben,05/02/2024,,8"),
            ("Notes", "x,x,x,x"),
        ):
            pd.DataFrame([line.split(",")], columns=HEADER.strip().split(",")).to_excel(
                book, sheet_name=sheet, index=False
            )
    table = read_table(tmp_path / "small.xlsx", contract_with("{sheets: ['20*']}"))
    assert table.frame["person"].tolist() == ["Åsa", "Ben"]
    with pytest.raises(Refusal, match="3 sheets"):
        read_table(tmp_path / "small.xlsx", contract_with("{}"))


@pytest.mark.parametrize(
    "day", ["2024-02-03", "02/31/2024", "31/02/2024", "3/2/2024", "03/02/24", "45325", "02-03-2024"]
)
def test_a_date_in_another_order_or_form_is_told(day: str, small: TableContract, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match=r"came': not a date as dd/MM/yyyy \(1 row: 2\)"):
        read(tmp_path, HEADER + f"Åsa,03/02/2024,,7\nBen,{day},,8\n", small)


def test_a_date_after_the_extraction_is_told(small: TableContract, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match=r"came': after 2026-01-31 \(2 rows: 1, 3\)"):
        read(tmp_path, HEADER + "Åsa,01/02/2026,,7\nBen,31/01/2026,,7\nCleo,01/01/2099,,8\n", small)


@pytest.mark.parametrize(("year", "kept"), [("2026", True), ("2027", True), ("2028", False), ("2099", False)])
def test_a_year_may_be_named_by_its_end_and_no_later(year: str, kept: bool, tmp_path: Path) -> None:
    """Extracted on 31 January 2026: the year ending March 2027 may have begun, no later one has."""
    contract = loads_contract(
        SMALL.replace("value: magnitude}", "value: magnitude}\n    - {property: isYear, value: true}"),
        name="small",
    )
    content = HEADER + f"Åsa,01/01/2026,,2024\nBen,01/01/2026,05/01/2026,{year}\n"
    if kept:
        assert read(tmp_path, content, contract).rows == 2
        return
    with pytest.raises(ContractBroken, match=r"visits': a year after 2027 \(1 row: 2\)"):
        read(tmp_path, content, contract)
    with pytest.raises(ContractBroken, match=r"visits': a year after 2027 \(1 row: 2\)"):
        check_file(tmp_path / "small.csv", contract)


def test_a_table_without_rows_is_let_pass_only_where_nobody_is_an_answer(tmp_path: Path) -> None:
    """Read whole and in chunks; the types are those of the contract, so that nothing later stumbles."""
    for name, kept in (("custody_spells", True), ("offences", False)):
        contract = find_contract(name)
        path = tmp_path / f"{name}.csv"
        path.write_text(",".join(contract.columns) + "\n")
        if kept:
            table = read_table(path, contract)
            assert table.rows == 0 and str(table.frame["entered"].dtype).startswith("datetime64")
            check_file(path, contract)
            continue
        for how in (read_table, check_file):
            with pytest.raises(ContractBroken, match="no rows"):
                how(path, contract)


def test_a_cell_that_could_not_be_read_breaks_no_rule_between_columns(tmp_path: Path) -> None:
    """One wrong form of a date is told once; a rule is told for the rows that do break it."""
    contract = find_contract("offences")
    header = ",".join(contract.columns)
    rows = [
        "O1,P001,2024-02-01,8N,youth_caution,01/03/2024,0,0",  # unread: the caution has its date, in another form
        "O2,P002,2024-02-01,8N,youth_caution,,0,0",  # the caution has no date
        "O3,P003,2024-02-01,8N,pending,,0,0",
    ]
    path = tmp_path / "offences.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    for how in (read_table, check_file):
        with pytest.raises(ContractBroken) as broken:
            how(path, contract)
        told = {(b.column, b.rule): b.rows for b in broken.value.breaches}
        assert told["disposal_date", "not a date as yyyy-MM-dd"] == (1,)
        rule = "rule broken: a decided case has the date of its decision"
        assert [rows for (_, said), rows in told.items() if said == rule] == [(2,)]


def test_a_delivery_may_say_from_which_day_its_rows_begin(small: TableContract, tmp_path: Path) -> None:
    (tmp_path / "small.vintage.yaml").write_text(
        "provisional: false\nextracted: 2026-01-31\nbegins: 2020-04-01\n"
    )
    assert read(tmp_path, HEADER + ROWS, small).begins == date(2020, 4, 1)
    (tmp_path / "small.vintage.yaml").unlink()
    assert read(tmp_path, HEADER + ROWS, small).begins is None
    dated = SMALL.replace("extracted: '2026-01-31'", "extracted: '2026-01-31', begins: '2020-04-01'")
    contract = loads_contract(dated, name="small")
    assert contract.vintage.begins == date(2020, 4, 1)
    assert loads_contract(dumps_contract(contract), name="small") == contract


def test_a_delivery_says_its_own_vintage(small: TableContract, tmp_path: Path) -> None:
    (tmp_path / "small.vintage.yaml").write_text("provisional: true\nextracted: 2026-02-28\n")
    table = read(tmp_path, HEADER + "Åsa,01/02/2026,,7\nBen,31/01/2026,05/02/2026,8\n", small)
    assert (table.provisional, table.extracted.isoformat() if table.extracted else None) == (
        True,
        "2026-02-28",
    )


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("small.vintage.yaml", "provisional: true\nextracted: 2099-02-28\n", "the year 2099"),
        ("small.vintage.yaml", "provisional: true\nextracted: 2026-02-30\n", "line 2"),
        ("small.vintage.yaml", "provisional: yes\nfinal: no\n", "2 entries to correct"),
        ("small.vintage.yml", "provisional: true\n", "a vintage under another name"),
        ("small.vintage.yaml", "person,came,left,visits Quetzal", "found text; expected a block"),
    ],
)
def test_a_vintage_that_would_be_passed_over_is_refused(
    name: str, content: str, told: str, small: TableContract, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(Refusal, match=told) as caught:
        read(tmp_path, HEADER + "Åsa,01/02/2026,04/02/2026,7\n", small)
    assert "Quetzal" not in str(caught.value)


@pytest.mark.parametrize("name", ["Small.csv", "small_2026-11 Quetzal.csv", "SMALL.xlsx"])
def test_a_file_whose_name_begins_alike_is_hinted_at_and_its_name_is_not_said(
    name: str, small: TableContract, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(HEADER)
    with pytest.raises(Refusal, match=r"name it exactly small\.(csv|xlsx)") as refused:
        find_table(tmp_path, small)
    assert "Quetzal" not in str(refused.value)


def test_a_vintage_does_not_lead_out_of_the_folder(small: TableContract, tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere.yaml"
    data.mkdir()
    elsewhere.write_text("provisional: false\n")
    (data / "small.vintage.yaml").symlink_to(elsewhere)
    with pytest.raises(Refusal, match="leads out of the data folder"):
        read(data, HEADER + ROWS, small)
    (data / "small.vintage.yaml").unlink()
    (data / "small.vintage.yaml").mkdir()
    with pytest.raises(Refusal, match="found no file"):
        read(data, HEADER + ROWS, small)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("", "no rows"),
        ("Åsa,03/02/2024,,7\nÅSA,03/02/2024,,8\n", "repeated with different case or spaces (2 rows: 1, 2)"),
        ("Åsa,03/02/2024,,7\nÅsa,03/02/2024,,8\n", "a value repeated"),
        ("Åsa,03/02/2024,,\nBen,03/02/2024,,\n", "column 'visits': no value in any row"),
        ("=1+1,03/02/2024,,7\n", "spreadsheet would run as a formula"),
        ("@SUM(A1),03/02/2024,,7\n", "spreadsheet would run as a formula"),
        ("-cmd|x,03/02/2024,,7\n", "spreadsheet would run as a formula"),
        ("-2+3+cmd|' /C calc'!A0,03/02/2024,,7\n", "spreadsheet would run as a formula"),
        ("+1+HYPERLINK(A1),03/02/2024,,7\n", "spreadsheet would run as a formula"),
        ("\uff1d1+1,03/02/2024,,7\n", "spreadsheet would run as a formula"),
        ("Å\x07sa,03/02/2024,,7\n", "control or lost characters"),
        ("\ufffdsa,03/02/2024,,7\n", "control or lost characters"),
        ("Åsa,03/02/2024,,7\nＡ\u030aｓａ,03/02/2024,,8\n", "different case or spaces (2 rows: 1, 2)"),
        ("Åsa,03/02/2024,,9007199254740993\n", "not a whole number"),
        ("Åsa,03/02/2024,,7.5\n", "not a whole number"),
        ("Åsa,03/02/2024,,1e3\n", "not a whole number"),
        ("Åsa,03/02/2024,,inf\n", "not a whole number"),
        ("Åsa,03/02/2024,,٣\n", "not a whole number"),
        ("Åsa,03/02/2024,,-1\n", "below the minimum 0"),
        ("Åsa,03/02/2024,02/02/2024,1\n", "the end is not before the start"),
    ],
)
def test_what_breaks_the_contract_is_told(rows: str, told: str, small: TableContract, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken) as caught:
        read(tmp_path, HEADER + rows, small)
    assert told in str(caught.value)


def test_every_breach_is_told_at_once(small: TableContract, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken) as caught:
        read(tmp_path, HEADER + "Åsa,03/02/2024,02/02/2024,x\nÅsa,99/99/9999,,-3\n,03/02/2024,,4\n", small)
    told = {(b.column, b.count) for b in caught.value.breaches}
    assert told == {("person", 2), ("person", 1), ("came", 1), ("visits", 1), ("", 1)}


def test_a_missing_column_hides_no_other_breach(small: TableContract, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken) as caught:
        read(tmp_path, "came,left,visits,other\n03/02/2024,02/02/2024,-1\n".replace("-1", "-1,x"), small)
    told = {(b.column, b.rule.partition(":")[0]) for b in caught.value.breaches}
    assert told == {
        ("", "column 4 is not declared"),
        ("person", "the column is not in the file"),
        ("visits", "below the minimum 0"),
        ("", "rule broken"),
    }


def test_more_than_ten_rows_are_counted_and_ten_are_named(small: TableContract, tmp_path: Path) -> None:
    rows = "".join(f"P{i},03/02/2024,,-1\n" for i in range(25))
    with pytest.raises(ContractBroken, match=r"25 rows: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, \.\.\."):
        read(tmp_path, HEADER + rows, small)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("small.csv", b"", "an empty file"),
        ("small.csv", bytes(range(256)), "a binary file"),
        ("small.csv", b"PAR1 and so on", "under the name of a CSV"),
        ("small.csv", (HEADER + ROWS).encode("cp1252"), "not utf-8 text"),
        ("small.csv", (HEADER + ROWS).encode("utf-16"), "UTF-16 text"),
        (
            "small.csv",
            (HEADER + ROWS).replace(",", ";").encode(),
            "separated by ';'; expected columns separated by ','",
        ),
        ("small.csv", (HEADER + ROWS).replace(",", "\t").encode(), "separated by a tab"),
        ("small.csv", (HEADER + "Åsa,03/02/2024,,7,8\n").encode(), "more or fewer cells"),
        ("small.csv", (HEADER + "Åsa,03/02/2024\n").encode(), "more or fewer cells"),
        ("small.parquet", pickle.dumps({"a": 1}) + b" " * 20, "not Parquet"),
        ("small.parquet", b"PAR1" + b"\0" * 40 + b"PAR1", "a damaged Parquet file"),
        ("small.parquet", b"PAR1" + b"x" * 40, "not Parquet"),
        ("small.xlsx", b"PK\x03\x04 nonsense", "a damaged or oversized workbook"),
        ("small.ods", b"not a workbook", "not a spreadsheet"),
        ("small.pkl", pickle.dumps([1]), "a file ending in '.pkl'"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    name: str, content: bytes, told: str, small: TableContract, tmp_path: Path
) -> None:
    with pytest.raises(Refusal) as caught:
        read(tmp_path, content, small, name)
    assert told in str(caught.value)
    assert "Åsa" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_a_file_in_utf8_is_not_read_as_an_older_encoding(encoding: str, tmp_path: Path) -> None:
    """Any bytes are some text in cp1252: Åsa would become two other letters, and match nobody."""
    contract = contract_with(f"{{encoding: {encoding}}}")
    with pytest.raises(Refusal, match=f"found UTF-8 text; expected {encoding} text"):
        read(tmp_path, HEADER + ROWS, contract)
    check_rows(read(tmp_path, (HEADER + ROWS).encode(encoding), contract))


def test_a_row_of_another_length_is_not_lost_above_the_notes(tmp_path: Path) -> None:
    contract = contract_with("{stopAtBlank: true}")
    for notes in ("\nSource: nobody\n", ",,,\nSource: nobody\n", "\nSource, of, four, cells\n", ""):
        check_rows(read(tmp_path, HEADER + ROWS + notes, contract))
        with pytest.raises(Refusal, match=r"1 row with more or fewer cells than the header \(row 4\)"):
            read(tmp_path, HEADER + ROWS + "Dee,03/02/2024,,7,8\n" + notes, contract)


def test_a_point_is_no_decimal_comma(tmp_path: Path) -> None:
    """1.234 under `decimal: ','` may be 1234: it is not for the software to guess."""
    text = with_layout("{delimiter: ';', decimal: ','}", SMALL.replace("Type: integer", "Type: number"))
    contract = loads_contract(text, name="small")
    rows = "person;came;left;visits\nÅsa;03/02/2024;04/02/2024;1,5\n"
    assert read(tmp_path, rows, contract).frame["visits"].tolist() == [1.5]
    with pytest.raises(ContractBroken, match=r"visits': not a number \(1 row: 1\)"):
        read(tmp_path, rows.replace("1,5", "1.234"), contract)


def test_a_number_beyond_all_numbers_is_none(tmp_path: Path) -> None:
    contract = loads_contract(SMALL.replace("logicalType: integer", "logicalType: number"), name="small")
    with pytest.raises(ContractBroken, match=r"visits': not a number \(1 row: 1\)"):
        read(tmp_path, HEADER + "Åsa,03/02/2024,04/02/2024,1e400\n", contract)


def test_an_event_table_tells_one_person_under_two_cases(tmp_path: Path) -> None:
    text = SMALL.replace("    unique: true\n", "").replace(
        "  - name: came\n", "  - name: came\n    primaryKey: true\n"
    )
    contract = loads_contract(text, name="small")
    rows = "ben,03/02/2024,04/02/2024,7\nben,05/02/2024,,7\nBen,06/02/2024,,7\nCleo,06/02/2024,,7\n"
    with pytest.raises(
        ContractBroken, match=r"'person': one name in different case or spaces \(3 rows: 1, 2, 3\)"
    ):
        read(tmp_path, HEADER + rows, contract)


def test_keys_with_a_missing_part_are_not_repeated(tmp_path: Path) -> None:
    text = SMALL.replace("    unique: true\n", "").replace(
        "  - name: came\n", "  - name: came\n    primaryKey: true\n"
    )
    with pytest.raises(ContractBroken) as caught:
        read(
            tmp_path,
            HEADER + ",03/02/2024,04/02/2024,7\n,03/02/2024,,7\n",
            loads_contract(text, name="small"),
        )
    assert [(b.column, b.count) for b in caught.value.breaches] == [("person", 2)]


def test_codes_for_missing_count_in_typed_files_too(tmp_path: Path) -> None:
    text = SMALL.replace("{minimum: 0}", "{minimum: -20}").replace(
        "    - {property: unit, value: visits}\n",
        "    - {property: unit, value: visits}\n    - {property: missingCodes, value: {'-9': refused}}\n",
    )
    text = text.replace("{'-9': still here}", "{'01/01/1900': still here}")
    frame = pd.DataFrame(
        {
            "person": ["Åsa", "Ben"],
            "came": pd.to_datetime(["2024-02-03", "2024-02-05"]),
            "left": pd.to_datetime(["2024-02-04", "1900-01-01"]),
            "visits": [-9, 8],
        }
    )
    frame.to_parquet(tmp_path / "small.parquet")
    table = read_table(tmp_path / "small.parquet", loads_contract(text, name="small"))
    np.testing.assert_array_equal(table.frame["visits"], [np.nan, 8])
    assert table.frame["left"].isna().tolist() == [False, True]
    assert table.missing == {"left": {"still here": 1}, "visits": {"refused": 1}}


def test_parquet_categories_decimals_and_gaps_in_booleans_are_read(tmp_path: Path) -> None:
    columns = {
        "person": pa.array(["Åsa", "Ben"]).dictionary_encode(),
        "came": pa.array([date(2024, 2, 3), date(2024, 2, 5)]),
        "left": pa.array([date(2024, 2, 4), None]),
    }
    path = tmp_path / "small.parquet"
    pa.parquet.write_table(
        pa.table({**columns, "visits": pa.array([Decimal(7), None], pa.decimal128(9, 2))}), path
    )
    np.testing.assert_array_equal(read_table(path, contract_with("{}")).frame["visits"], [7, np.nan])
    text = SMALL.replace("logicalType: integer", "logicalType: boolean").replace(
        "    logicalTypeOptions: {minimum: 0}\n", ""
    )
    pa.parquet.write_table(pa.table({**columns, "visits": pa.array([True, None])}), path)
    np.testing.assert_array_equal(
        read_table(path, loads_contract(text, name="small")).frame["visits"], [1, np.nan]
    )


def test_whole_numbers_that_would_lose_a_digit_are_told(small: TableContract, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"person": ["Åsa"], "came": pd.to_datetime(["2024-02-03"]), "left": pd.to_datetime(["2024-02-04"])}
    )
    for big in (2**53 + 1, 2**64 - 1):
        frame.assign(visits=pd.Series([big], dtype="uint64")).to_parquet(tmp_path / "small.parquet")
        with pytest.raises(ContractBroken, match="visits': not a whole number"):
            read_table(tmp_path / "small.parquet", small)


def test_a_header_twice_in_parquet_is_told(small: TableContract, tmp_path: Path) -> None:
    table = pa.table(
        [["Åsa"], ["Ben"], ["x"], ["y"], ["z"]], names=["person", "came", "left", "visits", "visits"]
    )
    pa.parquet.write_table(table, tmp_path / "small.parquet")
    with pytest.raises(ContractBroken, match="'visits': the column stands in the file more than once"):
        read_table(tmp_path / "small.parquet", small)


def test_a_folder_of_partitions_adds_no_column(small: TableContract, tmp_path: Path) -> None:
    folder = tmp_path / "visits=3"
    folder.mkdir()
    pa.parquet.write_table(
        pa.table({"person": ["Åsa"], "came": ["03/02/2024"], "left": ["04/02/2024"]}),
        folder / "small.parquet",
    )
    with pytest.raises(ContractBroken, match="'visits': the column is not in the file"):
        read_table(folder / "small.parquet", small)


def test_columns_without_a_header_are_told_as_such(small: TableContract, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="column 5 is not declared and has no header"):
        read(tmp_path, "person,came,left,visits,\nÅsa,03/02/2024,04/02/2024,7,\n", small)


def test_the_ending_of_a_file_may_be_in_capitals(small: TableContract, tmp_path: Path) -> None:
    (tmp_path / "small.CSV").write_text(HEADER + ROWS)
    assert find_table(tmp_path, small).name == "small.CSV"


def test_a_file_without_a_header_row_shows_nobody(small: TableContract, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken) as caught:
        read(tmp_path, ROWS, small)
    assert "column 1 is not declared" in str(caught.value)
    assert "Åsa" not in str(caught.value)


def test_a_header_over_two_lines_is_one_header(tmp_path: Path) -> None:
    text = SMALL.replace("name: visits\n", "name: visits\n    physicalName: Number of visits\n")
    contract = loads_contract(text, name="small")
    content = 'person,came,left,"Number of\nvisits"\n' + ROWS
    check_rows(read(tmp_path, content, contract))
    with pytest.raises(Refusal, match=r"more or fewer cells than the header \(row 4\)"):
        read(tmp_path, content + "Dee,1\n", contract)


def test_a_misspelt_header_is_named_by_its_nearest(small: TableContract, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match=r"column 4 is not declared \(nearest declared: 'visits'\)"):
        read(tmp_path, "person,came,left,Visit\nÅsa,03/02/2024,,7\n", small)


@pytest.mark.parametrize("dtype", ["float", "text", "date with a time", "zone"])
def test_parquet_of_another_type_is_told(dtype: str, small: TableContract, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "person": ["Åsa", "Ben"],
            "came": pd.to_datetime(["2024-02-03", "2024-02-05"]),
            "left": pd.to_datetime(["2024-02-04", None]),
            "visits": [7, 8],
        }
    )
    spoilt: dict[str, tuple[str, Any]] = {
        "float": ("visits", [7.5, 8.0]),
        "text": ("visits", ["seven", "8"]),
        "date with a time": ("came", pd.to_datetime(["2024-02-03 12:00", "2024-02-05 00:00"])),
        "zone": ("came", pd.to_datetime(["2024-02-03", "2024-02-05"]).tz_localize("Europe/London")),
    }
    column, values = spoilt[dtype]
    frame.assign(**{column: values}).to_parquet(tmp_path / "small.parquet")
    with pytest.raises(ContractBroken, match=rf"column '{column}': not a"):
        read_table(tmp_path / "small.parquet", small)


@pytest.mark.parametrize("name", ["../small", "/etc/passwd", "small/../../x", "Small", "small.csv", ""])
def test_a_name_that_is_a_path_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="characters that no table has"):
        find_contract(name)


def test_a_link_out_of_the_data_folder_is_refused(small: TableContract, tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere.csv"
    data.mkdir()
    elsewhere.write_text(HEADER + ROWS)
    (data / "small.csv").symlink_to(elsewhere)
    with pytest.raises(Refusal, match="leads out of the data folder"):
        find_table(data, small)


def test_two_files_for_one_table_are_refused(small: TableContract, tmp_path: Path) -> None:
    (tmp_path / "small.csv").write_text(HEADER + ROWS)
    assert find_table(tmp_path, small).name == "small.csv"
    (tmp_path / "small.parquet").write_bytes(b"")
    with pytest.raises(Refusal, match="2 files"):
        find_table(tmp_path, small)


def test_a_contract_beside_the_study_comes_before_the_feed(tmp_path: Path) -> None:
    (tmp_path / "offences.odcs.yaml").write_text(SMALL.replace("name: small", "name: offences"))
    assert find_contract("offences", tmp_path).title == "A small table"
    assert find_contract("offences").title != "A small table"
    (tmp_path / "referrals.odcs.yaml").write_text(SMALL)
    with pytest.raises(Refusal, match="a contract for 'small'"):
        find_contract("referrals", tmp_path)


def test_an_unknown_contract_gets_the_nearest_name() -> None:
    with pytest.raises(Refusal, match="Did you mean 'offences'"):
        find_contract("ofences")


def test_one_child_under_two_spellings_of_a_pnc_number_is_told(tmp_path: Path) -> None:
    text = SMALL.replace(
        "- {property: unit, value: pseudonym}",
        "- {property: unit, value: pseudonym}\n    - {property: identifier, value: pnc}",
    )
    text = text.replace("quasi_identifier", "direct_identifier").replace(
        "value: count_unit", "value: never_published"
    )
    contract = loads_contract(text, name="small")
    good = "01/0012345{}".format("ZABCDEFGHJKLMNPQRTUVWXY"[(1 * 10**7 + 12345) % 23])
    other = good.replace("01/00", "2001/")
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    with pytest.raises(ContractBroken) as caught:
        read(
            tmp_path,
            HEADER + f"{good},03/02/2024,,1\n{other},03/02/2024,,2\n{wrong},03/02/2024,,3\n",
            contract,
        )
    assert "one PNC number under two spellings (2 rows: 1, 2)" in str(caught.value)
    assert "not a valid PNC number (1 row: 3)" in str(caught.value)
    assert "12345" not in str(caught.value)


def test_what_is_no_file_is_refused_before_it_is_opened(small: TableContract, tmp_path: Path) -> None:
    """A named pipe would never end."""
    os.mkfifo(tmp_path / "small.csv")
    (tmp_path / "other.csv").mkdir()
    for path in (tmp_path / "small.csv", tmp_path / "other.csv", Path("/"), Path("..")):
        for check in (read_table, check_file):
            with pytest.raises(Refusal, match="no file"):
                check(path, small)
