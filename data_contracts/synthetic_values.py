"""Plausible values for one column: from its marginal, or from its type, bounds and form."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from datetime import date
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from data_contracts.identifiers import nhs_digit, pnc_letter
from data_contracts.table import Column

_DAY = np.timedelta64(1, "D")


def base_values(column: Column, size: int, rng: np.random.Generator, latest: date) -> pd.Series:
    """(size,) values in the column's type, without gaps, unless nothing but gaps is allowed."""
    marginal = column.marginal
    if column.may_be_empty and not marginal:
        return _typed([None] * size, column)
    if "sequence" in marginal:
        return _typed([str(marginal["sequence"]).format(number) for number in range(1, size + 1)], column)
    if "row" in marginal:
        return _typed(list(range(1, size + 1)), column)
    if "constant" in marginal:
        return _typed([marginal["constant"]] * size, column)
    if "shares" in marginal:
        return _shares(column, marginal["shares"], size, rng)
    if column.dtype in ("date", "timestamp"):
        return _dates(column, size, rng, latest)
    if column.dtype in ("integer", "number"):
        return _numbers(column, size, rng)
    if column.allowed is not None:
        return _typed([column.allowed[i] for i in rng.integers(0, len(column.allowed), size)], column)
    if column.dtype == "boolean":
        return _typed(list(rng.random(size) < 0.5), column)
    if column.identifier is not None:
        return _typed(_identifiers(column.identifier, size, rng), column)
    if column.pattern is not None:
        return _typed(_patterned(column.pattern, size, rng, distinct=column.unique), column)
    return _typed([f"value {number}" for number in range(1, size + 1)], column)


def crossed_frame(columns: Mapping[str, Column]) -> pd.DataFrame | None:
    """Every combination of the columns with `cross` or `cross_months`; None where there are none."""
    values: dict[str, list[Any]] = {}
    for name, column in columns.items():
        if "cross" in column.marginal:
            values[name] = list(column.marginal["cross"])
        elif "cross_months" in column.marginal:
            first, last = column.marginal["cross_months"]
            values[name] = list(pd.date_range(f"{first}-01", f"{last}-01", freq="MS"))
    if not values:
        return None
    frame = pd.DataFrame(list(product(*values.values())), columns=list(values))
    for name in values:
        frame[name] = _typed(list(frame[name]), columns[name])
    return frame


def missing_value(column: Column) -> Any:
    """What stands for nothing in the column's type."""
    return pd.NaT if column.dtype in ("date", "timestamp") else np.nan


def _typed(values: list[Any], column: Column) -> pd.Series:
    if column.dtype == "string":
        return pd.Series([None if v is None else str(v) for v in values], dtype="str")
    if column.dtype in ("date", "timestamp"):
        return pd.Series(pd.to_datetime(pd.Series(values, dtype="object"))).astype("datetime64[us]")
    if column.dtype == "boolean":
        return pd.Series(values, dtype="bool" if None not in values else "float64")
    whole = column.dtype == "integer" and not column.nullable and None not in values
    return pd.Series(values, dtype="int64" if whole else "float64")


def _shares(column: Column, shares: Mapping[Any, float], size: int, rng: np.random.Generator) -> pd.Series:
    weights = np.array([float(share) for share in shares.values()])
    picked = rng.choice(len(weights), size, p=weights / weights.sum())
    names = list(shares)
    if column.dtype == "string":
        values: list[Any] = [str(names[i]) for i in picked]
    else:
        values = [float(names[i]) for i in picked]
    return _typed(values, column)


def _dates(column: Column, size: int, rng: np.random.Generator, latest: date) -> pd.Series:
    given = column.marginal.get("dates")
    low = date.fromisoformat(given[0]) if given else (column.minimum or date(2020, 1, 1))
    high = date.fromisoformat(given[1]) if given else (column.maximum or latest)
    assert isinstance(low, date) and isinstance(high, date)
    high = min(high, latest)
    first = np.datetime64(low, "D")
    span = max((high - low).days, 0)
    days = rng.integers(0, span + 1, size)
    whens = (first + days * _DAY).astype("datetime64[us]")
    if column.dtype == "timestamp":
        whens = whens + rng.integers(0, 23 * 60, size) * np.timedelta64(1, "m")
    if column.format and "dd" not in column.format:
        whens = whens.astype("datetime64[M]").astype("datetime64[us]")
    return pd.Series(whens)


