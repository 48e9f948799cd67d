"""Single entries of an Open Data Contract Standard file, each held to its type and refused in its place."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from data_contracts.refusal import nearest
from data_contracts.table import ContractRefused

_RUNS = re.compile(r"[=@\t\r]|[+-](?![\d. ]|$)")


def refused(where: str, found: str, expected: str, remedy: str) -> ContractRefused:
    """A contract that does not say what a contract must, at `where`."""
    return ContractRefused(where=where, found=found, expected=expected, remedy=remedy)


def need(node: Mapping[str, Any], key: str, where: str) -> str:
    """The text under `key`."""
    value = need_any(node, key, where)
    if isinstance(value, (Mapping, list, tuple)):
        raise refused(f"{where}.{key}", "a block or a list", "text", "Write it as one text.")
    return str(value).strip()


def need_any(node: Mapping[str, Any], key: str, where: str) -> Any:
    """What stands under `key`, which may not be left out."""
    if node.get(key) in (None, ""):
        raise refused(
            f"{where}.{key}", "nothing", "a value", "Write it: a contract without it is not complete."
        )
    return node[key]


def custom_properties(node: Mapping[str, Any], known: frozenset[str], where: str) -> dict[str, Any]:
    """{property: value} of `customProperties`, each from the closed list `known`, each once."""
    out: dict[str, Any] = {}
    for item in node.get("customProperties") or []:
        name = str(item["property"])
        if name not in known:
            raise refused(
                f"{where}: customProperties",
                f"'{name}'",
                "a property that means something here",
                nearest(name, known),
            )
        if name in out:
            raise refused(
                f"{where}: customProperties", f"'{name}' a second time", "each property once", "Remove one."
            )
        out[name] = item["value"]
    return out


def block(value: Any, where: str) -> Mapping[str, Any]:
    """A block of entries; nothing is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise refused(where, "a single value or a list", "a block of `key: value` entries", "Write a block.")
    return value


def texts(value: Any, where: str) -> dict[str, str]:
    """A block of texts, none of which a spreadsheet would run: they are printed in tables."""
    out = {str(key): str(text) for key, text in block(value, where).items()}
    for key, text in out.items():
        if _RUNS.match(text):
            raise refused(
                f"{where}.{key}", "text that a spreadsheet would run as a formula", "words", "Reword it."
            )
    return out


def names(value: Any, where: str) -> tuple[str, ...]:
    """A list of names; nothing is an empty one."""
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise refused(where, "something other than a list of names", "[name, name]", "Write a list.")
    return tuple(value)


def flag(value: Any, where: str) -> bool:
    """True or false, and no word that might mean one of them."""
    if not isinstance(value, bool):
        raise refused(where, "something other than true or false", "true or false", "Write one of the two.")
    return value


def text_or_none(value: Any, where: str) -> str | None:
    """One text, or nothing."""
    if value is not None and not isinstance(value, str):
        raise refused(where, "something other than text", "text", "Write it as one text.")
    return value


def day(value: Any, where: str) -> date:
    """A day as YYYY-MM-DD, written as text in JSON."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise refused(
            where, "something other than a day of the calendar", "YYYY-MM-DD", "Correct the date."
        ) from None


def dated(value: Any, where: str) -> Any:
    """A block in which `date`, `extracted` and `begins` are days."""
    return {
        key: day(item, f"{where}.{key}")
        if key in ("date", "extracted", "begins") and item is not None
        else item
        for key, item in block(value, where).items()
    }


def finite(value: Any, where: str) -> float:
    """A number that something can be below or above."""
    if not math.isfinite(value):
        raise refused(where, "a number without end, or none", "a number", "Leave the bound out, or write it.")
    return float(value)
