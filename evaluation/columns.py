"""Every column that a study names, held to the contracts of its tables before any data are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from data_contracts.expression import Expression
from data_contracts.expression_labels import unlisted
from data_contracts.expression_types import KINDS, unlike
from data_contracts.refusal import nearest
from data_contracts.table import Column, TableContract
from experiments.definitions.definition import Definition
from experiments.derivation import ROSTER, Holds, Needed
from experiments.protocol import Protocol, ProtocolRefused

_TYPES: Mapping[Holds, tuple[str, ...]] = {
    "days": ("date", "timestamp"),
    "times": ("timestamp",),
    "numbers": ("integer", "number"),
    "whole numbers": ("integer",),
    "flags": ("integer", "number", "boolean"),
    "text": ("string",),
}
_WORDS: Mapping[Holds, tuple[str, str]] = {
    "days": ("a column of dates", "Name the column that dates it."),
    "times": (
        "a column of times of day",
        "Name the column that times it: a date alone says midnight, which is hours from when it happened.",
    ),
    "numbers": ("a column of numbers", "Name the column of answers, or correct its type in the contract."),
    "whole numbers": (
        "a column of whole numbers",
        "Write the wave in quotes where the survey names it in text.",
    ),
    "flags": ("a column of 0 and 1", "Name the column that is 1 where the person was found."),
    "text": (
        "a column of text",
        "Name a column of labels, or write a wave without quotes where it is a number.",
    ),
}

_LIKE = "Text stands in quotes, numbers without them, dates as 'YYYY-MM-DD'."


def check_columns(protocol: Protocol, contracts: Mapping[str, TableContract]) -> None:
    """Refuse a column that no contract has, that holds another thing than is asked of it, or that comes twice."""
    at = _joined_columns(protocol, contracts)
    roster = protocol.population.roster
    analyses = protocol.analyses.values()
    printed = {c for a in analyses for c in (*a.covariates, a.subgroup)} | {*protocol.baseline}
    for need in _wanted(protocol):
        table = at.get(need.column, roster) if need.table == ROSTER else need.table
        if table not in contracts:
            raise ProtocolRefused(
                where=need.where,
                found=f"the table '{table}'",
                expected="a table with a contract",
                remedy=nearest(table, contracts),
            )
        brought = at if need.table == ROSTER else {}
        for name in _named(need, table, contracts[table], brought):
            declared = contracts[table].columns[name]
            _check_type(need, table, name, declared, contracts[roster].columns.get(protocol.population.id))
            if need.condition is not None:
                said = f"`{need.condition}`"
                _check_condition(need.condition, contracts[table], need.where, said, _LIKE)
            free_text = declared.dtype == "string" and declared.allowed is None
            if need.table == ROSTER and name in printed and free_text:
                raise ProtocolRefused(
                    where=need.where,
                    found=f"'{name}', a column of free text",
                    expected="categories that the contract lists: their names are printed",
                    remedy=f"List the allowed values of '{name}' in the contract '{table}'.",
                )


def check_definition(definition: Definition, contract: TableContract, *, where: str) -> None:
    """Refuse a definition whose conditions name columns that the table does not have, or compare unlike things."""
    for part in (*definition.include, *definition.exclude):
        if part.when is None:
            continue
        rule = Expression(part.when)
        for name in rule.names:
            if name not in contract.columns:
                raise ProtocolRefused(
                    where=where,
                    found=f"'{definition.id}', whose part '{part.label}' asks for '{name}'",
                    expected=f"a column of the contract '{contract.name}'",
                    remedy="Ask the provider for the flag, or use a definition that does not need it.",
                )
        said = f"'{definition.id}', whose part '{part.label}' says `{part.when}`"
        _check_condition(part.when, contract, where, said, "Recode the column to what the definition reads.")


def _named(need: Needed, table: str, contract: TableContract, brought: Mapping[str, str]) -> tuple[str, ...]:
    """The columns of a contract that a need stands for; refused where there is none.

    `brought` are columns that joins bring to the roster: they may be named too.
    """
    if need.begins:
        found = tuple(name for name in contract.columns if name.startswith(need.column))
        said, expected = f"no column that begins with '{need.column}'", f"columns of the contract '{table}'"
    else:
        found = (need.column,) if need.column in contract.columns else ()
        said, expected = f"'{need.column}'", f"a column of the contract '{table}'"
    if not found:
        if brought:
            expected += ", or one that `population.joins` brings"
        remedy = nearest(need.column, {*contract.columns, *brought})
        raise ProtocolRefused(where=need.where, found=said, expected=expected, remedy=remedy)
    return found


def _check_condition(condition: str, contract: TableContract, where: str, said: str, remedy: str) -> None:
    """Refuse a condition that compares unlike things: it would hold of no row, and everybody's count would be zero."""
    rule = Expression(condition)
    if any(name not in contract.columns for name in rule.names):
        return  # told where the column is looked for
    words = unlike(rule, {name: KINDS[contract.columns[name].dtype] for name in rule.names})
    if words is not None:
        raise ProtocolRefused(
            where=where,
            found=f"{said}, which {words}",
            expected=f"comparisons with what the contract '{contract.name}' declares",
            remedy=remedy,
        )
    for name, value in unlisted(rule, contract.columns):
        raise ProtocolRefused(
            where=where,
            found=f"{said}, which looks for '{value}' in '{name}'",
            expected=f"a value that the contract '{contract.name}' lists: as it is, no row has it",
            remedy=nearest(str(value), map(str, contract.columns[name].allowed or ())),
        )


