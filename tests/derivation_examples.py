"""The example of each derivation in `tests/plugin_examples/derivations/`: its choices, rows and answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from data_contracts.catalogue import find
from data_contracts.declared import build
from data_contracts.safe_yaml import read_yaml
from data_contracts.table import TableContract
from experiments.derivation import Derivation, Rows
from experiments.protocol import Protocol
from small_tables import contract, frame, study, table

FOLDER = Path(__file__).parent / "plugin_examples" / "derivations"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A derivation with what it is given and what a person worked out; None stands for a missing value."""

    derivation: Derivation
    rows: Rows
    protocol: Protocol
    contracts: dict[str, TableContract]
    expected: pd.DataFrame


def example(name: str) -> Example:
    """The example of a derivation; a derivation without one fails here."""
    path = FOLDER / f"{name}.yaml"
    assert path.is_file(), f"{name} has no example: add {path.relative_to(FOLDER.parents[1])}"
    spec: dict[str, Any] = dict(read_yaml(path))
    derivation = build(find("experiments.derivations", name), dict(spec["options"]), path=name)
    people = spec["roster"]
    units = frame(people["columns"], people["rows"])
    units = units.set_axis(pd.Index([f"row {i}" for i in range(len(units))]), axis=0)
    tables = {
        key: table(key, item["columns"], item["rows"], extracted=_text(item.get("extracted")))
        for key, item in spec["tables"].items()
    }
    outcome = {
        "table": spec["table"],
        "column": spec["column"],
        "follow_up_days": spec["follow_up_days"],
        "derive": {"method": name, **spec["options"]},
    }
    return Example(
        derivation=derivation,
        rows=Rows(
            units=units,
            key="person",
            table=tables[spec["table"]],
            tables=tables,
            days=spec["follow_up_days"],
            where="outcomes.y.derive",
        ),
        protocol=study(outcome),
        contracts={
            "people": contract("people", people["columns"]),
            **{key: item.contract for key, item in tables.items()},
        },
        expected=pd.DataFrame(
            {key: pd.Series(values, dtype="float64") for key, values in spec["expected"].items()}
        ).set_axis(units.index, axis=0),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
