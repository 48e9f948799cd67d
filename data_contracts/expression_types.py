"""Whether a rule compares like with like: numbers with numbers, text with text, days with days.

Told from the columns' types alone, before there are any rows: a comparison of unlike things would be false
of every row, or fail on the first.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Literal

from data_contracts.convert import EXACT
from data_contracts.expression import Expression, iso_day

Kind = Literal["number", "text", "day"]
KINDS: dict[str, Kind] = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "number",
    "date": "day",
    "timestamp": "day",
}


def unlike(rule: Expression, kinds: Mapping[str, Kind]) -> str | None:
    """What the rule does that its columns' kinds do not allow, in words; None where there is nothing."""
    for node in ast.walk(ast.parse(rule.text.strip(), mode="eval").body):
        words = _unlike(node, kinds)
        if words is not None:
            return words
    return None


def _unlike(node: ast.AST, kinds: Mapping[str, Kind]) -> str | None:
    if isinstance(node, ast.Compare):
        right = node.comparators[0]
        others = right.elts if isinstance(right, (ast.List, ast.Tuple)) else [right]
        if any(not _alike(node.left, other, kinds) for other in others):
            return "compares values of different types"
    if isinstance(node, (ast.BinOp, ast.UnaryOp)) and not isinstance(getattr(node, "op", None), ast.Not):
        parts = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.operand]
        if any(_kind(part, kinds) != "number" for part in parts):
            return "reckons with something other than numbers (days between dates: `days(from, to)`)"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "days":
        return _undated(node, kinds)
    number = node.value if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) else 0
    if not math.isfinite(number) or abs(number) >= EXACT:
        return "has a number larger than any that is read exactly"
    return None


def _undated(node: ast.Call, kinds: Mapping[str, Kind]) -> str | None:
    if all(_kind(argument, kinds) == "day" for argument in node.args):
        return None
    return "counts days between columns that are not dates"


def _alike(left: ast.expr, right: ast.expr, kinds: Mapping[str, Kind]) -> bool:
    one, other = _kind(left, kinds), _kind(right, kinds)
    if one == other:
        return True
    for day, constant in ((left, right), (right, left)):
        if _kind(day, kinds) == "day" and isinstance(constant, ast.Constant):
            return isinstance(constant.value, str) and iso_day(constant.value) is not None
    return False


def _kind(node: ast.expr, kinds: Mapping[str, Kind]) -> Kind:
    if isinstance(node, ast.Name):
        return kinds[node.id]
    if isinstance(node, ast.Constant):
        return "text" if isinstance(node.value, str) else "number"
    return "number"
