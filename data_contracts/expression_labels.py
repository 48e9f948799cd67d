"""Values that a condition looks for and a column never has, because its contract lists what it may hold.

A label misspelt in `disposal in ['convicted', 'cautioned']` is false of every row, and its rows are missing from
every count without a word. Where a contract lists the values of a column, the misspelling is found before there
are rows.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from data_contracts.expression import Expression
from data_contracts.table import Column, Scalar


def unlisted(rule: Expression, columns: Mapping[str, Column]) -> tuple[tuple[str, Scalar], ...]:
    """(column, value) wherever the rule asks whether a column is, or is not, a value that its contract does not list."""
    found: dict[tuple[str, Scalar], None] = {}
    for node in ast.walk(ast.parse(rule.text.strip(), mode="eval")):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq, ast.In, ast.NotIn)):
            right = node.comparators[0]
            others = right.elts if isinstance(right, (ast.List, ast.Tuple)) else [right]
            for other in others:
                for name, value in ((node.left, other), (other, node.left)):
                    if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
                        allowed = columns[name.id].allowed if name.id in columns else None
                        if allowed is not None and value.value not in allowed:
                            found[name.id, value.value] = None  # type: ignore[index]
    return tuple(found)
