"""Contracts in the Open Data Contract Standard, version 3.1: YAML to a `TableContract`.

Every file is held to the standard's own JSON Schema (`standard/`), and then to what this house
understands of it: a promise that the standard allows and this house cannot check is refused rather
than passed over. What the standard has no word for stands in `customProperties`, from the closed
lists below.

Reference: Open Data Contract Standard 3.1.0, Bitol (LF AI & Data), sections Schema, Data quality,
Service-level agreement and Custom properties.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from data_contracts.declared import build
from data_contracts.expression import Expression
from data_contracts.expression_types import KINDS, unlike
from data_contracts.layout import Layout
from data_contracts.odcs_column import column_from
from data_contracts.odcs_parts import (
    block,
    custom_properties,
    dated,
    flag,
    names,
    need,
    need_any,
    refused,
    text_or_none,
)
from data_contracts.refusal import Refusal, nearest
from data_contracts.safe_yaml import parse_yaml, read_yaml
from data_contracts.table import Column, Rule, TableContract, Vintage

SCHEMA = Path(__file__).parent / "standard" / "odcs-json-schema-v3.1.0.json"
TABLE_PROPERTIES = frozenset(
    {
        "controller",
        "keyless",
        "lawfulBasis",
        "layout",
        "mayHaveNoRows",
        "personKey",
        "recordingBreaks",
        "vintage",
    }
)


class NotOdcs(Refusal):
    """A contract that is not valid Open Data Contract Standard 3.1."""


def load_contract(path: Path) -> TableContract:
    """The contract in an `.odcs.yaml` file."""
    return contract_from(read_yaml(path), where=path.name)


def loads_contract(text: str, *, name: str) -> TableContract:
    """The contract in the text of an `.odcs.yaml` file."""
    return contract_from(parse_yaml(text, name=name), where=name)


def contract_from(content: Any, *, where: str) -> TableContract:
    """The contract that plain dictionaries declare; `where` is what errors call the file."""
    node = jsonable(content)
    check_standard(node, where=where)
    tables = node.get("schema") or []
    if len(tables) != 1:
        raise refused(
            f"{where}: schema", f"{len(tables)} tables", "one table to a contract", "Split the file."
        )
    table = tables[0]
    if table.get("relationships"):
        raise refused(
            f"{where}: schema[0].relationships",
            "a reference that is not checked here",
            "references at their columns, `relationships: - {to: table.column}`",
            "Move it to the column.",
        )
    extra = custom_properties(node, TABLE_PROPERTIES, where)
    properties = table.get("properties") or []
    columns = _columns(properties, where)
    about = node.get("description") or {}
    contract = TableContract(
        name=str(table["name"]),
        version=_version(node, where),
        status=str(node["status"]),
        title=str(node.get("name") or table.get("businessName") or table["name"]),
        purpose=need(about, "purpose", f"{where}: description"),
        limitations=about.get("limitations"),
        usage=about.get("usage"),
        grain=need(table, "dataGranularityDescription", f"{where}: schema[0]"),
        key=_key(properties),
        columns=columns,
        controller=need(extra, "controller", f"{where}: customProperties"),
        lawful_basis=need(extra, "lawfulBasis", f"{where}: customProperties"),
        retention=_retention(node, where),
        vintage=build(
            Vintage, dated(need_any(extra, "vintage", where), f"{where}: vintage"), path=f"{where}: vintage"
        ),
        keyless=text_or_none(extra.get("keyless"), f"{where}: keyless"),
        may_have_no_rows=flag(extra.get("mayHaveNoRows", False), f"{where}: mayHaveNoRows"),
        person=text_or_none(extra.get("personKey"), f"{where}: personKey"),
        rules=tuple(_rules(table.get("quality") or [], where)),
        layout=_layout(block(extra.get("layout"), f"{where}: layout"), columns, where),
        recording_breaks=names(extra.get("recordingBreaks"), f"{where}: recordingBreaks"),
        sources={d["url"]: d["type"] for d in node.get("authoritativeDefinitions") or []},
    )
    _check_rules(contract, where)
    return contract


def check_standard(node: Any, *, where: str) -> None:
    """Refuse what the standard's JSON Schema refuses, naming every place at once."""
    errors = sorted(_validator().iter_errors(node), key=lambda error: list(map(str, error.absolute_path)))
    if not errors:
        return
    listed = "; ".join(dict.fromkeys(_explain(error) for error in errors[:8]))
    raise NotOdcs(
        where=where,
        found=listed,
        expected="a contract valid against the Open Data Contract Standard 3.1.0",
        remedy="Compare with a file in data_contracts/feeds/.",
    )


