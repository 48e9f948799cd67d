"""Checking in chunks refuses what checking whole refuses, for the same reasons, whatever the chunk size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.delimited import UnreadableFile
from data_contracts.large import CheckedFile, check_file
from data_contracts.odcs import loads_contract
from data_contracts.read import CheckedTable, read_table
from data_contracts.table import Breach, ContractBroken
from small_contract import SMALL, with_layout

CONTRACT = loads_contract(SMALL, name="small")
HEADER = "person,came,left,visits\n"
GOOD = HEADER + "".join(f"P{i},03/02/2024,{'' if i % 3 else '04/02/2024'},{i}\n" for i in range(60))
BAD = {
    "a column of missing codes": HEADER + "".join(f"P{i},03/02/2024,-9,{i}\n" for i in range(60)),
    "a repeated key in two chunks": GOOD.replace("P55,", "P2,"),
    "a key in another case": GOOD.replace("P55,", "p2,"),
    "an empty column": HEADER + "".join(f"P{i},03/02/2024,,{i}\n" for i in range(60)),
    "cells of every kind": GOOD.replace("P7,03/02/2024", ",2024-02-03")
    .replace(",41\n", ",-41\n")
    .replace("P9,", "=P9,"),
    "a rule between columns": GOOD.replace("04/02/2024,30\n", "01/02/2024,30\n"),
    "a date after the extraction": GOOD.replace("P44,03/02/2024", "P44,03/02/2099"),
}


PERSON = st.sampled_from(
    ["P1", "p1", "P 1", "P2", "P3", "\uff301", "", "=P1", "-9", "P1 ", '"P4"', '"P\n5"', "P\x07"]
)
DAY = st.sampled_from(["03/02/2024", "29/02/2023", "2024-02-03", "", "-9", "01/01/2099", "04/02/2024"])
VISITS = st.sampled_from(
    ["", "7", "07", "7.0", "-1", "x", "1e3", "9007199254740993", "..", '"1,000"', "1000", "-9"]
)
TABLE = st.lists(st.tuples(PERSON, DAY, DAY, VISITS), max_size=12)
CONTRACTS = [
    CONTRACT,
    loads_contract(SMALL.replace("  - name: visits\n", "  - name: visits\n    unique: true\n"), name="small"),
    loads_contract(SMALL.replace("    unique: true\n", "").replace(
        "  - name: came\n", "  - name: came\n    primaryKey: true\n"), name="small"),
    loads_contract(with_layout(
        "{thousands: ',', marks: {'..': not available}, dropRows: {person: [P2]}, trim: true}"), name="small"),
    loads_contract(SMALL.replace("{'-9': still here}", "{'-9': still here, '04/02/2024': never came}"), name="small"),
]  # fmt: skip


def outcome(check: Callable[[], CheckedTable | CheckedFile]) -> object:
    """What a check says: breaches with their rows, or the kind of refusal, or what was read."""
    try:
        good = check()
    except ContractBroken as error:
        return error.breaches
    except UnreadableFile:
        return UnreadableFile
    return good.rows, good.left_out, good.missing, good.sha256


def told(error: ContractBroken) -> tuple[Breach, ...]:
    return error.breaches


@settings(max_examples=120, deadline=None)
@given(rows=TABLE, number=st.integers(0, len(CONTRACTS) - 1), chunk=st.integers(1, 5), parquet=st.booleans())
def test_any_table_is_told_alike_whole_and_in_chunks(
    rows: list[tuple[str, str, str, str]], number: int, chunk: int, parquet: bool
) -> None:
    contract = CONTRACTS[number]
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"small{'.parquet' if parquet else '.csv'}"
        if parquet:
            names = HEADER.strip().split(",")
            pd.DataFrame(
                [[c.strip('"') for c in row] for row in rows], columns=names, dtype="str"
            ).to_parquet(path)
        else:
            path.write_text(HEADER + "".join(",".join(row) + "\n" for row in rows))
        whole = outcome(lambda: read_table(path, contract))
        assert outcome(lambda: check_file(path, contract, chunk_rows=chunk)) == whole


@pytest.mark.parametrize(
    "header",
    ["person,came,left,visits,visits", "person , came,left,visits", '"person",came,left,"vis\nits"',
     "person,came,left", "visits,left,came,person", "person,came,left,visits,,", "Person,came,left,visits"],
)  # fmt: skip
def test_any_header_is_told_alike(header: str, tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    cells = len(header.replace("vis\nits", "visits").split(","))
    path.write_text(header + "\n" + ",".join(["P1", "03/02/2024", "", "-7", "8", "9"][:cells]) + "\n")
    assert outcome(lambda: check_file(path, CONTRACT)) == outcome(lambda: read_table(path, CONTRACT))


@pytest.mark.parametrize("name", ["small[1].csv", "small*.csv", "small?.csv", "it's.csv"])
def test_the_file_that_is_named_is_the_file_that_is_checked(name: str, tmp_path: Path) -> None:
    """duckdb would take `small[1].csv` for small1.csv, and `small*.csv` for all of them."""
    (tmp_path / name).write_text(GOOD)
    for other in ("small1.csv", "small2.csv"):
        (tmp_path / other).write_text(HEADER + "Zorbonne,2024,,\n")
    assert check_file(tmp_path / name, CONTRACT).rows == 60


def test_a_key_of_another_type_is_told_and_not_a_failure_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "small.parquet"
    frame = read_from(GOOD, tmp_path)
    for wrong in ([b"P"] * 60, list(range(60)), [{"a": 1}] * 60):
        frame.assign(person=pd.Series(wrong, dtype="object")).to_parquet(path)
        with pytest.raises(ContractBroken, match="not text"):
            check_file(path, CONTRACT)


@pytest.mark.parametrize("chunk", [7, 59, 60, 1000])
def test_a_good_file_is_good_in_any_chunks(chunk: int, tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text(GOOD)
    checked = check_file(path, CONTRACT, chunk_rows=chunk)
    assert checked.rows == 60
    assert checked.sha256 == read_table(path, CONTRACT).sha256


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("chunk", [7, 1000])
def test_both_paths_tell_the_same(name: str, chunk: int, tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text(BAD[name])
    with pytest.raises(ContractBroken) as whole:
        read_table(path, CONTRACT)
    with pytest.raises(ContractBroken) as chunked:
        check_file(path, CONTRACT, chunk_rows=chunk)
    assert told(chunked.value) == told(whole.value)


def test_marks_and_thousands_in_chunks(tmp_path: Path) -> None:
    contract = loads_contract(with_layout("{thousands: ',', marks: {'..': not available}}"), name="small")
    path = tmp_path / "small.csv"
    path.write_text(GOOD.replace(",41\n", ',"1,041"\n').replace(",42\n", ",..\n"))
    assert check_file(path, contract, chunk_rows=9).rows == read_table(path, contract).rows == 60


def test_rows_are_told_by_their_place_in_the_file(tmp_path: Path) -> None:
    contract = loads_contract(with_layout("{dropRows: {person: [P1, P2]}}"), name="small")
    path = tmp_path / "small.csv"
    path.write_text(GOOD.replace(",9\n", ",-9\n"))
    with pytest.raises(ContractBroken, match=r"below the minimum 0 \(1 row: 10\)"):
        read_table(path, contract)


def test_parquet_in_chunks(tmp_path: Path) -> None:
    frame = read_from(GOOD, tmp_path)
    frame.to_parquet(tmp_path / "small.parquet")
    assert check_file(tmp_path / "small.parquet", CONTRACT, chunk_rows=11).rows == 60
    frame.assign(visits=-1.0).to_parquet(tmp_path / "small.parquet")
    with pytest.raises(ContractBroken, match=r"60 rows: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, \.\.\."):
        check_file(tmp_path / "small.parquet", CONTRACT, chunk_rows=11)


def test_a_layout_and_a_workbook_are_not_for_chunks(tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text(GOOD)
    with pytest.raises(UnreadableFile, match="cannot be checked in chunks"):
        check_file(path, loads_contract(with_layout("{headerRow: 3}"), name="small"))


@pytest.mark.parametrize("text", [GOOD + "P99,03/02/2024,,7,Zorbonne,9\n", HEADER, "Zorbonne\n1\n"])
def test_a_broken_file_is_refused_without_its_cells(text: str, tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text(text)
    with pytest.raises((ContractBroken, UnreadableFile)) as caught:
        check_file(path, CONTRACT)
    assert "Zorbonne" not in str(caught.value)
    assert caught.value.__context__ is None


def read_from(text: str, folder: Path) -> pd.DataFrame:
    path = folder / "small.csv"
    path.write_text(text)
    return read_table(path, CONTRACT).frame
