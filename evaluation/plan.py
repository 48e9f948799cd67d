"""What will be done, checked against itself before any data are read.

Each analysis is matched with its estimator: the choices it asks for, the design, the outcome's
kind and the scale that it serves. What does not fit is refused here, naming what does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_contracts.catalogue import find
from data_contracts.declared import Undeclarable, build
from data_contracts.refusal import nearest
from data_contracts.table import TableContract
from evaluation.estimate import Estimator, EstimatorRefused
from evaluation.missing import Handling, plan_missing
from evaluation.serves import ESTIMATORS, check_serves
from experiments.definitions.definition import Definition, pinned_definition
from experiments.derivation import ROSTER
from experiments.protocol import Protocol, ProtocolRefused

CHECKS = "evaluation.checks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A protocol whose every analysis and check has been built and found to fit.

    `definitions` holds, for each outcome that is counted under one, its own definition first and
    then those that it is also shown under.
    """

    protocol: Protocol
    contracts: Mapping[str, TableContract]
    estimators: Mapping[str, Estimator]
    handlings: Mapping[str, Mapping[str, Handling]]
    checks: Mapping[str, Any]
    definitions: Mapping[str, tuple[Definition, ...]] = field(default_factory=dict)


def make_plan(
    protocol: Protocol, contracts: Mapping[str, TableContract], *, beside: Path | None = None
) -> Plan:
    """Build and check every analysis; `contracts` are the study's tables, by name.

    `beside` is the folder of the study file, where outcome definitions of its own may stand.
    """
    _check_columns(protocol, contracts)
    _check_waits(protocol)
    return Plan(
        protocol=protocol,
        contracts=contracts,
        estimators={name: _estimator(protocol, name) for name in protocol.analyses},
        handlings={
            name: plan_missing(analysis.missing, path=f"analyses.{name}.missing")
            for name, analysis in protocol.analyses.items()
        },
        checks={
            name: build(find(CHECKS, name, where=f"checks.{name}"), options, path=f"checks.{name}")
            for name, options in protocol.checks.items()
        },
        definitions={
            name: tuple(
                pinned_definition(pinned, beside, where=f"outcomes.{name}.derive")
                for pinned in outcome.derive.definitions
            )
            for name, outcome in protocol.outcomes.items()
            if outcome.derive is not None and outcome.derive.definitions
        },
    )


def _estimator(protocol: Protocol, name: str) -> Estimator:
    analysis = protocol.analyses[name]
    path = f"analyses.{name}"
    cls = find(ESTIMATORS, analysis.estimator, where=f"{path}.estimator")
    estimand = protocol.estimands[analysis.estimand]
    kind = protocol.outcomes[estimand.outcome].kind
    effects = getattr(cls, "effects", frozenset({"intention to treat"}))
    if estimand.effect not in effects:
        raise EstimatorRefused(
            where=f"{path}.estimator",
            found=f"'{analysis.estimator}', which estimates: {', '.join(sorted(effects))}",
            expected=f"an estimator of the effect that the estimand asks: {estimand.effect}",
            remedy=f"Set `effect:` of the estimand '{analysis.estimand}' to what is meant, or change the estimator.",
        )
    check_serves(cls, scheme=protocol.design.scheme, kind=kind, scale=estimand.scale, where=path)
    try:
        estimator: Estimator = build(cls, dict(analysis.options), path=path)
    except Undeclarable as error:
        own = "covariates, estimand, estimator, missing, role, subgroup"
        if error.found.startswith("a key that means nothing"):
            raise Undeclarable(
                where=error.where,
                found=error.found,
                expected=f"{own}, or a choice of the estimator '{analysis.estimator}'",
                remedy=error.remedy,
            ) from None
        raise
    return estimator


