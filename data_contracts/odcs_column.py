"""One column of a contract, from the standard's `properties` and this house's custom ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from data_contracts.convert import FORMAT_LETTERS
from data_contracts.declared import build, read
from data_contracts.odcs_parts import (
    block,
    custom_properties,
    dated,
    day,
    finite,
    flag,
    need,
    refused,
    texts,
)
from data_contracts.refusal import Refusal, nearest
from data_contracts.table import CodeList, Column, DisclosureRole, Scalar, Sensitivity

COLUMN_PROPERTIES = frozenset(
    {
        "codeList",
        "disclosureRole",
        "identifier",
        "labels",
        "marginal",
        "mayBeEmpty",
        "missingCodes",
        "isYear",
        "structuralZeros",
        "unit",
    }
)
OPTIONS = {
    "string": {"pattern", "maxLength"},
    "integer": {"minimum", "maximum", "exclusiveMinimum"},
    "number": {"minimum", "maximum", "exclusiveMinimum"},
    "boolean": set[str](),
    "date": {"format", "minimum", "maximum"},
    "timestamp": {"format", "minimum", "maximum"},
}
_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def column_from(item: Mapping[str, Any], where: str) -> Column:
    """The column that an entry of `properties` declares."""
    dtype = item.get("logicalType")
    if dtype not in OPTIONS:
        raise refused(
            f"{where}.logicalType", f"'{dtype}'", f"one of {', '.join(OPTIONS)}", "Name the column's type."
        )
    options = item.get("logicalTypeOptions") or {}
    for key in options:
        if key not in OPTIONS[dtype]:
            raise refused(
                f"{where}.logicalTypeOptions.{key}",
                "an option that is not checked here",
                f"options for {dtype}: {', '.join(sorted(OPTIONS[dtype])) or 'none'}",
                nearest(key, OPTIONS[dtype]),
            )
    extra = custom_properties(item, COLUMN_PROPERTIES, where)
    allowed = _allowed(item.get("quality") or [], dtype, where)
    labels = texts(extra.get("labels"), f"{where}.labels")
    _labelled(labels, allowed, where)
    known = read(
        dict[str, Any],
        {"classification": item.get("classification"), "disclosureRole": extra.get("disclosureRole")},
        path=where,
    )
    try:
        return Column(
            dtype=dtype,
            meaning=need(item, "description", where),
            unit=need(extra, "unit", where),
            sensitivity=_member(Sensitivity, known["classification"], f"{where}.classification"),
            role=_member(DisclosureRole, known["disclosureRole"], f"{where}.disclosureRole"),
            nullable=not item.get("required", False),
            unique=bool(item.get("unique", False)),
            minimum=_bound(options, "minimum", dtype, where),
            maximum=_bound(options, "maximum", dtype, where),
            above=finite(options["exclusiveMinimum"], f"{where}.exclusiveMinimum")
            if "exclusiveMinimum" in options
            else None,
            allowed=allowed,
            labels=labels,
            code_list=build(CodeList, dated(extra["codeList"], f"{where}.codeList"), path=f"{where}.codeList")
            if "codeList" in extra
            else None,
            pattern=_pattern(options, where),
            max_length=options.get("maxLength"),
            format=_format(options, where),
            source_name=item.get("physicalName"),
            missing_codes=texts(extra.get("missingCodes"), f"{where}.missingCodes"),
            identifier=_identifier(extra.get("identifier"), dtype, where),
            refers_to=_reference(item.get("relationships") or [], where),
            is_year=flag(extra.get("isYear", False), f"{where}.isYear"),
            structural_zeros=flag(extra.get("structuralZeros", False), f"{where}.structuralZeros"),
            may_be_empty=flag(extra.get("mayBeEmpty", False), f"{where}.mayBeEmpty"),
            marginal=block(extra.get("marginal"), f"{where}.marginal"),
        )
    except Refusal as error:
        prefix = "" if error.where.startswith(where) else f"{where}."
        raise type(error)(
            where=f"{prefix}{error.where}", found=error.found, expected=error.expected, remedy=error.remedy
        ) from None


def _allowed(quality: list[Mapping[str, Any]], dtype: str, where: str) -> tuple[Scalar, ...] | None:
    """The values of a `metric: invalidValues` entry; any other check on a column is refused."""
    allowed: tuple[Scalar, ...] | None = None
    for entry in quality:
        if entry.get("type") == "text":
            continue
        arguments = entry.get("arguments") or {}
        values = arguments.get("validValues")
        plain = set(arguments) == {"validValues"} and entry.get("unit") in (None, "rows")
        counted = entry.get("metric") == "invalidValues" and entry.get("mustBe") == 0
        if not counted or not plain or not isinstance(values, list) or not values:
            raise refused(
                f"{where}.quality",
                "a check that is not run here",
                "`metric: invalidValues` with `arguments: {validValues: [...]}` and `mustBe: 0`",
                "Put rules between columns under the table's `quality`.",
            )
        if allowed is not None:
            raise refused(f"{where}.quality", "a second list of allowed values", "one list", "Join the two.")
        allowed = tuple(values)
    kinds = _SCALARS.get(dtype, ())
    if allowed is not None and not all(
        isinstance(value, kinds) and (dtype == "boolean") == isinstance(value, bool) for value in allowed
    ):
        raise refused(
            f"{where}.quality",
            f"allowed values that no {dtype} can be",
            f"values of the type {dtype}" if kinds else "no list: dates have bounds",
            "Put codes that are text in quotes, and take numbers out of them.",
        )
    return allowed


def _labelled(labels: Mapping[str, str], allowed: tuple[Scalar, ...] | None, where: str) -> None:
    """Refuse a label of a code that the column may not hold."""
    codes = {str(code) for code in allowed or ()}
    for code in labels:
        if allowed is not None and code not in codes:
            raise refused(
                f"{where}.labels",
                f"a label for '{code}'",
                "labels of allowed values",
                nearest(code, codes),
            )


def _bound(options: Mapping[str, Any], name: str, dtype: str, where: str) -> float | date | None:
    if name not in options:
        return None
    place = f"{where}.{name}"
    return day(options[name], place) if dtype in ("date", "timestamp") else finite(options[name], place)


def _pattern(options: Mapping[str, Any], where: str) -> str | None:
    pattern: str | None = options.get("pattern")
    if pattern is not None:
        try:
            re.compile(pattern)
        except re.error:
            raise refused(
                f"{where}.pattern", "a pattern that does not compile", "a regular expression", "Correct it."
            ) from None
    return pattern


def _format(options: Mapping[str, Any], where: str) -> str | None:
    """The form of a date, every letter of it known."""
    form: str | None = options.get("format")
    if form is None:
        return None
    letters = re.sub(r"'[^']*'", "", form)
    left = re.sub("|".join(FORMAT_LETTERS), "", letters)
    if "%" in form or re.search(r"[A-Za-z']", left) or left == letters:
        raise refused(
            f"{where}.format",
            f"'{form}'",
            f"a form made of {', '.join(FORMAT_LETTERS)}, and other letters in single quotes",
            "Capitals matter: dd/MM/yyyy, with mm for minutes.",
        )
    return form


def _identifier(value: Any, dtype: str, where: str) -> Any:  # one of the schemes, by the Literal of Column
    if value is None:
        return None
    if value not in ("pnc", "nhs") or dtype != "string":
        raise refused(
            f"{where}.identifier",
            f"'{value}' for a column of type {dtype}",
            "pnc or nhs, for a column of type string",
            "Numbers with check digits are read as text.",
        )
    return value


def _reference(relations: list[Mapping[str, Any]], where: str) -> str | None:
    if not relations:
        return None
    to = relations[0].get("to")
    if len(relations) > 1 or not isinstance(to, str):
        raise refused(
            f"{where}.relationships",
            "more than one reference, or one of several columns",
            "`- {to: table.column}`, once",
            "Only single references are checked here.",
        )
    return to


def _member[E: (Sensitivity, DisclosureRole)](cls: type[E], value: Any, where: str) -> E:
    choices = [member.value for member in cls]
    if value not in choices:
        found = "nothing" if value is None else f"'{value}'"
        raise refused(where, found, f"one of {', '.join(choices)}", "The list is closed.")
    return cls(value)
