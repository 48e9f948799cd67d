"""The examples that hold every design to its promises: options, arms and a roster, from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_contracts.catalogue import find
from data_contracts.declared import build
from data_contracts.safe_yaml import read_yaml
from experiments.design import Design

EXAMPLES = Path(__file__).resolve().parent / "plugin_examples" / "designs"


def example(name: str) -> dict[str, Any]:
    """The example of a design: arms, options, roster, and perhaps a small roster to enumerate."""
    content = read_yaml(EXAMPLES / f"{name}.yaml")
    assert isinstance(content, dict)
    return content


def make_design(scheme: str, arms: dict[str, str], options: dict[str, Any]) -> Design:
    """A design built as a study file builds it."""
    named = [{"name": arm, "share": share} for arm, share in arms.items()]
    design = build(find("experiments.designs", scheme), {**options, "arms": named}, path="design")
    assert isinstance(design, Design)
    return design


def make_roster(rows: int, columns: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Rows with columns that cycle through values (`each` rows at a time), or are standard normal."""
    made: dict[str, Any] = {}
    at = np.arange(rows)
    for name, how in columns.items():
        if "normal" in how:
            made[name] = np.random.default_rng(how["normal"]).normal(size=rows)
            continue
        values = how["values"]
        if isinstance(values, int):
            values = [f"{name}_{i}" for i in range(values)]
        made[name] = [values[i] for i in (at // how["each"]) % len(values)]
    return pd.DataFrame(made, index=pd.Index([f"unit_{i}" for i in at], name="id"))
