"""A `TableContract` as Open Data Contract Standard 3.1: plain dictionaries, and YAML that people edit.

The inverse of `data_contracts/odcs.py`: `contract_from(as_odcs(c)) == c`.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import yaml

from data_contracts.declared import plain
from data_contracts.table import Column, TableContract


def as_odcs(contract: TableContract) -> dict[str, Any]:
    """The contract as the standard's plain dictionaries."""
    node: dict[str, Any] = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": contract.name,
        "version": contract.version,
        "status": contract.status,
        "name": contract.title,
        "description": _without_none(
            purpose=contract.purpose, limitations=contract.limitations, usage=contract.usage
        ),
    }
    if contract.sources:
        node["authoritativeDefinitions"] = [{"url": u, "type": t} for u, t in contract.sources.items()]
    value, _, unit = contract.retention.rpartition(" ")
    if not value.replace(".", "").isdigit():
        value, unit = contract.retention, ""
    node["slaProperties"] = [
        {
            "property": "retention",
            "value": int(value) if value.isdigit() else value,
            **({"unit": unit} if unit else {}),
        }
    ]
    extra: dict[str, Any] = {}
    if contract.person:
        extra["personKey"] = contract.person
    if contract.may_have_no_rows:
        extra["mayHaveNoRows"] = True
    if contract.keyless:
        extra["keyless"] = contract.keyless
    extra["controller"] = contract.controller
    extra["lawfulBasis"] = contract.lawful_basis
    extra["vintage"] = _dates(plain(contract.vintage))
    layout = {_camel(key): value for key, value in plain(contract.layout).items()}
    if layout:
        extra["layout"] = layout
    if contract.recording_breaks:
        extra["recordingBreaks"] = list(contract.recording_breaks)
    node["customProperties"] = _custom(extra)
    table: dict[str, Any] = {
        "name": contract.name,
        "logicalType": "object",
        "physicalType": "file",
        "dataGranularityDescription": contract.grain,
    }
    if contract.rules:
        table["quality"] = [
            {"name": r.name, "type": "custom", "engine": "desist", "implementation": r.holds.text}
            for r in contract.rules
        ]
    table["properties"] = [_column(name, column, contract.key) for name, column in contract.columns.items()]
    node["schema"] = [table]
    return node


def dumps_contract(contract: TableContract) -> str:
    """The contract as the text of an `.odcs.yaml` file."""
    return yaml.dump(as_odcs(contract), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _column(name: str, column: Column, key: tuple[str, ...]) -> dict[str, Any]:
    out: dict[str, Any] = {"name": name}
    if column.source_name:
        out["physicalName"] = column.source_name
    if name in key:
        out |= {"primaryKey": True, "primaryKeyPosition": key.index(name) + 1}
    out["logicalType"] = column.dtype
    if not column.nullable:
        out["required"] = True
    if column.unique:
        out["unique"] = True
    out["description"] = column.meaning
    out["classification"] = str(column.sensitivity)
    options = _without_none(
        format=column.format,
        pattern=column.pattern,
        maxLength=column.max_length,
        minimum=_bound(column.minimum),
        maximum=_bound(column.maximum),
        exclusiveMinimum=column.above,
    )
    if options:
        out["logicalTypeOptions"] = options
    if column.refers_to:
        out["relationships"] = [{"to": column.refers_to}]
    if column.allowed is not None:
        values = {"validValues": list(column.allowed)}
        out["quality"] = [{"metric": "invalidValues", "arguments": values, "mustBe": 0}]
    extra: dict[str, Any] = {"unit": column.unit, "disclosureRole": str(column.role)}
    if column.labels:
        extra["labels"] = dict(column.labels)
    if column.code_list:
        extra["codeList"] = _dates(plain(column.code_list))
    if column.missing_codes:
        extra["missingCodes"] = dict(column.missing_codes)
    if column.identifier:
        extra["identifier"] = column.identifier
    if column.is_year:
        extra["isYear"] = True
    if column.structural_zeros:
        extra["structuralZeros"] = True
    if column.may_be_empty:
        extra["mayBeEmpty"] = True
    if column.marginal:
        extra["marginal"] = plain(column.marginal)
    out["customProperties"] = _custom(extra)
    return out


def _custom(extra: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"property": key, "value": value} for key, value in extra.items()]


def _without_none(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _bound(value: float | date | None) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _dates(node: Any) -> Any:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in node.items()}


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), name)


class _Dumper(yaml.SafeDumper):
    """Blocks for structure, one line for small things, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        node = super().represent_mapping(tag, mapping, flow_style)
        small = set(mapping) in (
            {"property", "value"},
            {"property", "value", "unit"},
            {"to"},
            {"validValues"},
        )
        if small or (mapping and set(mapping) <= _OPTION_KEYS):
            node.flow_style = True
        return node


_OPTION_KEYS = {"format", "pattern", "maxLength", "minimum", "maximum", "exclusiveMinimum"}