def _check_type(need: Needed, table: str, name: str, declared: Column, unit: Column | None) -> None:
    found = f"'{name}', which the contract '{table}' declares as a {declared.dtype}"
    if need.holds == "units":
        if unit is not None and declared.dtype != unit.dtype:
            raise ProtocolRefused(
                where=need.where,
                found=found,
                expected=f"the type of the roster's ids, {unit.dtype}",
                remedy="Declare both as strings: 7, 007 and '7' are one person to a reader and three to a join.",
            )
        return
    if need.holds != "anything" and declared.dtype not in _TYPES[need.holds]:
        expected, remedy = _WORDS[need.holds]
        raise ProtocolRefused(where=need.where, found=found, expected=expected, remedy=remedy)


def _joined_columns(protocol: Protocol, contracts: Mapping[str, TableContract]) -> dict[str, str]:
    """{column: the joined table that it comes from}, for the roster's columns that a join brings."""
    roster = protocol.population.roster
    own = contracts[roster].columns if roster in contracts else {}
    out: dict[str, str] = {}
    for table, columns in protocol.population.joins.items():
        for column in columns:
            if column in out or column in own:
                raise ProtocolRefused(
                    where=f"population.joins.{table}",
                    found=f"'{column}', which {out.get(column, roster)} already brings",
                    expected="each column from one table",
                    remedy="Leave it out of one of the two.",
                )
            out[column] = table
    return out


def _wanted(protocol: Protocol) -> Iterator[Needed]:
    """Every column that the study names, with the key that names it."""
    population, design = protocol.population, protocol.design
    yield Needed(where="population.id", table=population.roster, column=population.id)
    yield Needed(where="population.arm", table=population.roster, column=population.arm)
    for table, columns in population.joins.items():
        for i, column in enumerate(columns):
            yield Needed(where=f"population.joins.{table}[{i}]", table=table, column=column)
    if population.consent is not None:
        for column in Expression(population.consent).names:
            yield Needed(
                where="population.consent", table=ROSTER, column=column, condition=population.consent
            )
    for i, column in enumerate(protocol.baseline):
        yield Needed(where=f"baseline[{i}]", table=ROSTER, column=column)
    for i, column in enumerate(design.block_columns):
        yield Needed(where=f"design.block_by[{i}]", table=ROSTER, column=column)
    if population.received:
        yield Needed(where="population.received", table=ROSTER, column=population.received)
    if design.cluster_column:
        yield Needed(where="design.cluster", table=ROSTER, column=design.cluster_column)
    if design.period_column:
        yield Needed(where="design.period", table=ROSTER, column=design.period_column)
    for name, outcome in protocol.outcomes.items():
        if outcome.derive is not None:
            for need in outcome.derive.needs(outcome.table):
                yield replace(need, where=f"outcomes.{name}.derive.{need.where}")
            continue
        for key in ("column", "exposure", "event", "entry", "time", "baseline"):
            column = getattr(outcome, key)
            if column is not None:
                yield Needed(where=f"outcomes.{name}.{key}", table=outcome.table, column=column)
    for name, analysis in protocol.analyses.items():
        for i, column in enumerate(analysis.covariates):
            yield Needed(where=f"analyses.{name}.covariates[{i}]", table=ROSTER, column=column)
        if analysis.subgroup is not None:
            yield Needed(where=f"analyses.{name}.subgroup", table=ROSTER, column=analysis.subgroup)
