"""Small checked tables, rosters and studies of derived outcomes, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from data_contracts.read import CheckedTable
from data_contracts.table import Column, DisclosureRole, Dtype, Sensitivity, TableContract, Vintage
from experiments.derivation import Rows
from experiments.load import protocol_from
from experiments.protocol import Protocol


def column(dtype: Dtype) -> Column:
    """A column that may be missing, of a type."""
    forms = {"date": "yyyy-MM-dd", "timestamp": "yyyy-MM-dd HH:mm"}
    return Column(
        dtype=dtype,
        meaning="Made for a test.",
        unit="none",
        sensitivity=Sensitivity.PUBLIC,
        role=DisclosureRole.NEVER_PUBLISHED,
        nullable=True,
        format=forms.get(dtype),
    )


def contract(name: str, columns: Mapping[str, Dtype]) -> TableContract:
    """A contract without a key and without rules."""
    return TableContract(
        name=name, version="1.0.0", status="active", title=name, purpose="A test.", grain="one row", key=(),
        keyless="made for a test", columns={key: column(dtype) for key, dtype in columns.items()}, controller="nobody",
        lawful_basis="a test", retention="none", vintage=Vintage(provisional=False),
    )  # fmt: skip


def frame(columns: Mapping[str, Dtype], rows: list[list[Any]]) -> pd.DataFrame:
    """Rows in the types that a contract gives them."""
    made = {}
    for i, (name, dtype) in enumerate(columns.items()):
        values = [row[i] for row in rows]
        if dtype in ("date", "timestamp"):
            made[name] = pd.to_datetime(
                pd.Series([None if v is None else str(v) for v in values], dtype="str")
            )
            made[name] = made[name].astype("datetime64[us]")
        elif dtype == "string":
            made[name] = pd.Series(values, dtype="str")
        else:
            made[name] = pd.Series([float("nan") if v is None else float(v) for v in values], dtype="float64")
    return pd.DataFrame(made)


def table(
    name: str, columns: Mapping[str, Dtype], rows: list[list[Any]], *, extracted: str | None = "2025-12-31"
) -> CheckedTable:
    """A table as if it had been read and found to keep its contract."""
    return CheckedTable(
        contract=contract(name, columns), frame=frame(columns, rows), sha256="0" * 64, rows=len(rows), source="a test",
        extracted=None if extracted is None else date.fromisoformat(extracted), provisional=False,
    )  # fmt: skip


def roster(rows: list[list[Any]], columns: Mapping[str, Dtype] | None = None) -> pd.DataFrame:
    """A roster of (person, start), labelled apart from its ids as the roster of a run is."""
    made = frame(columns or {"person": "string", "start": "date"}, rows)
    return made.set_axis(pd.Index([f"row {i}" for i in range(len(made))]), axis=0)


def given(units: pd.DataFrame, first: CheckedTable, *others: CheckedTable, days: int = 30) -> Rows:
    """What a derivation is given; `first` is the outcome's own table."""
    tables = {t.contract.name: t for t in (first, *others)}
    return Rows(units=units, key="person", table=first, tables=tables, days=days, where="outcomes.y.derive")


def study(outcome: Mapping[str, Any], **changes: Any) -> Protocol:
    """A two-arm trial with one derived outcome and one analysis of it."""
    content: dict[str, Any] = {
        "id": "small", "title": "Small", "seed": 1,
        "registration": {"status": "exploratory", "outcome_data_seen": False, "note": "A test."},
        "population": {"unit": "person", "eligible": "all", "roster": "people", "id": "person", "arm": "arm"},
        "arms": {
            "offered": {"label": "Offered", "share": "1/2"},
            "usual": {"label": "Usual", "share": "1/2", "reference": True},
        },
        "design": {"scheme": "complete"},
        "outcomes": {
            "y": {
                "label": "Y", "role": "primary", "follow_up_days": 30, "unit": "units", "better": "lower",
                "kind": "mean", **outcome,
            }
        },
        "estimands": {
            "effect": {
                "outcome": "y", "contrast": ["offered", "usual"], "population": "all", "scale": "mean_difference",
                "intercurrent": {},
            }
        },
        "analyses": {
            "primary": {
                "estimand": "effect", "estimator": "difference_in_means", "variance": "neyman", "level": 0.95,
                "missing": {"primary": "complete_case"},
            }
        },
        "checks": {},
        "linkage": {"limit": 0.1},
    }  # fmt: skip
    return protocol_from({**content, **changes}, where="small")
