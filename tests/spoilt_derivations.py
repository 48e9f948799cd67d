"""Examples of derivations spoilt in one place, and their refusals read for a person's value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from data_contracts.refusal import Refusal
from data_contracts.table import Dtype, TableContract
from derivation_examples import Example
from experiments.derivation import Rows
from experiments.protocol import Protocol, declared
from small_tables import contract

SECRET = "Q7-secret-person"


def says(refused: pytest.ExceptionInfo[Refusal], *values: str) -> str:
    """The message, found to say what to do and to hold none of `values`."""
    message = str(refused.value)
    assert refused.value.where and refused.value.remedy and refused.value.expected
    for value in (SECRET, *values):
        assert re.search(rf"\b{re.escape(value)}\b", message) is None
    return message


def derive(this: Example, rows: Rows) -> pd.DataFrame:
    return this.derivation.derive(rows, None)


def with_frame(rows: Rows, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Rows:
    """The same with one table's frame changed."""
    tables = {
        key: replace(item, frame=change(item.frame.copy())) if key == name else item
        for key, item in rows.tables.items()
    }
    return replace(rows, tables=tables, table=tables[rows.table.contract.name])


def with_extracted(rows: Rows, name: str, extracted: Any) -> Rows:
    tables = {
        key: replace(item, extracted=extracted) if key == name else item for key, item in rows.tables.items()
    }
    return replace(rows, tables=tables, table=tables[rows.table.contract.name])


def set_first(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[0], column] = value
        return frame

    return change


def said(protocol: Protocol, **derive: Any) -> dict[str, Any]:
    """A study as a dictionary, with changes to its derivation."""
    content = declared(protocol)
    content["outcomes"]["y"]["derive"] |= derive
    return content


def retyped(
    contracts: dict[str, TableContract], table: str, column: str, dtype: Dtype
) -> dict[str, TableContract]:
    types: dict[str, Dtype] = {name: c.dtype for name, c in contracts[table].columns.items()}
    return {**contracts, table: contract(table, {**types, column: dtype})}
