"""Cells to typed columns, exactly as the contract declares them; what does not convert is a breach.

A number is digits; a date has the declared form and exists in the calendar; `01/02/2020` is never
read two ways. Empty cells, missing codes and the layout's marks become missing, and their reasons
are counted. Whole numbers are int64, or float64 with NaN where the column may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.ods import DATE_MARK
from data_contracts.table import ROWS_SHOWN, Breach, Column, TableContract

Bools = NDArray[np.bool_]
_INTEGER = r"[+-]?\d+(?:\.0*)?"
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_FORMAT = {
    "yyyy": ("%Y", r"\d{4}"),
    "yy": ("%y", r"\d{2}"),
    "MMMM": ("%B", r"[A-Za-z]+"),
    "MMM": ("%b", r"[A-Za-z]{3}"),
    "MM": ("%m", r"\d{2}"),
    "dd": ("%d", r"\d{2}"),
    "d": ("%d", r"\d{1,2}"),
    "M": ("%m", r"\d{1,2}"),
    "HH": ("%H", r"\d{2}"),
    "mm": ("%M", r"\d{2}"),
    "ss": ("%S", r"\d{2}"),
}
EXACT = 2**53
"""Whole numbers below it are themselves as floats; from there on a digit may be lost in silence."""
FORMAT_LETTERS = ("yyyy", "yy", "MMMM", "MMM", "MM", "M", "dd", "d", "HH", "mm", "ss")
_TOKEN = re.compile("|".join((*FORMAT_LETTERS, "'([^']*)'", ".")))


@dataclass(slots=True)
class Converted:
    """The typed frame, where cells did not convert (`unread`, by column), and why values are missing."""

    frame: pd.DataFrame
    breaches: list[Breach] = field(default_factory=list)
    unread: dict[str, Bools] = field(default_factory=dict)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)


def convert(cells: pd.DataFrame, contract: TableContract) -> Converted:
    """`cells` (already under the contract's column names) in the contract's types."""
    out = Converted(frame=pd.DataFrame(index=pd.RangeIndex(len(cells))))
    columns: dict[str, pd.Series] = {}
    for name, column in contract.columns.items():
        series = cells[name].reset_index(drop=True)
        reasons = {**contract.layout.marks, **column.missing_codes}
        if is_text(series):
            text, dates = _marked_dates(clean_text(series, contract), column)
            text, counts = _without_codes(text, reasons)
            typed, bad = from_text(text, column)
            if dates is not None:
                typed, bad = typed.where(dates.isna(), dates), bad & dates.isna().to_numpy(dtype=bool)
        else:
            typed, bad = from_typed(series, column)
            typed, counts = _without_typed_codes(typed, reasons, column)
        if counts:
            out.missing[name] = counts
        if bad.any():
            out.breaches.append(breach(name, f"not {describe(column)}", bad))
            out.unread[name] = bad
        columns[name] = typed
    out.frame = pd.DataFrame(columns, index=pd.RangeIndex(len(cells)))
    return out


def breach(column: str, rule: str, broken: Bools) -> Breach:
    """A breach from a (rows,) mask."""
    rows = np.flatnonzero(broken)
    return Breach(
        column=column, rule=rule, count=len(rows), rows=tuple(int(row) + 1 for row in rows[:ROWS_SHOWN])
    )


def describe(column: Column) -> str:
    """What a cell of the column must look like, in words."""
    return {
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "date": f"a date as {column.format}",
        "timestamp": f"a time as {column.format}",
    }[column.dtype]


def is_text(series: pd.Series) -> bool:
    """Whether the cells are text (or nothing at all), to be read by form."""
    return isinstance(series.dtype, pd.StringDtype) or (
        series.dtype == object and pd.api.types.infer_dtype(series, skipna=True) in ("string", "empty")
    )


def clean_text(series: pd.Series, contract: TableContract) -> pd.Series:
    """Text as the layout promises: footnote marks off, spaces off where it says so; empty is missing."""
    text = series.astype("str")
    layout = contract.layout
    if layout.trim:
        text = text.str.strip()
    if layout.footnotes:
        text = text.str.replace(rf"\s*(?:{layout.footnotes})\s*$", "", regex=True)
    return text.mask(text == "")


def _marked_dates(text: pd.Series, column: Column) -> tuple[pd.Series, pd.Series | None]:
    """(text, dates that a workbook typed as dates): a true date is exact, whatever the declared form."""
    marked = text.str.startswith(DATE_MARK).fillna(False)
    if not marked.any():
        return text, None
    plain = text.str.removeprefix(DATE_MARK)
    if column.dtype not in ("date", "timestamp"):
        return plain, None
    form = "%Y-%m-%d" if column.dtype == "date" else "ISO8601"
    dates = pd.to_datetime(plain.where(marked), format=form, errors="coerce")
    return plain, dates.astype("datetime64[us]")


def _without_codes(text: pd.Series, reasons: Mapping[str, str]) -> tuple[pd.Series, dict[str, int]]:
    counts: dict[str, int] = {}
    for code, reason in reasons.items():
        hit = (text == code).to_numpy(dtype=bool)
        if hit.any():
            counts[reason] = counts.get(reason, 0) + int(hit.sum())
            text = text.mask(hit)
    return text, counts


def _without_typed_codes(
    typed: pd.Series, reasons: Mapping[str, str], column: Column
) -> tuple[pd.Series, dict[str, int]]:
    """The same for a column that its file typed: a code stands for the value that its text would be."""
    counts: dict[str, int] = {}
    if column.dtype == "string":
        return typed, counts
    for code, reason in reasons.items():
        values, unread = from_text(pd.Series([code], dtype="str"), column)
        hit = (
            np.zeros(len(typed), dtype=bool) if unread[0] else (typed == values.iloc[0]).to_numpy(dtype=bool)
        )
        if hit.any():
            counts[reason] = counts.get(reason, 0) + int(hit.sum())
            typed = typed.mask(hit)
    return typed, counts


def from_text(text: pd.Series, column: Column) -> tuple[pd.Series, Bools]:
    """(typed, where it did not convert) for a column of text with NaN where missing."""
    gone = text.isna().to_numpy(dtype=bool)
    if column.dtype == "string":
        return text, np.zeros(len(text), dtype=bool)
    if column.dtype in ("integer", "number"):
        form = _INTEGER if column.dtype == "integer" else _NUMBER
        good = text.str.fullmatch(form).fillna(False).to_numpy(dtype=bool)
        numbers = pd.to_numeric(text.where(good), errors="coerce").astype("float64")
        largest = EXACT if column.dtype == "integer" else np.inf
        good = good & (gone | (numbers.abs() < largest).to_numpy(dtype=bool))
        return _numeric(numbers.where(good), column), ~good & ~gone
    if column.dtype == "boolean":
        lower = text.str.lower()
        values = lower.map({"true": 1.0, "false": 0.0}).astype("float64")
        bad = values.isna().to_numpy(dtype=bool) & ~gone
        return (values if gone.any() or bad.any() else values.astype(bool)), bad
    assert column.format is not None
    directive, form = date_form(column.format)
    good = text.str.fullmatch(form).fillna(False).to_numpy(dtype=bool)
    dates = pd.to_datetime(text.where(good), format=directive, errors="coerce")
    return dates, (dates.isna().to_numpy(dtype=bool) & ~gone)


def from_typed(series: pd.Series, column: Column) -> tuple[pd.Series, Bools]:
    """(typed, where it did not convert) for a column that its file already typed (Parquet)."""
    gone = series.isna().to_numpy(dtype=bool)
    kind = getattr(series.dtype, "kind", "O")
    if series.dtype == object:
        held = pd.api.types.infer_dtype(series, skipna=True)
        if held in ("date", "datetime"):
            series = pd.to_datetime(series, errors="coerce")
            kind = series.dtype.kind
        elif held == "boolean":
            series, kind = series.astype("float64"), "b"
    fits = {
        "string": "",
        "integer": "iuf",
        "number": "iuf",
        "boolean": "b",
        "date": "M",
        "timestamp": "M",
    }[column.dtype]
    if kind not in fits or getattr(series.dtype, "tz", None) is not None:
        return _nothing(len(series), column), ~gone
    if column.dtype == "integer":
        bad = np.zeros(len(series), dtype=bool)
        if kind == "f":
            bad = (series % 1 != 0).to_numpy(dtype=bool) & ~gone
        if kind == "u" or kind == "f" or column.nullable:
            bad |= ~(series.abs() < EXACT).to_numpy(dtype=bool) & ~gone
        return _numeric(series, column), bad
    if column.dtype == "number":
        numbers = series.astype("float64")
        return numbers, np.isinf(numbers.to_numpy())
    if column.dtype == "date":
        return series, (series != series.dt.normalize()).to_numpy(dtype=bool) & ~gone
    return series, np.zeros(len(series), dtype=bool)


def _nothing(rows: int, column: Column) -> pd.Series:
    """A column of the right type with no values."""
    if column.dtype == "string":
        return pd.Series([None] * rows, dtype="str")
    if column.dtype in ("date", "timestamp"):
        return pd.Series(np.full(rows, np.datetime64("NaT", "us")))
    return pd.Series(np.full(rows, np.nan))


def _numeric(numbers: pd.Series, column: Column) -> pd.Series:
    """int64 where nothing can be missing, float64 otherwise."""
    if column.dtype == "integer" and not column.nullable and not numbers.isna().any():
        return numbers.astype("int64")
    return numbers.astype("float64")


def date_form(form: str) -> tuple[str, str]:
    """(strptime directive, regular expression) of a JDK date form such as `dd/MM/yyyy`."""
    directive, pattern = "", ""
    for match in _TOKEN.finditer(form):
        token = match.group(0)
        if token in _FORMAT:
            part, expression = _FORMAT[token]
        else:
            literal = match.group(1) if match.group(1) is not None else token
            part, expression = literal.replace("%", "%%"), re.escape(literal)
        directive += part
        pattern += expression
    return directive, pattern
