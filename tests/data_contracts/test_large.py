"""Checking in chunks refuses what checking whole refuses, for the same reasons, whatever the chunk size."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from data_contracts.files import UnreadableFile
from data_contracts.large import check_file
from data_contracts.odcs import loads_contract
from data_contracts.read import read_table
from data_contracts.table import ContractBroken
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


def told(error: ContractBroken, *, rows: bool = True) -> set[tuple[object, ...]]:
    whole = ("repeated", "no value")
    return {
        (b.column, b.rule, b.count, b.rows if rows and not any(w in b.rule for w in whole) else ())
        for b in error.breaches
    }


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