@functools.cache
def _validator() -> Any:  # jsonschema builds its validator types at run time
    from jsonschema import Draft201909Validator

    return Draft201909Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _explain(error: Any) -> str:
    """The deepest part of a JSON Schema error that says something, in few words."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path).lstrip(".")
    message = error.message if len(error.message) <= 200 else error.message[:200] + "..."
    return f"{place or 'the file'}: {message}"


def _columns(properties: list[Mapping[str, Any]], where: str) -> dict[str, Column]:
    """The columns by name; what is wrong with any of them is told of all at once."""
    columns: dict[str, Column] = {}
    wrong: list[Refusal] = []
    for item in properties:
        name = str(item["name"])
        try:
            if name in columns:
                raise refused(
                    f"{where}: {name}", "a second column of that name", "each column once", "Remove one."
                )
            columns[name] = column_from(item, f"{where}: {name}")
        except Refusal as error:
            wrong.append(error)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise refused(
            where,
            f"{len(wrong)} columns that are not complete: "
            + "; ".join(
                f"{e.where.removeprefix(where + ': ')}: {e.found} (expected {e.expected})" for e in wrong
            ),
            "every column to say what a column must",
            "See docs/contracts.md.",
        )
    return columns


def _rules(quality: list[Mapping[str, Any]], where: str) -> list[Rule]:
    rules = []
    for entry in quality:
        if entry.get("type") == "text":
            continue
        if entry.get("type") != "custom" or entry.get("engine") != "desist" or "name" not in entry:
            raise refused(
                f"{where}: quality",
                "a check that is not run here",
                "`type: custom`, `engine: desist`, a name, and the rule as `implementation`",
                "Write the rule as a comparison between columns.",
            )
        rules.append(Rule(name=str(entry["name"]), holds=Expression(str(entry["implementation"]))))
    return rules


def _check_rules(contract: TableContract, where: str) -> None:
    """Refuse a rule that compares what cannot be compared, before there are any rows."""
    kinds = {name: KINDS[column.dtype] for name, column in contract.columns.items()}
    for rule in contract.rules:
        words = unlike(rule.holds, kinds)
        if words is not None:
            raise refused(
                f"{where}: quality",
                f"the rule `{rule.holds.text}`, which {words}",
                "numbers with numbers, text with text, dates with dates written 'YYYY-MM-DD'",
                "Compare the rule with the columns' logical types.",
            )


def _key(properties: list[Mapping[str, Any]]) -> tuple[str, ...]:
    keys = [p for p in properties if p.get("primaryKey")]
    keys.sort(key=lambda p: p.get("primaryKeyPosition", -1))
    return tuple(str(p["name"]) for p in keys)


def _version(node: Mapping[str, Any], where: str) -> str:
    version = str(node["version"])
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise refused(
            f"{where}: version",
            f"'{version}'",
            "three numbers, such as 1.0.0",
            "The first tells of breaking changes, the second of looser promises, the third of words.",
        )
    return version


def _retention(node: Mapping[str, Any], where: str) -> str:
    found: str | None = None
    for item in node.get("slaProperties") or []:
        if item["property"] != "retention" or found is not None:
            raise refused(
                f"{where}: slaProperties",
                f"'{item['property']}', a promise that nobody checks here",
                "retention, once",
                "Say in `limitations` what the supplier promises beyond that.",
            )
        found = f"{item['value']} {item.get('unit', '')}".strip()
    if found is None:
        raise refused(
            f"{where}: slaProperties",
            "no retention",
            "`- {property: retention, value: ..., unit: y}`",
            "Say how long the table may be kept.",
        )
    return found


def _layout(node: Mapping[str, Any], columns: Mapping[str, Column], where: str) -> Layout:
    snake = {
        re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), key): value for key, value in node.items()
    }
    layout = build(Layout, snake, path=f"{where}: layout")
    headers = {column.source_name or name for name, column in columns.items()}
    named = [*layout.drop_rows, *layout.fill_down]
    for name in named:
        if name not in columns:
            raise refused(
                f"{where}: layout", f"the column '{name}'", "a declared column", nearest(name, columns)
            )
    for name in layout.ignore:
        if name in headers:
            raise refused(
                f"{where}: layout.ignore",
                f"'{name}', which the contract declares",
                "columns that it does not",
                "Remove it from one of the two.",
            )
    if layout.sheet_column is not None and layout.sheet_column not in headers:
        raise refused(
            f"{where}: layout.sheetColumn",
            f"'{layout.sheet_column}'",
            "the header of a declared column",
            nearest(layout.sheet_column, headers),
        )
    return layout


def jsonable(node: Any) -> Any:
    """YAML content as JSON has it: dates are text."""
    if isinstance(node, Mapping):
        return {str(key): jsonable(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [jsonable(item) for item in node]
    if isinstance(node, (date, datetime)):
        return node.isoformat()
    return node
