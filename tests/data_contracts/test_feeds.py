"""Every feed keeps the folder's promises: valid ODCS, exact round trip, breakable, and silent about people."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft201909Validator

from data_contracts import read
from data_contracts.odcs import SCHEMA, jsonable, load_contract, loads_contract
from data_contracts.odcs_write import dumps_contract
from data_contracts.read import FEEDS, feed_names, find_table, read_table
from data_contracts.recording_breaks import breaks_of
from data_contracts.references import check_references
from data_contracts.safe_yaml import parse_yaml, read_yaml
from data_contracts.synthetic import as_text_frame, synthesise_tables, write_tables
from data_contracts.table import Column, ContractBroken, TableContract

EXAMPLES = Path(__file__).resolve().parents[1] / "plugin_examples" / "feeds"
CANARY = "Quetzal Zorbonne"
LATEST = date(2026, 1, 1)
NAMES = feed_names()
find_contract = cache(read.find_contract)
EXPECTED = {
    "participants",
    "referrals",
    "allocation",
    "attendance",
    "offences",
    "proven_reoffending",
    "custody_spells",
    "srds_survey",
    "sdq_survey",
    "recorded_crime_force",
    "recorded_crime_csp",
    "street_crime",
    "sharp_object_admissions",
    "istv_assaults",
    "children_cautioned",
    "area_populations",
    "london_borough_monthly",
    "knife_by_force",
    "life_release_cohort",
}


def rows_of(contract: TableContract) -> pd.DataFrame:
    return synthesise_tables([contract], rows=40, rng=np.random.default_rng(7), latest=LATEST)[contract.name]


def written(contract: TableContract, cells: pd.DataFrame, folder: Path) -> Path:
    path = folder / f"{contract.name}.csv"
    cells.to_csv(path, index=False)
    return path


def broken(contract: TableContract, cells: pd.DataFrame, folder: Path) -> ContractBroken:
    with pytest.raises(ContractBroken) as caught:
        read_table(written(contract, cells, folder), contract)
    assert CANARY not in str(caught.value)
    assert CANARY not in str(caught.value.as_dict())
    assert caught.value.__context__ is None
    return caught.value


def text_cells(contract: TableContract) -> pd.DataFrame:
    return as_text_frame(rows_of(contract), contract).astype("str").fillna("")


def test_the_feeds_of_the_field_are_all_here() -> None:
    assert set(NAMES) >= EXPECTED


@pytest.mark.parametrize("name", NAMES)
def test_a_feed_is_valid_against_the_published_schema(name: str) -> None:
    import json

    validator = Draft201909Validator(json.loads(SCHEMA.read_text()))
    content = jsonable(read_yaml(FEEDS / f"{name}.odcs.yaml"))
    assert list(validator.iter_errors(content)) == []
    assert content["apiVersion"] == "v3.1.0"
    assert content["id"] == name


@pytest.mark.parametrize("name", NAMES)
def test_a_feed_survives_writing_and_reading_unchanged(name: str) -> None:
    contract = load_contract(FEEDS / f"{name}.odcs.yaml")
    text = dumps_contract(contract)
    assert loads_contract(text, name=name) == contract
    assert parse_yaml(text, name=name) == parse_yaml(
        dumps_contract(loads_contract(text, name=name)), name=name
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_feed_names_only_breaks_in_the_registry(name: str) -> None:
    contract = find_contract(name)
    assert len(breaks_of(contract.recording_breaks)) == len(contract.recording_breaks)


@pytest.mark.parametrize("name", NAMES)
def test_synthetic_rows_keep_the_feed(name: str, tmp_path: Path) -> None:
    contract = find_contract(name)
    frame = rows_of(contract)
    write_tables({name: frame}, [contract], tmp_path)
    table = read_table(find_table(tmp_path, contract), contract)
    pd.testing.assert_frame_equal(table.frame, frame, check_dtype=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_column_rule_can_be_broken_and_is_told_without_the_value(name: str, tmp_path: Path) -> None:
    contract = find_contract(name)
    trials = [
        (column_name, column.source_name or column_name, value, told)
        for column_name, column in contract.columns.items()
        for value, told in wrong_values(column, trimmed=contract.layout.trim)
    ]
    cells = text_cells(contract)
    times = len(trials) // len(cells) + 1
    cells = pd.concat([cells] * times, ignore_index=True)
    for row, (_, header, value, _) in enumerate(trials):
        cells.loc[row, header] = value
    error = broken(contract, cells, tmp_path)
    for row, (column_name, _, _, told) in enumerate(trials, start=1):
        hits = [b for b in error.breaches if b.column == column_name and told in b.rule and row in b.rows]
        assert hits, f"{column_name}: {told!r} in row {row} was not told by {error}"


def wrong_values(column: Column, *, trimmed: bool) -> list[tuple[Any, str]]:
    """(cell, part of the rule that must be told) for each promise of the column."""
    out: list[tuple[Any, str]] = []
    if column.dtype in ("integer", "number", "date", "timestamp", "boolean"):
        out.append((CANARY, "not a"))
    if column.allowed is not None and column.dtype == "string":
        out.append((CANARY, "outside the list"))
    if column.allowed is not None and column.dtype == "integer":
        out.append(("77", "outside the list"))
    if column.pattern is not None:
        out.append((CANARY, "not of the declared form"))
    if column.dtype == "string" and column.allowed is None and column.pattern is None:
        out.append((f"={CANARY}", "spreadsheet would run"))
        if not trimmed:
            out.append((f" {CANARY}", "spaces at its"))
    if isinstance(column.minimum, (int, float)):
        out.append((str(int(column.minimum) - 1), "below the minimum"))
    if isinstance(column.maximum, (int, float)):
        out.append((str(int(column.maximum) + 1), "above the maximum"))
    if column.is_year:
        out.append(("2099", "a year after "))
    if column.above is not None:
        out.append((str(int(column.above)), "not above"))
    if column.dtype == "date" and column.format == "yyyy-MM-dd":
        out += [("2099-01-01", "after "), ("1901-01-01", "below the minimum"), ("31/12/2023", "not a date")]
    if not column.nullable:
        out.append(("", "missing values"))
    return out


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_between_columns_can_be_broken_and_is_told(name: str, tmp_path: Path) -> None:
    contract = find_contract(name)
    if not contract.rules:
        return
    example = read_yaml(EXAMPLES / f"{name}.yaml")
    assert set(example["breaks"]) == {rule.name for rule in contract.rules}
    cells = text_cells(contract)
    for rule, values in example["breaks"].items():
        spoilt = cells.copy()
        for header, value in values.items():
            spoilt.loc[2, header] = value
        error = broken(contract, spoilt, tmp_path)
        assert [b.rows for b in error.breaches if rule in b.rule] == [(3,)]


@pytest.mark.parametrize("name", [n for n in NAMES if find_contract(n).key])
def test_a_repeated_key_is_told(name: str, tmp_path: Path) -> None:
    contract = find_contract(name)
    cells = text_cells(contract)
    error = broken(contract, pd.concat([cells, cells.iloc[[1]]]), tmp_path)
    assert any("repeated" in b.rule and b.rows == (2, len(cells) + 1) for b in error.breaches)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_an_extra_and_a_doubled_column_are_told(name: str, tmp_path: Path) -> None:
    contract = find_contract(name)
    cells = text_cells(contract)
    first = cells.columns[0]
    assert "not in the file" in str(broken(contract, cells.drop(columns=first), tmp_path))
    assert f"column {len(cells.columns) + 1} is not declared" in str(
        broken(contract, cells.assign(**{CANARY: "x"}), tmp_path)
    )
    doubled = pd.concat([cells, cells[[first]]], axis=1)
    assert "more than once" in str(broken(contract, doubled, tmp_path))


def test_references_between_all_feeds_lead_to_rows(tmp_path: Path) -> None:
    contracts = [find_contract(name) for name in NAMES]
    frames = synthesise_tables(contracts, rows=30, rng=np.random.default_rng(3), latest=LATEST)
    write_tables(frames, contracts, tmp_path)
    tables = {c.name: read_table(find_table(tmp_path, c), c) for c in contracts}
    check_references(tables)
    lost = tables["offences"].frame.assign(person="P99999")
    object.__setattr__(tables["offences"], "frame", lost)
    with pytest.raises(ContractBroken, match=r"no such row in participants\.person"):
        check_references(tables)


def test_the_same_seed_gives_the_same_rows_and_another_seed_does_not() -> None:
    contract = find_contract("offences")

    def made(seed: int) -> pd.DataFrame:
        return synthesise_tables([contract], rows=30, rng=np.random.default_rng(seed), latest=LATEST)[
            "offences"
        ]

    pd.testing.assert_frame_equal(made(1), made(1))
    assert not made(1).equals(made(2))


@pytest.mark.parametrize(
    ("folder", "file", "name", "rows", "columns"),
    [
        ("london_borough_monthly", "data.csv", "london_borough_monthly", 5412, 12),
        ("uk_children_cautioned", "data.csv", "children_cautioned", 242, 10),
        ("uk_knife_by_force", "annual.csv", "knife_by_force", 480, 4),
    ],
)
def test_open_data_load_unchanged(
    folder: str, file: str, name: str, rows: int, columns: int, shared_data: Any, tmp_path: Path
) -> None:
    path = shared_data(folder) / file
    table = read_table(path, find_contract(name))
    raw = pd.read_csv(path)
    assert table.frame.shape == (rows, columns) == raw.shape
    for contract_name, column in table.contract.columns.items():
        if column.dtype == "integer":
            header = column.source_name or contract_name
            np.testing.assert_array_equal(
                table.frame[contract_name].to_numpy(float), raw[header].to_numpy(float)
            )
    spoilt = raw.astype("str").where(raw.notna(), "")
    spoilt.iloc[4, spoilt.shape[1] - 1 if name != "children_cautioned" else 7] = CANARY
    assert "not a whole number (1 row: 5)" in str(broken(table.contract, spoilt, tmp_path))
