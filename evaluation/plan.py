"""What will be done, checked against itself before any data are read.

Each analysis is matched with its estimator: the choices it asks for, the design, the outcome's
kind and the scale that it serves. What does not fit is refused here, naming what does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_contracts.catalogue import find
from data_contracts.declared import Undeclarable, build
from data_contracts.table import TableContract
from evaluation.columns import check_columns, check_definition
from evaluation.estimate import Estimator, EstimatorRefused
from evaluation.missing import Handling, plan_missing
from evaluation.serves import ESTIMATORS, check_serves
from experiments.definitions.definition import Definition, pinned_definition
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
    check_columns(protocol, contracts)
    _check_waits(protocol)
    _check_gaps(protocol)
    _check_searches(protocol)
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
        definitions=_definitions(protocol, contracts, beside),
    )


def _definitions(
    protocol: Protocol, contracts: Mapping[str, TableContract], beside: Path | None
) -> dict[str, tuple[Definition, ...]]:
    """The definitions that outcomes are counted under, each found to ask only for columns that there are."""
    out = {}
    registered = protocol.registration.status == "registered"
    for name, outcome in protocol.outcomes.items():
        if outcome.derive is None or not outcome.derive.definitions:
            continue
        where = f"outcomes.{name}.derive"
        found = tuple(
            pinned_definition(pinned, beside, where=where, registered=registered)
            for pinned in outcome.derive.definitions
        )
        for definition in found:
            check_definition(definition, contracts[outcome.table], where=where)
        out[name] = found
    return out


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


def _check_searches(protocol: Protocol) -> None:
    """One table tells of one search: its match rates are audited by the table's name."""
    first: dict[str, tuple[str, str]] = {}
    for name, outcome in protocol.outcomes.items():
        search = None if outcome.derive is None else outcome.derive.search
        if search is not None and first.setdefault(search.table, (search.by, search.known)) != (
            search.by,
            search.known,
        ):
            raise ProtocolRefused(
                where=f"outcomes.{name}.derive.without_rows",
                found=f"another search in the table '{search.table}' than an outcome before has",
                expected="one search to a table, so that who was found by each is told apart",
                remedy="Give each search a table and a contract of its own.",
            )


def _check_gaps(protocol: Protocol) -> None:
    """Where nobody drew the arms, the baseline may differ between them: one mean for all would hide it."""
    for name, outcome in protocol.outcomes.items():
        if outcome.baseline_gaps is not None and not protocol.design.randomised:
            raise ProtocolRefused(
                where=f"outcomes.{name}.baseline_gaps",
                found=f"'{outcome.baseline_gaps}', in a design that nobody drew ({protocol.design.scheme})",
                expected="gaps of a baseline filled only where chance made the arms",
                remedy="Remove it, and handle the gaps with `multiple_imputation`.",
            )


def _check_waits(protocol: Protocol) -> None:
    """In a wait-list trial, an outcome may not look past the day on which those who waited are offered it."""
    longest = getattr(protocol.design, "longest_follow_up_days", None)
    if longest is None:
        return
    for name, outcome in protocol.outcomes.items():
        days = outcome.follow_up_days
        over = days if outcome.derive is None else max(days, outcome.derive.over_after(days))
        if over > longest:
            raise ProtocolRefused(
                where=f"outcomes.{name}.follow_up_days",
                found=str(days)
                if over == days
                else f"{days}, in a window that is over {over} days from its start",
                expected=f"at most {longest}: after that the arms are no longer compared",
                remedy="Shorten the window, or lengthen the wait in the design.",
            )
