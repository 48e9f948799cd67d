"""What a table is: its grain, its key, and for each column its type, unit, bounds and who may see it.

A contract holds choices, never rows. It is written as Open Data Contract Standard YAML
(`data_contracts/odcs.py`); a table is held to it by `data_contracts/check.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from data_contracts.expression import Expression
from data_contracts.layout import Layout
from data_contracts.refusal import Refusal, nearest

Dtype = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
Scalar = str | int | float | bool | date
ROWS_SHOWN = 10


class Sensitivity(StrEnum):
    """The closed list of what a column may say about a person."""

    DIRECT_IDENTIFIER = "direct_identifier"
    QUASI_IDENTIFIER = "quasi_identifier"
    SENSITIVE_CRIME = "sensitive_crime"
    SENSITIVE_OTHER = "sensitive_other"
    PUBLIC = "public"


class DisclosureRole(StrEnum):
    """What a column is to a published table."""

    COUNT_UNIT = "count_unit"
    DIMENSION = "dimension"
    MAGNITUDE = "magnitude"
    NEVER_PUBLISHED = "never_published"


class ContractRefused(Refusal):
    """A contract that does not say what a contract must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule broken in one column: how often and in which data rows (counted from 1)."""

    column: str
    rule: str
    count: int
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        where = f"column '{self.column}'" if self.column else "the table"
        if not self.rows:
            return f"{where}: {self.rule}"
        shown = ", ".join(str(row) for row in self.rows)
        more = ", ..." if self.count > len(self.rows) else ""
        noun = "row" if self.count == 1 else "rows"
        return f"{where}: {self.rule} ({self.count:,} {noun}: {shown}{more})"


class ContractBroken(Refusal):
    """A table that does not keep its contract: every breach at once, and no value of any row."""

    def __init__(self, *, table: str, breaches: Iterable[Breach], remedy: str = "") -> None:
        self.breaches = tuple(breaches)
        listed = "; ".join(str(breach) for breach in self.breaches)
        number = len(self.breaches)
        super().__init__(
            where=f"table {table}",
            found=f"{number} {'breach' if number == 1 else 'breaches'} of its contract: {listed}",
            expected=f"a table that keeps the contract (`desist contract show {table}`)",
            remedy=remedy or "Correct the file at its source, or amend the contract and say why.",
        )
        self.table = table

    def as_dict(self) -> dict[str, Any]:
        """The message in its parts, with each breach as its own entry."""
        parts: dict[str, Any] = super().as_dict()
        parts["table"] = self.table
        parts["breaches"] = [
            {"column": b.column, "rule": b.rule, "count": b.count, "rows": list(b.rows)}
            for b in self.breaches
        ]
        return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeList:
    """Where a column's allowed values come from, and the date of that list."""

    source: str
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    `minimum` and `maximum` are inclusive; `above` is exclusive. `missing_codes` maps a code in the
    file to the reason it stands for. `identifier` names a scheme with check digits. `may_be_empty`
    says that a column with no values at all is no error. `is_year` says that whole numbers are years, which
    may not lie beyond the one after the extraction (a year may be named by its end). `marginal` describes plausible values for
    dry-run data and is no part of what is checked.
    """

    dtype: Dtype
    meaning: str
    unit: str
    sensitivity: Sensitivity
    role: DisclosureRole
    nullable: bool = False
    unique: bool = False
    minimum: float | date | None = None
    maximum: float | date | None = None
    above: float | None = None
    allowed: tuple[Scalar, ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    code_list: CodeList | None = None
    pattern: str | None = None
    max_length: int | None = None
    format: str | None = None
    source_name: str | None = None
    missing_codes: Mapping[str, str] = field(default_factory=dict)
    identifier: Literal["pnc", "nhs"] | None = None
    refers_to: str | None = None
    structural_zeros: bool = False
    is_year: bool = False
    may_be_empty: bool = False
    marginal: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.dtype in ("date", "timestamp") and self.format is None:
            raise ContractRefused(
                where="logicalTypeOptions.format",
                found="nothing",
                expected="the exact form of the dates, such as yyyy-MM-dd",
                remedy="Dates are parsed as declared and never guessed.",
            )
        if self.is_year and self.dtype != "integer":
            raise ContractRefused(
                where="isYear",
                found=f"a column of type {self.dtype}",
                expected="a column of whole numbers",
                remedy="Leave it out: only a year written as a number such as 2024 is held by it.",
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:  # type: ignore[operator]
            raise ContractRefused(
                where="logicalTypeOptions.minimum",
                found=f"{self.minimum}, above the maximum {self.maximum}",
                expected="a minimum no greater than the maximum",
                remedy="Exchange the two.",
            )
        if (
            self.sensitivity is Sensitivity.DIRECT_IDENTIFIER
            and self.role is not DisclosureRole.NEVER_PUBLISHED
        ):
            raise ContractRefused(
                where="disclosureRole",
                found=f"{self.role} for a direct identifier",
                expected="never_published",
                remedy="A direct identifier is never published in any form.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A promise between columns: `holds` is true of every row where all it names is known."""

    name: str
    holds: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Vintage:
    """When the source was extracted, and whether its numbers may still change.

    `begins` is the first day that the rows reach back to, where the source does not hold every earlier one: windows that
    begin before it have no outcome. `source` says where this delivery came from, where that is not the contract's title.
    """

    provisional: bool
    extracted: date | None = None
    begins: date | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableContract:
    """One table: `key` identifies a row, `person` (where there is one) identifies a person.

    `keyless` is the reason why a published table has no key (several rows may be alike). `may_have_no_rows` says
    that nobody in it is an answer, as in a table of stays in custody of a small trial.
    """

    name: str
    version: str
    status: str
    title: str
    purpose: str
    grain: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    controller: str
    lawful_basis: str
    retention: str
    vintage: Vintage
    keyless: str | None = None
    may_have_no_rows: bool = False
    person: str | None = None
    rules: tuple[Rule, ...] = ()
    layout: Layout = field(default_factory=Layout)
    recording_breaks: tuple[str, ...] = ()
    limitations: str | None = None
    usage: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    """What each source is, by its address."""

    def __post_init__(self) -> None:
        if bool(self.key) == bool(self.keyless):
            raise ContractRefused(
                where=self.name,
                found="a primary key and a reason to have none" if self.key else "no primary key",
                expected="at least one column with `primaryKey: true`, or the reason why there is none as `keyless`",
                remedy="Say which columns identify a row; the grain follows from them.",
            )
        named = [*self.key, *([self.person] if self.person else [])]
        for rule in self.rules:
            named += rule.holds.names
        for name in named:
            if name not in self.columns:
                raise ContractRefused(
                    where=self.name,
                    found=f"the column '{name}' in a key or rule",
                    expected="a column that the contract declares",
                    remedy=nearest(name, self.columns),
                )
        for name in self.key:
            if self.columns[name].nullable:
                raise ContractRefused(
                    where=f"{self.name}.{name}",
                    found="a key column that may be missing",
                    expected="`required: true`",
                    remedy="A row without its key cannot be told from another.",
                )
