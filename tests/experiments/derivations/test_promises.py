"""Every derivation is held to its folder's promises the day its file lands.

Each has an example in `tests/plugin_examples/derivations/`, worked out by hand; one without it fails here.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from data_contracts.catalogue import find, names
from data_contracts.read import CheckedTable
from data_contracts.table import TableContract
from derivation_examples import Example, example
from evaluation.plan import make_plan
from experiments.derivation import ROSTER, Derivation, Rows
from experiments.load import dump, loads
from experiments.protocol import ProtocolRefused

DERIVATIONS = names("experiments.derivations")
every = pytest.mark.parametrize("name", DERIVATIONS)


def changed(rows: Rows, change: Callable[[str, pd.DataFrame], pd.DataFrame]) -> Rows:
    """The same with every frame changed by a function of (table or `ROSTER`, frame)."""

    def table(key: str, item: CheckedTable) -> CheckedTable:
        return replace(item, frame=change(key, item.frame))

    tables = {key: table(key, item) for key, item in rows.tables.items()}
    own = next(key for key, item in rows.tables.items() if item is rows.table)
    return replace(rows, units=change(ROSTER, rows.units), tables=tables, table=tables[own])


def made(this: Example, rows: Rows | None = None) -> pd.DataFrame:
    return this.derivation.derive(rows or this.rows, None)


def needed(this: Example) -> set[tuple[str, str]]:
    """(table or `ROSTER`, column) of all that the derivation says it reads."""
    own = this.rows.table.contract.name
    out = set()
    for need in this.derivation.needs(own):
        if need.begins:
            columns = this.contracts[need.table].columns
            out |= {(need.table, name) for name in columns if name.startswith(need.column)}
        else:
            out.add((need.table, need.column))
    return out


def without(contract: TableContract, *columns: str) -> TableContract:
    return replace(contract, columns={k: v for k, v in contract.columns.items() if k not in columns})


@every
def test_a_derivation_is_frozen_choices_with_a_source(name: str) -> None:
    cls = find("experiments.derivations", name)
    assert is_dataclass(cls) and issubclass(cls, Derivation)
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "Reference:" in (inspect.getdoc(importlib.import_module(cls.__module__)) or "")
    assert cls.makes and all(cls.makes.values())
    assert example(name).derivation.method == name


@every
def test_a_derivation_gives_what_was_worked_out_by_hand(name: str) -> None:
    this = example(name)
    answers = made(this)
    assert len(this.expected.columns) >= min(2, len(answers.columns))
    assert_frame_equal(answers[list(this.expected.columns)], this.expected, check_exact=True)


@every
def test_a_derivation_makes_its_columns_for_every_unit_in_order(name: str) -> None:
    this = example(name)
    answers = made(this)
    assert tuple(answers.columns) == this.derivation.columns
    assert set(this.derivation.columns) <= set(this.derivation.makes)
    assert answers.index.equals(this.rows.units.index)
    assert (answers.dtypes == "float64").all()
    last = changed(this.rows, lambda key, f: f.iloc[::-1] if key == ROSTER else f)
    assert_frame_equal(made(this, last), answers.iloc[::-1], check_exact=True)


@every
def test_a_derivation_ignores_the_order_of_rows(name: str) -> None:
    this = example(name)
    rng = np.random.default_rng(4)

    def shuffled(key: str, frame: pd.DataFrame) -> pd.DataFrame:
        return frame if key == ROSTER else frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)

    for _ in range(5):
        assert_frame_equal(made(this, changed(this.rows, shuffled)), made(this), check_exact=True)


@every
def test_a_derivation_changes_nothing_that_it_is_given(name: str) -> None:
    this = example(name)
    before = changed(this.rows, lambda _, frame: frame.copy(deep=True))
    made(this)
    assert_frame_equal(this.rows.units, before.units)
    for key, table in before.tables.items():
        assert_frame_equal(this.rows.tables[key].frame, table.frame)


@every
def test_a_derivation_reads_the_columns_that_it_says_and_no_other(name: str) -> None:
    this = example(name)
    said = needed(this) | {(ROSTER, "person")}

    def only(key: str, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[[c for c in frame.columns if (key, c) in said]]

    spare = {(key, c) for key, table in this.rows.tables.items() for c in table.frame.columns} - said
    assert spare, "the example has no column that is not read"
    answers = made(this, changed(this.rows, only))
    assert_frame_equal(answers, made(this), check_exact=True)


@every
def test_a_plan_refuses_a_contract_without_a_column_that_is_read_and_misses_no_other(name: str) -> None:
    this = example(name)
    make_plan(this.protocol, this.contracts)
    own = this.rows.table.contract.name
    for need in this.derivation.needs(own):
        table = "people" if need.table == ROSTER else need.table
        gone = [
            c
            for c in this.contracts[table].columns
            if c == need.column or (need.begins and c.startswith(need.column))
        ]
        assert gone
        poorer = {**this.contracts, table: without(this.contracts[table], *gone)}
        with pytest.raises(
            ProtocolRefused, match=f"found .*'{need.column}'; expected .*'{table}'"
        ) as refused:
            make_plan(this.protocol, poorer)
        assert refused.value.where.startswith("outcomes.y.derive.")
        assert refused.value.remedy
    read = {("people" if key == ROSTER else key, c) for key, c in needed(this)}
    read |= {("people", "person"), ("people", "arm")}
    for table, contract in this.contracts.items():
        for column in contract.columns:
            if (table, column) not in read:
                make_plan(this.protocol, {**this.contracts, table: without(contract, column)})


@every
def test_the_key_that_a_plan_names_is_a_key_of_the_study(name: str) -> None:
    this = example(name)
    keys = {field.name for field in fields(this.derivation)}
    for need in this.derivation.needs(this.rows.table.contract.name):
        head = need.where.split(".")[0]
        assert head in keys or need.where == "method"


@every
def test_a_study_with_the_derivation_is_written_and_read_again_the_same(name: str) -> None:
    this = example(name)
    again = loads(dump(this.protocol), name="again")
    assert again == this.protocol
    assert again.outcomes["y"].derive == this.derivation
    assert again.fingerprint == this.protocol.fingerprint
