"""Tables of a data dictionary: the table as a whole, its columns, its codes, and who may see what.

Neighbouring columns that would say the same thing share a row ("srds_01 to srds_19"), and a long list of
codes has a table of its own, so that each table has few, narrow columns and reads on a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from reports import wording as w
from reports.dictionaries import Dictionary
from reports.neutral import markdown
from reports.tables.accessible import table

LABELS = {
    "Table": "Name in study files",
    "Title": "",
    "Grain": "One row is",
    "Key": "A row is identified by",
    "Person": "A person is identified by",
    "Vintage": "Final or provisional",
    "Use": "Meant for",
}
"""How the page words what `desist contract show` calls by one word; without a text, it is the page's title."""
NAMES = {"Table", "Key", "Person"}
LISTED = {"Rule", "Recording break", "Source"}
TYPES = {
    "string": "text",
    "integer": "whole number",
    "boolean": "true or false",
    "timestamp": "date and time",
}
SENSITIVITIES = {
    "direct_identifier": "Names a person by itself",
    "quasi_identifier": "May point to a person together with other facts",
    "sensitive_crime": "About crime, specially protected",
    "sensitive_other": "About health, family or another private matter",
    "public": "Public",
}
ROLES = {
    "count_unit": "Counted, never shown",
    "dimension": "May divide a table of counts",
    "magnitude": "May be averaged or added up",
    "never_published": "Never published",
}
LONG = 64
"""Characters that labelled codes may take inside a row."""
ALIKE = 3
"""Neighbouring columns from which a shared row is easier to read than one each."""
Row = Mapping[str, Any]


def about(d: Dictionary) -> str:
    """What is true of the table as a whole, in the contract's words."""
    rows = [
        {
            "fact": LABELS.get(fact["label"], fact["label"]),
            "text": fact["text"] if fact["label"] in NAMES else _said(fact["text"]),
        }
        for fact in d.content["facts"]
        if fact["label"] not in LISTED
    ]
    return table(
        [row for row in rows if row["fact"]],
        caption="The table as a whole",
        heads={"fact": "Fact", "text": "As the contract declares it"},
    )


def rules(d: Dictionary) -> str:
    """What must hold between the columns of every row."""
    return _bullets(d, "Rule", "The contract declares no rule between columns.")


def breaks(d: Dictionary) -> str:
    """When the series changed because recording did."""
    return _bullets(
        d, "Recording break", "The contract names no day on which a change of recording moved the numbers."
    )


def origins(d: Dictionary) -> str:
    """Where the table is published or defined: text, not links, since the page leads nowhere outside."""
    return _bullets(d, "Source", "The contract names no published source.")


def columns(d: Dictionary) -> str:
    """Every column: its name, its meaning with its header in the file where that differs, its type and unit."""
    return table(
        [
            {"column": c["column"], "meaning": _meaning(c), "type": _type(c["type"], c["unit"])}
            for c in d.content["columns"]
        ],
        caption="Columns: what each one means",
        heads={"column": "Column", "meaning": "Meaning", "type": "Type and unit"},
    )


def allowed(d: Dictionary) -> str:
    """What each column may hold, and whether it may be missing."""
    return table(
        _together(d.content["columns"], lambda c: {"values": _values(c) or "any", "missing": _missing(c)}),
        caption="Columns: what each one may hold",
        heads={"column": "Column", "values": "Allowed values", "missing": "May it be missing?"},
    )


def codes(d: Dictionary) -> str:
    """A table for each long list of codes; columns with the same list share it."""
    lists: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for c in d.content["columns"]:
        if _has_own_table(c):
            key = tuple((code["code"], code["label"]) for code in c["codes"])
            lists.setdefault(key, []).append(c["column"])
    order = [c["column"] for c in d.content["columns"]]
    return "\n".join(
        table(
            [{"code": code, "label": label or "no label"} for code, label in key],
            caption=f"Codes of {_span(names, order)}",
            heads={"code": "Code", "label": "Meaning"},
        )
        for key, names in lists.items()
    )


def handling(d: Dictionary) -> str:
    """How sensitive each column is, and what it may become in a publication."""
    return table(
        _together(
            d.content["columns"],
            lambda c: {
                "sensitivity": SENSITIVITIES.get(c["sensitivity"], str(c["sensitivity"])),
                "role": ROLES.get(c["role"], str(c["role"])),
            },
        ),
        caption="Columns: how sensitive each one is, and its part in a publication",
        heads={"column": "Column", "sensitivity": "What it says of a person", "role": "In a publication"},
    )


def _bullets(d: Dictionary, label: str, none: str) -> str:
    texts = [fact["text"] for fact in d.content["facts"] if fact["label"] == label]
    return "\n" + "\n".join(f"- {markdown(_said(text))}" for text in texts) + "\n" if texts else none


def _said(text: str) -> str:
    """A contract's sentence as a page prints it; it may set a command in backticks, for the shell."""
    return w.upper_first(text.replace("`", ""))


def _meaning(c: Row) -> str:
    said = _said(str(c["meaning"]))
    return said if c["header"] == c["column"] else f"{w.sentence(said)} In the file: {c['header']}"


def _type(dtype: str, unit: str) -> str:
    words = TYPES.get(dtype, dtype)
    return words if unit in words.split() else f"{words}; {unit}"


def _values(c: Row) -> str:
    found = c["codes"]
    if _has_own_table(c):
        said = f"one of {w.whole(len(found))} codes, listed below"
    elif found:
        shown = [f"{e['code']} ({e['label']})" if e["label"] else e["code"] for e in found]
        said = f"one of {', '.join(shown)}"
    else:
        said = ""
    return ", ".join(part for part in (said, c["form"]) if part)


def _has_own_table(c: Row) -> bool:
    said = "".join(f"{e['code']} {e['label']}" for e in c["codes"])
    return len(said) > LONG and any(e["label"] for e in c["codes"])


def _missing(c: Row) -> str:
    if c["key"]:
        return "no, part of the key"
    if c["required"]:
        return "no"
    return f"yes; {c['missing']}" if c["missing"] else "yes"


def _together(found: Sequence[Row], cells: Callable[[Row], dict[str, str]]) -> list[dict[str, str]]:
    """A row for each column, or one for several neighbours whose cells are the same."""
    rows = []
    for same, run in groupby(found, key=cells):
        names = [c["column"] for c in run]
        heads = [f"{names[0]} to {names[-1]}"] if len(names) >= ALIKE else names
        rows += [{"column": head, **same} for head in heads]
    return rows


def _span(names: Sequence[str], order: Sequence[str]) -> str:
    """Columns by name; neighbours as "a to c"."""
    first = order.index(names[0])
    if len(names) >= ALIKE and list(order[first : first + len(names)]) == list(names):
        return f"{names[0]} to {names[-1]}"
    return w.listed(list(names))