def _check_waits(protocol: Protocol) -> None:
    """In a wait-list trial, an outcome may not look past the day on which those who waited are offered it."""
    longest = getattr(protocol.design, "longest_follow_up_days", None)
    if longest is None:
        return
    for name, outcome in protocol.outcomes.items():
        if outcome.follow_up_days > longest:
            raise ProtocolRefused(
                where=f"outcomes.{name}.follow_up_days",
                found=str(outcome.follow_up_days),
                expected=f"at most {longest}: after that the arms are no longer compared",
                remedy="Shorten the window, or lengthen the wait in the design.",
            )


def _check_columns(protocol: Protocol, contracts: Mapping[str, TableContract]) -> None:
    at = _roster_columns(protocol)
    roster = protocol.population.roster
    printed = {c for a in protocol.analyses.values() for c in (*a.covariates, a.subgroup)} | {
        *protocol.baseline
    }
    for where, asked, column, dated in _wanted(protocol):
        table = at.get(column, roster) if asked == ROSTER else asked
        if table not in contracts:
            raise ProtocolRefused(
                where=where,
                found=f"the table '{table}'",
                expected="a table with a contract",
                remedy=nearest(table, contracts),
            )
        if column not in contracts[table].columns:
            raise ProtocolRefused(
                where=where,
                found=f"'{column}'",
                expected=f"a column of the contract '{table}'",
                remedy=nearest(column, contracts[table].columns),
            )
        declared = contracts[table].columns[column]
        if dated and declared.dtype not in ("date", "timestamp"):
            raise ProtocolRefused(
                where=where,
                found=f"'{column}', which the contract '{table}' declares as a {declared.dtype}",
                expected="a column of dates",
                remedy="Name the column that dates it.",
            )
        if asked == ROSTER and column in printed and declared.dtype == "string" and declared.allowed is None:
            raise ProtocolRefused(
                where=where,
                found=f"'{column}', a column of free text",
                expected="categories that the contract lists: their names are printed",
                remedy=f"List the allowed values of '{column}' in the contract '{table}'.",
            )


def _roster_columns(protocol: Protocol) -> dict[str, str]:
    """{column: the joined table that it comes from}, for the roster's columns that a join brings."""
    out: dict[str, str] = {}
    for table, columns in protocol.population.joins.items():
        for column in columns:
            if column in out:
                raise ProtocolRefused(
                    where=f"population.joins.{table}",
                    found=f"'{column}', which {out[column]} already brings",
                    expected="each column from one table",
                    remedy="Leave it out of one of the two.",
                )
            out[column] = table
    return out


def _wanted(protocol: Protocol) -> Iterator[tuple[str, str, str, bool]]:
    """(key of the study, table, column, whether it holds dates) of every column that the study names."""
    population, design = protocol.population, protocol.design
    yield "population.id", population.roster, population.id, False
    yield "population.arm", population.roster, population.arm, False
    for table, columns in population.joins.items():
        for i, column in enumerate(columns):
            yield f"population.joins.{table}[{i}]", table, column, False
    for i, column in enumerate(protocol.baseline):
        yield f"baseline[{i}]", ROSTER, column, False
    for i, column in enumerate(design.block_columns):
        yield f"design.block_by[{i}]", ROSTER, column, False
    if population.received:
        yield "population.received", ROSTER, population.received, False
    if design.cluster_column:
        yield "design.cluster", ROSTER, design.cluster_column, False
    for name, outcome in protocol.outcomes.items():
        if outcome.derive is not None:
            for need in outcome.derive.needs(outcome.table):
                yield f"outcomes.{name}.derive.{need.where}", need.table, need.column, need.dated
            continue
        for key in ("column", "exposure", "event", "entry", "time", "baseline"):
            column = getattr(outcome, key)
            if column is not None:
                yield f"outcomes.{name}.{key}", outcome.table, column, False
    for name, analysis in protocol.analyses.items():
        for i, column in enumerate(analysis.covariates):
            yield f"analyses.{name}.covariates[{i}]", ROSTER, column, False
        if analysis.subgroup is not None:
            yield f"analyses.{name}.subgroup", ROSTER, analysis.subgroup, False
