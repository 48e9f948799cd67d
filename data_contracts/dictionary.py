"""A contract as a readable dictionary: facts about the table, and one row to a column."""

from __future__ import annotations

from datetime import date
from typing import Any

from data_contracts.recording_breaks import breaks_of
from data_contracts.table import Column, TableContract

UNITS = {"y": "years", "m": "months", "d": "days"}
"""How the standard writes the units of a retention."""


def contract_dictionary(contract: TableContract) -> dict[str, Any]:
    """The whole dictionary as plain content that JSON can hold: what releases carry and pages print."""
    return {
        "table": contract.name,
        "title": contract.title,
        "grain": contract.grain,
        "facts": [{"label": label, "text": text} for label, text in contract_facts(contract)],
        "columns": dictionary_rows(contract),
    }


def contract_facts(contract: TableContract) -> list[tuple[str, str]]:
    """(label, text) about the table as a whole, in reading order."""
    vintage = "provisional" if contract.vintage.provisional else "final"
    if contract.vintage.extracted:
        vintage += f", extracted {contract.vintage.extracted.isoformat()}"
    facts = [
        ("Table", contract.name),
        ("Title", contract.title),
        ("Version", f"{contract.version} ({contract.status})"),
        ("Purpose", contract.purpose),
        ("Grain", contract.grain),
        ("Key", ", ".join(contract.key) or f"none: {contract.keyless}"),
        ("Person", contract.person or "no person in it"),
        ("Controller", contract.controller),
        ("Lawful basis", contract.lawful_basis),
        ("Retention", _in_words(contract.retention)),
        ("Vintage", vintage),
    ]
    if contract.limitations:
        facts.append(("Limitations", contract.limitations))
    if contract.usage:
        facts.append(("Use", contract.usage))
    facts += [("Rule", rule.name) for rule in contract.rules]
    facts += [
        ("Recording break", f"{b.first_day.isoformat()} {b.label}: {b.effect}")
        for b in breaks_of(contract.recording_breaks)
    ]
    facts += [("Source", f"{what} <{where}>") for where, what in contract.sources.items()]
    return facts


def dictionary_rows(contract: TableContract) -> list[dict[str, Any]]:
    """One dict per column, ready to print; `values` says in words what `codes` and `form` say in parts."""
    return [
        {
            "column": name,
            "header": column.source_name or name,
            "type": column.dtype,
            "unit": column.unit,
            "meaning": column.meaning,
            "key": name in contract.key,
            "required": not column.nullable,
            "values": values_in_words(column),
            "codes": [{"code": str(v), "label": column.labels.get(str(v), "")} for v in column.allowed or ()],
            "form": form_in_words(column),
            "missing": "; ".join(f"{code} = {why}" for code, why in column.missing_codes.items()),
            "sensitivity": str(column.sensitivity),
            "role": str(column.role),
        }
        for name, column in contract.columns.items()
    ]


def values_in_words(column: Column) -> str:
    """What values are allowed, in a few words."""
    parts = []
    if column.allowed is not None:
        parts.append(
            "one of "
            + ", ".join(
                f"{v} ({column.labels[str(v)]})" if str(v) in column.labels else str(v)
                for v in column.allowed
            )
        )
    return ", ".join(part for part in (*parts, form_in_words(column)) if part)


def form_in_words(column: Column) -> str:
    """What values are allowed, apart from a list of codes."""
    parts = []
    if column.format:
        parts.append(f"as {column.format}")
    if column.minimum is not None:
        parts.append(f"from {_bound(column.minimum)}")
    if column.above is not None:
        parts.append(f"above {column.above:g}")
    if column.is_year:
        parts.append("a year")
    if column.maximum is not None:
        parts.append(f"to {_bound(column.maximum)}")
    if column.pattern:
        parts.append(f"of the pattern {column.pattern}")
    if column.max_length:
        parts.append(f"at most {column.max_length} characters")
    if column.identifier:
        parts.append(f"a valid {column.identifier.upper()} number")
    if column.refers_to:
        parts.append(f"a row of {column.refers_to}")
    if column.unique:
        parts.append("each once")
    if column.code_list:
        parts.append(f"a code of {column.code_list.source}, {column.code_list.date.isoformat()}")
    return ", ".join(parts)


def _in_words(retention: str) -> str:
    """`5 y` as 5 years; anything else as it stands."""
    number, _, unit = retention.rpartition(" ")
    if not number or unit not in UNITS:
        return retention
    return f"{number} {UNITS[unit] if number != '1' else UNITS[unit][:-1]}"


def _bound(value: float | date) -> str:
    return value.isoformat() if isinstance(value, date) else f"{value:g}"
