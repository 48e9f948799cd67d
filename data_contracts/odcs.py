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

import pandas as pd

from data_contracts.declared import build, read
from data_contracts.expression import Expression
from data_contracts.layout import Layout
from data_contracts.refusal import Refusal, nearest
from data_contracts.safe_yaml import parse_yaml, read_yaml
from data_contracts.table import (
    CodeList,
    Column,
    ContractRefused,
    DisclosureRole,
    Rule,
    Scalar,
    Sensitivity,
    TableContract,
    Vintage,
)

SCHEMA = Path(__file__).parent / "standard" / "odcs-json-schema-v3.1.0.json"
TABLE_PROPERTIES = frozenset(
    {"controller", "keyless", "lawfulBasis", "layout", "personKey", "recordingBreaks", "vintage"}
)
COLUMN_PROPERTIES = frozenset(
    {
        "codeList",
        "disclosureRole",
        "identifier",
        "labels",
        "marginal",
        "mayBeEmpty",
        "missingCodes",
        "structuralZeros",
        "unit",
    }
)
_OPTIONS = {
    "string": {"pattern", "maxLength"},
    "integer": {"minimum", "maximum", "exclusiveMinimum"},
    "number": {"minimum", "maximum", "exclusiveMinimum"},
    "boolean": set[str](),
    "date": {"format", "minimum", "maximum"},
    "timestamp": {"format", "minimum", "maximum"},
}


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
        raise _refused(
            f"{where}: schema", f"{len(tables)} tables", "one table to a contract", "Split the file."
        )
    table = tables[0]
    extra = _custom(node, TABLE_PROPERTIES, where)
    properties = table.get("properties") or []
    columns: dict[str, Column] = {}
    for item in properties:
        name = str(item["name"])
        if name in columns:
            raise _refused(
                f"{where}: {name}", "a second column of that name", "each column once", "Remove one."
            )
        columns[name] = _column(item, f"{where}: {name}")
    about = node.get("description") or {}
    contract = TableContract(
        name=str(table["name"]),
        version=str(node["version"]),
        status=str(node["status"]),
        title=str(node.get("name") or table.get("businessName") or table["name"]),
        purpose=_need(about, "purpose", f"{where}: description"),
        limitations=about.get("limitations"),
        usage=about.get("usage"),
        grain=_need(table, "dataGranularityDescription", f"{where}: schema[0]"),
        key=_key(properties),
        columns=columns,
        controller=_need(extra, "controller", f"{where}: customProperties"),
        lawful_basis=_need(extra, "lawfulBasis", f"{where}: customProperties"),
        retention=_retention(node, where),
        vintage=build(Vintage, _dated(_need_any(extra, "vintage", where)), path=f"{where}: vintage"),
        keyless=extra.get("keyless"),
        person=extra.get("personKey"),
        rules=tuple(_rules(table.get("quality") or [], where)),
        layout=_layout(extra.get("layout") or {}, where),
        recording_breaks=tuple(extra.get("recordingBreaks") or ()),
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


def _column(item: Mapping[str, Any], where: str) -> Column:
    dtype = item.get("logicalType")
    if dtype not in _OPTIONS:
        raise _refused(
            f"{where}.logicalType", f"'{dtype}'", f"one of {', '.join(_OPTIONS)}", "Name the column's type."
        )
    options = item.get("logicalTypeOptions") or {}
    for key in options:
        if key not in _OPTIONS[dtype]:
            raise _refused(
                f"{where}.logicalTypeOptions.{key}",
                "an option that is not checked here",
                f"options for {dtype}: {', '.join(sorted(_OPTIONS[dtype])) or 'none'}",
                nearest(key, _OPTIONS[dtype]),
            )
    extra = _custom(item, COLUMN_PROPERTIES, where)
    allowed = _allowed(item.get("quality") or [], where)
    bound = date.fromisoformat if dtype in ("date", "timestamp") else float
    pattern = options.get("pattern")
    if pattern is not None:
        try:
            re.compile(pattern)
        except re.error:
            raise _refused(
                f"{where}.pattern", "a pattern that does not compile", "a regular expression", "Correct it."
            ) from None
    references = [relation["to"] for relation in item.get("relationships") or []]
    known = read(
        dict[str, Any],
        {"classification": item.get("classification"), "disclosureRole": extra.get("disclosureRole")},
        path=where,
    )
    try:
        return Column(
            dtype=dtype,
            meaning=_need(item, "description", where),
            unit=_need(extra, "unit", where),
            sensitivity=_member(Sensitivity, known["classification"], f"{where}.classification"),
            role=_member(DisclosureRole, known["disclosureRole"], f"{where}.disclosureRole"),
            nullable=not item.get("required", False),
            unique=bool(item.get("unique", False)),
            minimum=bound(options["minimum"]) if "minimum" in options else None,
            maximum=bound(options["maximum"]) if "maximum" in options else None,
            above=options.get("exclusiveMinimum"),
            allowed=allowed,
            labels={str(k): str(v) for k, v in (extra.get("labels") or {}).items()},
            code_list=build(CodeList, _dated(extra["codeList"]), path=f"{where}.codeList")
            if "codeList" in extra
            else None,
            pattern=pattern,
            max_length=options.get("maxLength"),
            format=options.get("format"),
            source_name=item.get("physicalName"),
            missing_codes={str(k): str(v) for k, v in (extra.get("missingCodes") or {}).items()},
            identifier=extra.get("identifier"),
            refers_to=str(references[0]) if references else None,
            structural_zeros=bool(extra.get("structuralZeros", False)),
            may_be_empty=bool(extra.get("mayBeEmpty", False)),
            marginal=extra.get("marginal") or {},
        )
    except Refusal as error:
        prefix = "" if error.where.startswith(where) else f"{where}."
        raise type(error)(
            where=f"{prefix}{error.where}", found=error.found, expected=error.expected, remedy=error.remedy
        ) from None


def _allowed(quality: list[Mapping[str, Any]], where: str) -> tuple[Scalar, ...] | None:
    """The values of a `metric: invalidValues` entry; any other check on a column is refused."""
    allowed: tuple[Scalar, ...] | None = None
    for entry in quality:
        if entry.get("type") == "text":
            continue
        values = (entry.get("arguments") or {}).get("validValues")
        if entry.get("metric") != "invalidValues" or entry.get("mustBe") != 0 or not values:
            raise _refused(
                f"{where}.quality",
                "a check that is not run here",
                "`metric: invalidValues` with `arguments: {validValues: [...]}` and `mustBe: 0`",
                "Put rules between columns under the table's `quality`.",
            )
        allowed = tuple(values)
    return allowed


def _rules(quality: list[Mapping[str, Any]], where: str) -> list[Rule]:
    rules = []
    for entry in quality:
        if entry.get("type") == "text":
            continue
        if entry.get("type") != "custom" or entry.get("engine") != "desist" or "name" not in entry:
            raise _refused(
                f"{where}: quality",
                "a check that is not run here",
                "`type: custom`, `engine: desist`, a name, and the rule as `implementation`",
                "Write the rule as a comparison between columns.",
            )
        rules.append(Rule(name=str(entry["name"]), holds=Expression(str(entry["implementation"]))))
    return rules


def _check_rules(contract: TableContract, where: str) -> None:
    """Refuse a rule that compares what cannot be compared, before there are any rows."""
    types = {"string": "str", "date": "datetime64[us]", "timestamp": "datetime64[us]"}
    empty = pd.DataFrame(
        {name: pd.Series([], dtype=types.get(c.dtype, "float64")) for name, c in contract.columns.items()}
    )
    for rule in contract.rules:
        try:
            rule.holds.broken(empty)
        except (TypeError, ValueError, AttributeError):
            raise _refused(
                f"{where}: quality",
                f"the rule `{rule.holds.text}`, which compares values of different types",
                "numbers with numbers, text with text, dates with dates written 'YYYY-MM-DD'",
                "Compare the rule with the columns' logical types.",
            ) from None


def _custom(node: Mapping[str, Any], known: frozenset[str], where: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for item in node.get("customProperties") or []:
        name = str(item["property"])
        if name not in known:
            raise _refused(
                f"{where}: customProperties",
                f"'{name}'",
                "a property that means something here",
                nearest(name, known),
            )
        if name in out:
            raise _refused(
                f"{where}: customProperties", f"'{name}' a second time", "each property once", "Remove one."
            )
        out[name] = item["value"]
    return out


def _key(properties: list[Mapping[str, Any]]) -> tuple[str, ...]:
    keys = [p for p in properties if p.get("primaryKey")]
    keys.sort(key=lambda p: p.get("primaryKeyPosition", -1))
    return tuple(str(p["name"]) for p in keys)


def _retention(node: Mapping[str, Any], where: str) -> str:
    for item in node.get("slaProperties") or []:
        if item["property"] == "retention":
            return f"{item['value']} {item.get('unit', '')}".strip()
    raise _refused(
        f"{where}: slaProperties",
        "no retention",
        "`- {property: retention, value: ..., unit: y}`",
        "Say how long the table may be kept.",
    )


def _layout(node: Mapping[str, Any], where: str) -> Layout:
    snake = {
        re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), key): value for key, value in node.items()
    }
    return build(Layout, snake, path=f"{where}: layout")


