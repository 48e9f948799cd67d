"""A typed frame held to its contract, by pandera, with every breach reported at once and no value shown.

pandera's own errors carry the offending rows; they are read here for columns, rules and row numbers,
and go no further.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray

from data_contracts.convert import Converted, breach
from data_contracts.identifiers import normaliser
from data_contracts.table import ROWS_SHOWN, Breach, Column, ContractBroken, TableContract

Bools = NDArray[np.bool_]
EMPTY = "no value in any row"
BROKEN = "rule broken: "
MAY_RUN = "[=@\t\r+\\-\uff1d\uff20\uff0b\uff0d]"
"""How a cell starts that a spreadsheet may take for a formula, full-width signs included."""
FORMULA = re.compile(r"[^+-]|[+-](?![\d. ]|$)|[+-].*(?:[|!=]|\w\()", re.DOTALL)
"""Which of those it runs: -2 and +44 161 are not, -2+3+cmd|' /C calc'!A0 is."""
LOST = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\ufffd]|^#(?:REF!|N/A|DIV/0!|VALUE!|NAME[?]|NUM!|NULL!)$"
"""Control characters, the sign for a character lost in an export, and what a spreadsheet shows for no value."""


def check_frame(frame: pd.DataFrame, contract: TableContract, *, latest: date) -> None:
    """Raise `ContractBroken` unless the frame keeps the contract; no date may be after `latest`."""
    breaches = frame_breaches(frame, contract, latest=latest)
    if breaches:
        raise ContractBroken(table=contract.name, breaches=breaches)


def frame_breaches(frame: pd.DataFrame, contract: TableContract, *, latest: date) -> list[Breach]:
    """Every breach in a frame of the contract's columns and types, in the contract's order."""
    if len(frame) == 0:
        return [] if contract.may_have_no_rows else [Breach(column="", rule="no rows", count=0)]
    return schema_breaches(frame, pandera_schema(contract, latest=latest), contract)


def schema_breaches(frame: pd.DataFrame, schema: pa.DataFrameSchema, contract: TableContract) -> list[Breach]:
    """What a schema made by `pandera_schema` finds in a frame, without the values that pandera tells."""
    failures: pd.DataFrame | None = None
    try:
        schema.validate(frame, lazy=True, inplace=True)
    except pa.errors.SchemaErrors as errors:
        failures = errors.failure_cases[["schema_context", "column", "check", "index"]].copy()
    # Outside the handler, so that no traceback leads back to the values.
    return [] if failures is None else _breaches(failures, contract)


def told_once(converted: Converted, breaches: list[Breach], contract: TableContract) -> list[Breach]:
    """What did not convert, then the other breaches: a cell that did not convert is not also missing, and breaks no rule."""
    out = list(converted.breaches)
    rules = {f"{BROKEN}{rule.name}": rule.holds for rule in contract.rules}
    for found in breaches:
        unread = converted.unread.get(found.column)
        holds = rules.get(found.rule)
        if holds is not None and any(name in converted.unread for name in holds.names):
            left = holds.broken(converted.frame)
            for name in holds.names:
                left &= ~converted.unread.get(name, np.zeros(len(left), dtype=bool))
            out += [breach(found.column, found.rule, left)] if left.any() else []
        elif unread is None or found.rule not in (_WORDS["not_nullable"], EMPTY):
            out.append(found)
        elif found.rule == _WORDS["not_nullable"]:
            left = converted.frame[found.column].isna().to_numpy(dtype=bool) & ~unread
            out += [breach(found.column, found.rule, left)] if left.any() else []
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalRule:
    """A rule that only the whole table can tell, over one or more columns."""

    kind: Literal["unique", "key", "spelling", "empty"]
    columns: tuple[str, ...]
    words: str

    @property
    def tag(self) -> str:
        """What pandera calls the rule."""
        return f"{self.kind} {' '.join(self.columns)}"

    @property
    def column(self) -> str:
        """The column that a breach is told under; the key belongs to the table."""
        return "" if self.kind == "key" else self.columns[0]


def global_rules(contract: TableContract) -> list[GlobalRule]:
    """What cannot be checked one chunk at a time."""
    rules = [
        GlobalRule(kind="unique", columns=(name,), words=_WORDS["field_uniqueness"])
        for name, column in contract.columns.items()
        if column.unique
    ]
    key = contract.key
    if key and not (len(key) == 1 and contract.columns[key[0]].unique):
        rules.append(GlobalRule(kind="key", columns=key, words=f"the key ({', '.join(key)}) repeated"))
    named = [*key, *([contract.person] if contract.person else [])]
    for name in dict.fromkeys(named):
        column = contract.columns[name]
        if column.dtype == "string" and column.allowed is None and column.identifier is None:
            alone = f"the key ({name}) repeated with different case or spaces"
            words = alone if key == (name,) else "one name in different case or spaces"
            rules.append(GlobalRule(kind="spelling", columns=(name,), words=words))
    rules += [
        GlobalRule(kind="empty", columns=(name,), words=EMPTY)
        for name, column in contract.columns.items()
        if column.nullable and not column.may_be_empty
    ]
    return rules


def pandera_schema(contract: TableContract, *, latest: date, whole: bool = True) -> pa.DataFrameSchema:
    """The contract as a pandera schema; without its global rules where the frame is not the whole table."""
    checks = [_rule_check(rule.name, rule.holds) for rule in contract.rules]
    columns = {name: _column(column, latest) for name, column in contract.columns.items()}
    if whole:
        for rule in global_rules(contract):
            if rule.kind == "unique":
                columns[rule.columns[0]].unique = True
            else:
                checks.append(_GLOBAL[rule.kind](rule))
    return pa.DataFrameSchema(columns, checks=checks, strict=True, ordered=False)


def column_rules(column: Column, latest: date) -> list[tuple[str, Any]]:
    """(rule in words, predicate over a whole series) for what each value alone must keep."""
    rules: list[tuple[str, Any]] = []
    if column.allowed is not None:
        allowed = list(column.allowed)
        rules.append(("a value outside the list of allowed values", lambda s: s.isin(allowed)))
    if column.minimum is not None:
        low = _bound(column.minimum)
        rules.append((f"below the minimum {column.minimum:{_plain(column.minimum)}}", lambda s: s >= low))
    if column.above is not None:
        floor = column.above
        rules.append((f"not above {floor:g}", lambda s: s > floor))
    high = column.maximum
    if column.dtype in ("date", "timestamp"):
        bound = high if isinstance(high, date) and high < latest else latest
        end = pd.Timestamp(bound) + pd.Timedelta(days=1)
        rules.append((f"after {bound.isoformat()}", lambda s: s < end))
    elif column.is_year and (high is None or latest.year + 1 < float(str(high))):
        last = latest.year + 1
        rules.append((f"a year after {last}", lambda s: s <= last))
    elif high is not None:
        top = _bound(high)
        rules.append((f"above the maximum {high:{_plain(high)}}", lambda s: s <= top))
    if column.pattern is not None:
        pattern = column.pattern
        rules.append(("text not of the declared form", lambda s: s.str.fullmatch(pattern)))
    if column.max_length is not None:
        longest = column.max_length
        rules.append((f"longer than {longest} characters", lambda s: s.str.len() <= longest))
    if column.dtype == "string" and column.allowed is None and column.pattern is None:
        rules.append(("text that a spreadsheet would run as a formula", lambda s: ~_runs(s)))
        rules.append(
            (
                "text with control or lost characters, or an error of a spreadsheet",
                lambda s: ~s.str.contains(LOST),
            )
        )
        rules.append(("text with spaces at its start or end", lambda s: s.str.strip() == s))
    if column.identifier is not None:
        normalise = normaliser(column.identifier)
        rules.append(
            (f"not a valid {column.identifier.upper()} number", lambda s: _each(s, normalise).notna())
        )
        rules.append(
            (
                f"one {column.identifier.upper()} number under two spellings",
                lambda s: _one_spelling(s, normalise),
            )
        )
    return rules


def _runs(text: pd.Series) -> pd.Series:
    """(rows,) bool: where a spreadsheet would run the cell."""
    held = text.str.match(MAY_RUN).to_numpy(dtype=bool, copy=True)
    held[held] = [FORMULA.match(cell) is not None for cell in text[held]]
    return pd.Series(held, index=text.index)


def _column(column: Column, latest: date) -> pa.Column:
    checks = [pa.Check(predicate, error=rule, name=rule) for rule, predicate in column_rules(column, latest)]
    return pa.Column(None, checks=checks, nullable=column.nullable)


def _rule_check(name: str, rule: Any) -> pa.Check:
    return pa.Check(
        lambda frame: pd.Series(~rule.broken(frame), index=frame.index),
        error=name,
        name=name,
        ignore_na=False,
    )


def _key_check(rule: GlobalRule) -> pa.Check:
    key = list(rule.columns)

    def distinct(frame: pd.DataFrame) -> pd.Series:
        # A key with a missing part is told as missing, and repeats nothing.
        return ~frame.duplicated(key, keep=False) | frame[key].isna().any(axis=1)

    return _frame_check(rule, distinct)


def _spelling_check(rule: GlobalRule) -> pa.Check:
    name = rule.columns[0]

    def one_spelling(frame: pd.DataFrame) -> pd.Series:
        distinct = frame[name].dropna().drop_duplicates()
        twice = distinct[folded(distinct).duplicated(keep=False)]
        return ~frame[name].isin(twice)

    return _frame_check(rule, one_spelling)


def folded(text: pd.Series) -> pd.Series:
    """Text without what the eye may miss: case, spaces, full-width letters."""
    beyond = ~text.str.isascii().astype(bool)
    if beyond.any():
        text = text.where(~beyond, text.str.normalize("NFKC"))
    return text.str.lower().str.replace(" ", "", regex=False)


def _empty_check(rule: GlobalRule) -> pa.Check:
    name = rule.columns[0]
    return _frame_check(rule, lambda frame: bool(frame[name].notna().any()))


def _frame_check(rule: GlobalRule, predicate: Any) -> pa.Check:
    return pa.Check(predicate, error=rule.tag, name=rule.tag, ignore_na=False)


_GLOBAL = {"key": _key_check, "spelling": _spelling_check, "empty": _empty_check}


def _each(series: pd.Series, normalise: Any) -> pd.Series:
    unique = series.drop_duplicates()
    return series.map(dict(zip(unique, unique.map(normalise), strict=True)))


def _one_spelling(series: pd.Series, normalise: Any) -> pd.Series:
    """False where the same identifier also stands in the table in other characters."""
    plain = _each(series, normalise)
    spellings = series.groupby(plain).transform("nunique")
    return ~(spellings > 1)


def _breaches(failures: pd.DataFrame, contract: TableContract) -> list[Breach]:
    out: list[Breach] = []
    table_rules = {rule.name: rule.holds.names for rule in contract.rules}
    of_table = {rule.tag: rule for rule in global_rules(contract)}
    keyed = failures.assign(
        column=np.where(failures["schema_context"] == "DataFrameSchema", "", failures["column"].astype(str))
    )
    for (column, check), group in keyed.groupby(["column", "check"], sort=False):
        rule = _WORDS.get(str(check), str(check))
        if column == "" and str(check) in table_rules:
            column = table_rules[str(check)][0] if len(table_rules[str(check)]) == 1 else ""
            rule = f"{BROKEN}{check}"
        elif str(check) in of_table:
            column, rule = of_table[str(check)].column, of_table[str(check)].words
        rows = np.unique(group["index"].dropna().to_numpy(dtype=np.int64))
        out.append(
            Breach(
                column=str(column),
                rule=rule,
                count=len(rows),
                rows=tuple(int(row) + 1 for row in rows[:ROWS_SHOWN]),
            )
        )
    order = {name: position for position, name in enumerate(contract.columns)}
    out.sort(key=lambda b: (order.get(b.column, len(order)), b.rule))
    return out


_WORDS = {
    "not_nullable": "missing values where none are allowed",
    "field_uniqueness": "a value repeated where each must be unique",
}


def _bound(value: float | date) -> Any:
    return pd.Timestamp(value) if isinstance(value, date) else value


def _plain(value: float | date) -> str:
    return "%Y-%m-%d" if isinstance(value, date) else "g"
