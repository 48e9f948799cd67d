"""Rules between columns, in a small language that can be read aloud and cannot do harm.

    rearrested == 1 or weeks_observed == 52
    missing(disposal_date) or disposal_date >= offence_date
    days(released, arrested) <= 365

Comparisons, `and`, `or`, `not`, `in`, `+ - *`, `missing(x)` and `days(from, to)`; nothing else is
accepted. Logic is three-valued, as in SQL: a comparison with a missing value is neither true nor
false, and a rule is broken only where it is definitely false.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.refusal import Refusal

Bools = NDArray[np.bool_]
_OPERATORS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult)
LONGEST = 2000
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FUNCTIONS = {"missing": 1, "days": 2}


class RuleRefused(Refusal):
    """A rule that is not in the small language of rules."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A rule's text, parsed and found harmless; two are equal when their texts are."""

    text: str

    def __post_init__(self) -> None:
        try:
            _check(_tree(self.text), self.text, boolean=True)
        except RecursionError:
            raise _refused(self.text[:60] + "...", "parts within parts, hundreds deep") from None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that the rule names, in order of appearance."""
        found = [
            node
            for node in ast.walk(_tree(self.text))
            if isinstance(node, ast.Name) and node.id not in _FUNCTIONS
        ]
        found.sort(key=lambda node: node.col_offset)
        return tuple(dict.fromkeys(node.id for node in found))

    def broken(self, frame: pd.DataFrame) -> Bools:
        """(rows,) bool: where the rule is definitely false."""
        return _truth(_tree(self.text), frame)[1]

    def holding(self, frame: pd.DataFrame) -> Bools:
        """(rows,) bool: where the rule is definitely true."""
        return _truth(_tree(self.text), frame)[0]


def _tree(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise _refused(text[:60] + "...", f"{len(text):,} characters")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _refused(text, "text that does not parse") from None


def _check(node: ast.expr, text: str, *, boolean: bool) -> None:
    """Refuse every construct outside the language."""
    if boolean:
        if isinstance(node, ast.BoolOp):
            for part in node.values:
                _check(part, text, boolean=True)
            return
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return _check(node.operand, text, boolean=True)
        if isinstance(node, ast.Compare):
            return _check_compare(node, text)
        if isinstance(node, ast.Call) and _function(node) == "missing":
            return _check_call(node, text)
        raise _refused(text, "a part that is neither true nor false")
    if isinstance(node, ast.Name):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        return
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _check(node.operand, text, boolean=False)
    if isinstance(node, ast.BinOp) and isinstance(node.op, _ARITHMETIC):
        _check(node.left, text, boolean=False)
        return _check(node.right, text, boolean=False)
    if isinstance(node, ast.Call) and _function(node) == "days":
        return _check_call(node, text)
    raise _refused(text, f"a construct it does not have ({type(node).__name__})")


def _check_compare(node: ast.Compare, text: str) -> None:
    if len(node.ops) != 1:
        raise _refused(text, "a chain of comparisons (write `a <= b and b <= c`)")
    _check(node.left, text, boolean=False)
    right = node.comparators[0]
    if isinstance(node.ops[0], (ast.In, ast.NotIn)):
        if not isinstance(right, (ast.List, ast.Tuple)) or not all(
            isinstance(e, ast.Constant) and isinstance(e.value, (str, int, float)) for e in right.elts
        ):
            raise _refused(text, "`in` without a list of constants")
        return
    if type(node.ops[0]) not in _OPERATORS:
        raise _refused(text, f"a comparison it does not have ({type(node.ops[0]).__name__})")
    _check(right, text, boolean=False)


def _check_call(node: ast.Call, text: str) -> None:
    name = _function(node)
    if node.keywords or len(node.args) != _FUNCTIONS[name]:
        raise _refused(text, f"`{name}` with the wrong number of arguments")
    for argument in node.args:
        if not isinstance(argument, ast.Name):
            raise _refused(text, f"`{name}` of something that is not a column")


def _function(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS else ""


def _refused(text: str, what: str) -> RuleRefused:
    return RuleRefused(
        where=f"rule `{text}`",
        found=what,
        expected="comparisons joined by and, or, not; in [..]; + - *; missing(column); days(from, to)",
        remedy="Rewrite the rule, or compute the column at its source.",
    )


def _truth(node: ast.expr, frame: pd.DataFrame) -> tuple[Bools, Bools]:
    """(where true, where false); a row in neither is unknown."""
    if isinstance(node, ast.BoolOp):
        parts = [_truth(part, frame) for part in node.values]
        true = np.stack([t for t, _ in parts])
        false = np.stack([f for _, f in parts])
        if isinstance(node.op, ast.And):
            return true.all(axis=0), false.any(axis=0)
        return true.any(axis=0), false.all(axis=0)
    if isinstance(node, ast.UnaryOp):
        true_part, false_part = _truth(node.operand, frame)
        return false_part, true_part
    if isinstance(node, ast.Call):
        assert isinstance(node.args[0], ast.Name)
        gone = frame[node.args[0].id].isna().to_numpy(dtype=bool)
        return gone, ~gone
    assert isinstance(node, ast.Compare)
    left = _value(node.left, frame)
    op = node.ops[0]
    if isinstance(op, (ast.In, ast.NotIn)):
        constants = [_dated(e.value, left) for e in node.comparators[0].elts]  # type: ignore[attr-defined]
        held = pd.Series(left).isin(constants).to_numpy(dtype=bool)
        held = held if isinstance(op, ast.In) else ~held
        known = ~_missing(left, len(frame))
        return held & known, ~held & known
    right = _value(node.comparators[0], frame)
    left, right = _dated(left, right), _dated(right, left)
    known = ~(_missing(left, len(frame)) | _missing(right, len(frame)))
    held = _compare(op, left, right, len(frame))
    return held & known, ~held & known


def _compare(op: ast.cmpop, left: Any, right: Any, rows: int) -> Bools:
    held = _OPERATORS[type(op)](left, right)
    if isinstance(held, pd.Series):
        return held.fillna(False).to_numpy(dtype=bool)
    return np.full(rows, bool(held))


def _value(node: ast.expr, frame: pd.DataFrame) -> Any:
    if isinstance(node, ast.Name):
        return frame[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp):
        return -_value(node.operand, frame)
    if isinstance(node, ast.Call):
        start, end = (_value(argument, frame) for argument in node.args)
        return (end - start).dt.days
    assert isinstance(node, ast.BinOp)
    left, right = _real(_value(node.left, frame)), _real(_value(node.right, frame))
    if isinstance(node.op, ast.Add):
        return left + right
    return left - right if isinstance(node.op, ast.Sub) else left * right


def _real(value: Any) -> Any:
    """Whole numbers as real ones: their products do not run over."""
    whole = isinstance(value, pd.Series) and value.dtype.kind in "iu"
    return value.astype("float64") if whole else value


def _dated(value: Any, other: Any) -> Any:
    """A constant beside a column of dates is a date."""
    if isinstance(value, str) and isinstance(other, pd.Series) and other.dtype.kind == "M":
        day = iso_day(value)
        if day is None:
            raise _refused(value, "a day in another form than YYYY-MM-DD, or one that no calendar has")
        return pd.Timestamp(day)
    return value


def iso_day(text: str) -> date | None:
    """The day that YYYY-MM-DD says; 03/02/2024 is never read two ways."""
    try:
        return date.fromisoformat(text) if _ISO.fullmatch(text) else None
    except ValueError:
        return None


def _missing(value: Any, rows: int) -> Bools:
    if isinstance(value, pd.Series):
        return value.isna().to_numpy(dtype=bool)
    return np.zeros(rows, dtype=bool)
