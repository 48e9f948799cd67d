"""What will be done, checked against itself before any data are read.

Each analysis is matched with its estimator: the choices it asks for, the design, the outcome's
kind and the scale that it serves. What does not fit is refused here, naming what does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data_contracts.catalogue import find
from data_contracts.declared import Undeclarable, build
from data_contracts.refusal import nearest
from data_contracts.table import TableContract
from evaluation.estimate import Estimator, EstimatorRefused
from evaluation.missing import Handling, plan_missing
from evaluation.serves import ESTIMATORS, check_serves
from experiments.protocol import Protocol, ProtocolRefused

CHECKS = "evaluation.checks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A protocol whose every analysis and check has been built and found to fit."""

    protocol: Protocol
    contracts: Mapping[str, TableContract]
    estimators: Mapping[str, Estimator]
    handlings: Mapping[str, Mapping[str, Handling]]
    checks: Mapping[str, Any]


def make_plan(protocol: Protocol, contracts: Mapping[str, TableContract]) -> Plan:
    """Build and check every analysis; `contracts` are the study's tables, by name."""
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
    roster = protocol.population.roster
    wanted: list[tuple[str, str, str]] = [
        ("population.id", roster, protocol.population.id),
        ("population.arm", roster, protocol.population.arm),
        *((f"baseline[{i}]", roster, c) for i, c in enumerate(protocol.baseline)),
        *((f"design.block_by[{i}]", roster, c) for i, c in enumerate(protocol.design.block_columns)),
    ]
    if protocol.population.received:
        wanted.append(("population.received", roster, protocol.population.received))
    if protocol.design.cluster_column:
        wanted.append(("design.cluster", roster, protocol.design.cluster_column))
    for name, outcome in protocol.outcomes.items():
        for key in ("column", "exposure", "event", "entry", "time", "baseline"):
            column = getattr(outcome, key)
            if column is not None:
                wanted.append((f"outcomes.{name}.{key}", outcome.table, column))
    for name, analysis in protocol.analyses.items():
        wanted += [(f"analyses.{name}.covariates[{i}]", roster, c) for i, c in enumerate(analysis.covariates)]
        if analysis.subgroup is not None:
            wanted.append((f"analyses.{name}.subgroup", roster, analysis.subgroup))
    printed = {c for a in protocol.analyses.values() for c in (*a.covariates, a.subgroup)} | {
        *protocol.baseline
    }
    for where, table, column in wanted:
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
        if table == roster and column in printed and declared.dtype == "string" and declared.allowed is None:
            raise ProtocolRefused(
                where=where,
                found=f"'{column}', a column of free text",
                expected="categories that the contract lists: their names are printed",
                remedy=f"List the allowed values of '{column}' in the contract '{table}'.",
            )