def _numbers(column: Column, size: int, rng: np.random.Generator) -> pd.Series:
    marginal = column.marginal
    if column.allowed is not None:
        return _typed([column.allowed[i] for i in rng.integers(0, len(column.allowed), size)], column)
    low = _low(column)
    high = float(column.maximum) if isinstance(column.maximum, (int, float)) else max(low + 100.0, 100.0)
    if "poisson" in marginal:
        values = rng.poisson(float(marginal["poisson"]), size).astype(np.float64)
    elif "normal" in marginal:
        mean, sd = marginal["normal"]
        values = rng.normal(float(mean), float(sd), size)
    else:
        low_end, high_end = marginal.get("uniform", (low, high))
        whole = column.dtype == "integer"
        values = rng.uniform(float(low_end) - 0.5 * whole, float(high_end) + 0.5 * whole, size)
    if column.dtype == "integer":
        values = np.rint(values)
    if column.unique:
        values = low + np.arange(size, dtype=np.float64)
    top = float(column.maximum) if isinstance(column.maximum, (int, float)) else np.inf
    bottom = low if column.minimum is not None or column.above is not None else -np.inf
    return _typed(list(np.clip(values, bottom, top)), column)


def _low(column: Column) -> float:
    if isinstance(column.minimum, (int, float)):
        return float(column.minimum)
    if column.above is not None:
        return column.above + (1.0 if column.dtype == "integer" else 1e-6)
    return 0.0


def _identifiers(scheme: str, size: int, rng: np.random.Generator) -> list[str]:
    """Valid numbers, in order, so that each person has one; they are nobody's but by chance."""
    start = int(rng.integers(1, 1_000_000))
    if scheme == "pnc":
        return [f"99/{start + i:07d}{pnc_letter(99, start + i)}" for i in range(size)]
    numbers: list[str] = []
    candidate = 999_000_000 + start % 100_000
    while len(numbers) < size:
        nine = str(candidate)
        if nhs_digit(nine) != 10:
            numbers.append(nine + str(nhs_digit(nine)))
        candidate += 1
    return numbers


def _patterned(pattern: str, size: int, rng: np.random.Generator, *, distinct: bool) -> list[str]:
    """Texts of the form `pattern`; distinct ones where asked, as far as the form has so many."""
    parse = re._parser.parse  # type: ignore[attr-defined]  # the parse tree has no public door
    tree = parse(pattern)
    out: list[str] = []
    seen: set[str] = set()
    for _ in range(20 * size):
        if len(out) == size:
            break
        text = _sample(tree, rng)
        if distinct and text in seen:
            continue
        seen.add(text)
        out.append(text)
    return out if len(out) == size else [out[i % len(out)] for i in range(size)]


def _sample(tree: Any, rng: np.random.Generator) -> str:
    """A text that a parsed regular expression matches; at most three repeats of what has no upper bound."""
    out = ""
    for op, value in tree:
        name = str(op)
        if name == "LITERAL":
            out += chr(value)
        elif name == "NOT_LITERAL":
            out += "a" if chr(value) != "a" else "b"
        elif name == "IN":
            out += _one_of(value, rng)
        elif name == "ANY":
            out += "a"
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, inner = value
            times = int(rng.integers(int(low), min(int(high), int(low) + 3) + 1))
            out += "".join(_sample(inner, rng) for _ in range(times))
        elif name == "SUBPATTERN":
            out += _sample(value[-1], rng)
        elif name == "BRANCH":
            branches = value[1]
            out += _sample(branches[int(rng.integers(0, len(branches)))], rng)
    return out


def _one_of(members: Any, rng: np.random.Generator) -> str:
    choices: list[str] = []
    negated = False
    for op, value in members:
        if str(op) == "NEGATE":
            negated = True
        elif str(op) == "LITERAL":
            choices.append(chr(value))
        elif str(op) == "RANGE":
            choices += [chr(c) for c in range(value[0], value[1] + 1)]
        elif str(op) == "CATEGORY":
            choices += list(string.digits) if "DIGIT" in str(value) else list("abc")
    if negated:
        choices = [sign for sign in string.ascii_letters + string.digits if sign not in choices] or ["_"]
    return choices[int(rng.integers(0, len(choices)))]
