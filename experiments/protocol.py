"""The protocol: everything a study promises, in one frozen value with a fingerprint.

The fingerprint is the SHA-256 of the canonical form (sorted keys, exact numbers, defaults written
out by the types) of all but `registration` and `amendments`, which are statements about a protocol
and not part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from data_contracts.declared import plain
from data_contracts.expression import Expression
from data_contracts.refusal import Refusal, nearest
from experiments.design import Arm, Design
from experiments.estimand import Estimand
from experiments.monitoring.declared import Monitoring
from experiments.outcome import Outcome
from experiments.registration import Amendment, Registration


class ProtocolRefused(Refusal):
    """A study that promises something it does not define."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Who was studied. `roster` is the table with one row per unit, `id` its key column.

    `arm` names the roster column that holds each unit's arm, by name; `received` the column of the
    treatment actually taken (0/1 or a dose), where the study asks about compliance.

    `joins` brings columns of other tables with one row per unit to the roster, by its id: for example
    `joins: {participants: [age, sex]}`. Nobody leaves the roster by not being found in one.

    `consent` is a condition on the roster's columns, such as `consent == 'given'`: no outcome of people for whom it is not
    true is used. They were randomised and stay in the flow and among the arms at the start; their outcomes are missing.
    """

    unit: str
    eligible: str
    roster: str
    id: str
    arm: str
    received: str | None = None
    note: str | None = None
    joins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    consent: str | None = None

    def __post_init__(self) -> None:
        if self.consent is not None:
            Expression(self.consent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """How missing outcomes are handled: one primary way, and the others as sensitivity rows."""

    primary: str
    sensitivity: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One planned analysis: an estimator by name, with every choice it asks for in `options`.

    In a study file the options stand beside the other keys; the estimator's own declaration says
    which there must be.
    """

    estimand: str
    estimator: str
    missing: Missing
    covariates: tuple[str, ...] = ()
    role: Literal["main", "supporting", "sensitivity"] = "main"
    subgroup: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Estimands judged together, and the correction for asking several questions.

    `redraws` is for `romano_wolf` alone: how many times the design is drawn again.
    """

    estimands: tuple[str, ...]
    method: Literal[
        "none",
        "bonferroni",
        "holm",
        "hochberg",
        "hommel",
        "benjamini_hochberg",
        "benjamini_yekutieli",
        "romano_wolf",
    ]
    level: float | None = None
    redraws: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
    """The largest difference between arms in the share of people found in another table that is let pass."""

    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A declared study.

    `recording_breaks` names the breaks in recording that the data cross
    (`data_contracts/recording_breaks.yaml`), each with how the analysis deals with it.
    """

    id: str
    title: str
    seed: int
    registration: Registration
    population: Population
    arms: Mapping[str, Arm]
    design: Design
    outcomes: Mapping[str, Outcome]
    estimands: Mapping[str, Estimand]
    analyses: Mapping[str, Analysis]
    checks: Mapping[str, Mapping[str, Any]]
    baseline: tuple[str, ...] = ()
    linkage: Linkage | None = None
    recording_breaks: Mapping[str, str] = field(default_factory=dict)
    monitoring: Monitoring | None = None
    families: Mapping[str, Family] = field(default_factory=dict)
    amendments: tuple[Amendment, ...] = ()
    world: Mapping[str, Any] = field(default_factory=dict)
    summary: str | None = None
    intervention: str | None = None
    comparison: str | None = None
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        references = [name for name, arm in self.arms.items() if arm.reference]
        if len(references) != 1:
            raise ProtocolRefused(
                where="arms",
                found=f"{len(references)} reference arms",
                expected="exactly one arm with `reference: true`",
                remedy="Mark the arm that the others are compared with.",
            )
        primary = [name for name, outcome in self.outcomes.items() if outcome.role == "primary"]
        if len(primary) != 1:
            raise ProtocolRefused(
                where="outcomes",
                found=f"{len(primary)} primary outcomes",
                expected="exactly one with `role: primary`",
                remedy="Choose the outcome that the study will be judged by; the others are secondary.",
            )
        for name, estimand in self.estimands.items():
            _known(estimand.outcome, self.outcomes, f"estimands.{name}.outcome", "an outcome")
            for arm in estimand.contrast:
                _known(arm, self.arms, f"estimands.{name}.contrast", "an arm")
        for name, analysis in self.analyses.items():
            _known(analysis.estimand, self.estimands, f"analyses.{name}.estimand", "an estimand")
        if self.monitoring is not None and self.monitoring.analysis is not None:
            _known(self.monitoring.analysis, self.analyses, "monitoring.analysis", "an analysis")
        mains = [a.estimand for a in self.analyses.values() if a.role == "main"]
        twice = sorted({estimand for estimand in mains if mains.count(estimand) > 1})
        if twice:
            raise ProtocolRefused(
                where="analyses",
                found=f"several main analyses of {', '.join(twice)}",
                expected="one main analysis of each estimand: the one that answers its question",
                remedy="Give the others `role: supporting` or `role: sensitivity`.",
            )
        for name, family in self.families.items():
            for member in family.estimands:
                _known(member, self.estimands, f"families.{name}.estimands", "an estimand")
        if not any(self.estimands[a.estimand].outcome == primary[0] for a in self.analyses.values()):
            raise ProtocolRefused(
                where="analyses",
                found=f"no analysis of the primary outcome '{primary[0]}'",
                expected="at least one",
                remedy="Add an analysis of an estimand of the primary outcome.",
            )

        if len(self.tables) > 1 and self.linkage is None:
            raise ProtocolRefused(
                where="linkage",
                found=f"nothing, while the study also reads {', '.join(self.tables[1:])}",
                expected="`linkage: {limit: ...}`, the largest difference in match rates between arms to let pass",
                remedy="Write it, for example 0.05: a join that loses one arm more than another is attrition.",
            )

    @property
    def reference_arm(self) -> str:
        """The arm that the others are compared with."""
        return next(name for name, arm in self.arms.items() if arm.reference)

    @property
    def primary_outcome(self) -> str:
        """The name of the outcome that the study is judged by."""
        return next(name for name, outcome in self.outcomes.items() if outcome.role == "primary")

    @property
    def primary_analysis(self) -> str:
        """The name of the first main analysis of the primary outcome: the study's answer."""
        candidates = [
            name
            for name, a in self.analyses.items()
            if self.estimands[a.estimand].outcome == self.primary_outcome
        ]
        return next((name for name in candidates if self.analyses[name].role == "main"), candidates[0])

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the table contracts that the study reads, the roster first."""
        return tuple(dict.fromkeys(table for name in self.outcomes for table in self.tables_of(name)))

    def tables_of(self, outcome: str) -> tuple[str, ...]:
        """The names of the tables that an outcome rests on: the roster, what is joined to it, its own."""
        declared = self.outcomes[outcome]
        others = declared.derive.others if declared.derive else ()
        named = [self.population.roster, *self.population.joins, declared.table, *others]
        return tuple(dict.fromkeys(named))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal."""
        return hashlib.sha256(canonical(self).encode()).hexdigest()


def declared(protocol: Protocol) -> dict[str, Any]:
    """The protocol as a study file says it: plain dicts, options beside their keys."""
    out: dict[str, Any] = plain(protocol)
    design = {key: value for key, value in out["design"].items() if key != "arms"}
    out["design"] = {"scheme": protocol.design.scheme, **design}
    for name, outcome in protocol.outcomes.items():
        if outcome.derive is not None:
            made = out["outcomes"][name]["derive"]
            out["outcomes"][name]["derive"] = {"method": outcome.derive.method, **made}
    for analysis in out["analyses"].values():
        analysis.update(analysis.pop("options", {}))
    return out


def canonical(protocol: Protocol) -> str:
    """What the fingerprint covers, as JSON with sorted keys and no spaces."""
    content = declared(protocol)
    for statement in ("registration", "amendments"):
        content.pop(statement, None)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_date)


def _date(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} has no canonical form")


def _known(name: str, known: Mapping[str, Any], where: str, what: str) -> None:
    if name not in known:
        raise ProtocolRefused(
            where=where,
            found=f"'{name}'",
            expected=f"{what} that this study declares",
            remedy=nearest(name, known),
        )
