"""Data dictionaries: what a study's contracts declare of its tables. A declaration holds choices, not data.

The texts come from a person's file, so a part whose shape the gate does not know is withheld, and so is a
list of allowed values in a column that identifies people: such a list would be a list of people. So are the
alternatives of a pattern, the codes for missing values of such a column, and the words that a column may hold which is
never published.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reports.gate.verdict import WITHHELD, Ledger

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
KEYS = frozenset({"table", "title", "grain", "facts", "columns"})
COLUMN = {
    "column": str, "header": str, "type": str, "unit": str, "meaning": str, "key": bool, "required": bool,
    "values": str, "codes": list, "form": str, "missing": str, "sensitivity": str, "role": str,
}  # fmt: skip
IDENTIFYING = frozenset({"direct_identifier", "count_unit"})


def judge_dictionaries(found: Mapping[str, Any], ledger: Ledger) -> dict[str, Any]:
    """The dictionary of each table that was read, by table."""
    out = {}
    for name, content in found.items():
        key = f"dictionary.{name}"
        if not NAME.match(name) or not _known(content):
            ledger.withhold(key, "dictionary", "a shape that the gate does not know")
            continue
        ledger.release(key, "dictionary", "a declaration holds choices, not data")
        person = {fact["text"] for fact in content["facts"] if fact["label"] == "Person"}
        out[name] = {**content, "columns": [_column(key, row, person, ledger) for row in content["columns"]]}
    return out


def _column(key: str, row: Mapping[str, Any], person: set[str], ledger: Ledger) -> dict[str, Any]:
    """The column, without its codes where they would name people; `person` is the table's column of people."""
    identifies = bool(IDENTIFYING & {row["sensitivity"], row["role"]}) or row["column"] in person
    words = row["type"] == "string" and row["role"] == "never_published"
    listed = bool(row["codes"]) or "|" in row["form"]
    if not (listed and (identifies or words)) and not (identifies and row["missing"]):
        return dict(row)
    ledger.withhold(f"{key}.{row['column']}", "dictionary", "a list of values that identify people")
    kept = {**row, "missing": WITHHELD} if row["missing"] else dict(row)
    return {**kept, "codes": [], "values": WITHHELD, "form": WITHHELD} if listed else kept


def _known(content: Any) -> bool:
    if not isinstance(content, Mapping) or set(content) != KEYS:
        return False
    facts, columns = content["facts"], content["columns"]
    return (
        all(isinstance(content[key], str) for key in KEYS - {"facts", "columns"})
        and isinstance(facts, list)
        and all(_texts(fact, {"label", "text"}) for fact in facts)
        and isinstance(columns, list)
        and all(_known_column(row) for row in columns)
    )


def _known_column(row: Any) -> bool:
    return (
        isinstance(row, Mapping)
        and set(row) == set(COLUMN)
        and all(isinstance(row[key], kind) for key, kind in COLUMN.items())
        and all(_texts(code, {"code", "label"}) for code in row["codes"])
    )


def _texts(node: Any, keys: set[str]) -> bool:
    return isinstance(node, Mapping) and set(node) == keys and all(isinstance(x, str) for x in node.values())