def _member[E: (Sensitivity, DisclosureRole)](cls: type[E], value: Any, where: str) -> E:
    choices = [member.value for member in cls]
    if value not in choices:
        found = "nothing" if value is None else f"'{value}'"
        raise _refused(where, found, f"one of {', '.join(choices)}", "The list is closed.")
    return cls(value)


def _need(node: Mapping[str, Any], key: str, where: str) -> str:
    return str(_need_any(node, key, where)).strip()


def _need_any(node: Mapping[str, Any], key: str, where: str) -> Any:
    if node.get(key) in (None, ""):
        raise _refused(
            f"{where}.{key}", "nothing", "a value", "Write it: a contract without it is not complete."
        )
    return node[key]


def _dated(node: Any) -> Any:
    """Dates that the JSON form wrote as text, as dates again."""
    if not isinstance(node, Mapping):
        return node
    return {
        key: date.fromisoformat(value) if key in ("date", "extracted") and isinstance(value, str) else value
        for key, value in node.items()
    }


def jsonable(node: Any) -> Any:
    """YAML content as JSON has it: dates are text."""
    if isinstance(node, Mapping):
        return {str(key): jsonable(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [jsonable(item) for item in node]
    if isinstance(node, (date, datetime)):
        return node.isoformat()
    return node


def _refused(where: str, found: str, expected: str, remedy: str) -> ContractRefused:
    return ContractRefused(where=where, found=found, expected=expected, remedy=remedy)
