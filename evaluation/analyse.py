"""Every analysis of a plan, in the study's order, then the corrections for asking several questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.read import CheckedTable
from evaluation.build_sample import build_sample, check_varies
from evaluation.describe import behind
from evaluation.estimate import Estimate, EstimatorRefused
from evaluation.findings import estimate_row
from evaluation.missing import complete_case
from evaluation.missing_data.complete_case import complete_rows
from evaluation.monitoring.stopped import monitored
from evaluation.multiplicity import adjust_family
from evaluation.plan import Plan
from evaluation.roster import Roster, SampleRefused
from evaluation.sample import Sample
from evaluation.serves import check_sample
from experiments.protocol import Protocol
from experiments.seeds import stream

IMPUTING = frozenset({"multiple_imputation", "tipping_point"})
"""Handlings that use people with gaps; all others rest on the complete rows alone."""
Draws = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Done:
    """One estimate with the analysis it came from and the handling of missing outcomes."""

    analysis: str
    main: bool
    estimate: Estimate
    sample: Sample
    definition: str | None = None


def analyse(
    plan: Plan,
    tables: Mapping[str, CheckedTable],
    roster: Roster,
    *,
    exploratory: frozenset[str],
    late: frozenset[tuple[str, str]],
    looks: Path,
    progress: Callable[[str], None],
) -> tuple[list[dict[str, Any]], Draws]:
    """(rows of `findings.json`, posterior draws by analysis); `exploratory` names demoted analyses, and `late`
    (outcome, definition) where the definition was named after registration.

    `looks` is the folder with the record of interim looks, where the study was monitored.
    """
    protocol = plan.protocol
    done: list[_Done] = []
    for name, analysis in protocol.analyses.items():
        progress(f"analysis {name}: {analysis.estimator}")
        sample = build_sample(protocol, analysis, tables, roster, where=f"analyses.{name}")
        check_varies(sample, where=f"analyses.{name}")
        for handling in (analysis.missing.primary, *analysis.missing.sensitivity):
            main = handling == analysis.missing.primary
            estimate = _estimate(plan, name, handling, sample, main=main)
            if main:
                estimate = monitored(protocol, name, estimate, looks)
            done.append(_Done(analysis=name, main=main, estimate=estimate, sample=sample))
        done += _under_others(plan, name, tables, roster, progress)
    adjusted = _families(protocol, done)
    registered = protocol.registration.status == "registered"
    rows = []
    for item in done:
        extra = dict(item.estimate.extra)
        if item.definition is not None:
            extra["definition"] = item.definition
        if item.main and item.analysis in adjusted:
            extra["family"] = adjusted[item.analysis]
        full = replace(item.estimate, extra=extra)
        outcome = protocol.estimands[item.estimate.estimand].outcome
        demoted = item.analysis in exploratory or (outcome, item.definition) in late
        rows.append(estimate_row(full, registered=registered and not demoted))
    draws = {d.analysis: d.estimate.draws for d in done if d.main and d.estimate.draws is not None}
    return rows, draws


def rehearse(plan: Plan, tables: Mapping[str, CheckedTable], roster: Roster) -> None:
    """Meet every refusal that `analyse` would, keeping no number; Bayesian analyses are planned only."""
    for name, analysis in plan.protocol.analyses.items():
        sample = build_sample(plan.protocol, analysis, tables, roster, where=f"analyses.{name}")
        check_varies(sample, where=f"analyses.{name}")
        if not analysis.estimator.startswith("bayes_"):
            _estimate(plan, name, analysis.missing.primary, sample, main=True)


def _under_others(
    plan: Plan,
    name: str,
    tables: Mapping[str, CheckedTable],
    roster: Roster,
    progress: Callable[[str], None],
) -> list[_Done]:
    """The main analysis of an outcome again under each other definition that the study shows it under.

    A rare definition may leave too few events for the estimator: it then has no estimate, and the page says so.
    """
    analysis = plan.protocol.analyses[name]
    outcome = plan.protocol.estimands[analysis.estimand].outcome
    if analysis.role != "main":
        return []
    done = []
    for definition in plan.definitions.get(outcome, ())[1:]:
        progress(f"analysis {name} under {definition.id}")
        where = f"analyses.{name} under {definition.id}"
        try:
            sample = build_sample(
                plan.protocol, analysis, tables, roster, where=where, definition=definition.id
            )
            check_varies(sample, where=where)
            handling = analysis.missing.primary
            estimate = _estimate(plan, name, handling, sample, main=False, definition=definition.id)
        except (SampleRefused, EstimatorRefused):
            continue
        done.append(
            _Done(analysis=name, main=False, estimate=estimate, sample=sample, definition=definition.id)
        )
    return done


def _estimate(
    plan: Plan, name: str, handling: str, sample: Sample, *, main: bool, definition: str | None = None
) -> Estimate:
    protocol = plan.protocol
    analysis = protocol.analyses[name]
    estimand = protocol.estimands[analysis.estimand]
    estimator = plan.estimators[name]
    steps = (name, handling) if definition is None else (name, handling, definition)
    rng = stream(protocol.seed, "analysis", *steps)
    try:
        check_sample(estimator, sample, estimand, where="sample")
        estimate = plan.handlings[name][handling](sample, estimator, estimand, rng)
    except EstimatorRefused as error:
        raise EstimatorRefused(
            where=f"analyses.{name}" + (f" ({error.where})" if error.where else ""),
            found=error.found,
            expected=error.expected,
            remedy=error.remedy,
        ) from None
    extra: dict[str, Any] = {"analysis": name, "role": analysis.role, "missing": handling}
    if not main:
        extra["sensitivity_to"] = name
    imputed = handling in IMPUTING
    used = sample if imputed else sample.keep(complete_rows(sample, estimator.needs))
    extra["behind"] = behind(used)
    return replace(
        estimate,
        estimand=analysis.estimand,
        scale=estimate.scale or estimand.scale,
        extra={**extra, **estimate.extra, **extra},
    )


def _families(protocol: Protocol, done: list[_Done]) -> dict[str, dict[str, Any]]:
    """{analysis: its family's name, method and its adjusted p-value}; one main analysis per estimand."""
    first: dict[str, _Done] = {}
    for item in done:
        if item.main and protocol.analyses[item.analysis].role == "main":
            first.setdefault(item.estimate.estimand, item)
    out: dict[str, dict[str, Any]] = {}
    for name, family in protocol.families.items():
        members = {estimand: first[estimand] for estimand in family.estimands if estimand in first}
        if family.method == "none":
            values: Mapping[str, float | None] = {e: m.estimate.p_value for e, m in members.items()}
        else:
            values = adjust_family(
                name,
                family,
                {e: m.estimate for e, m in members.items()},
                samples={e: complete_case(m.sample) for e, m in members.items()},
                rng=stream(protocol.seed, "family", name),
            )
        for estimand, member in members.items():
            out[member.analysis] = {
                "name": name,
                "method": family.method,
                "questions": len(family.estimands),
                "adjusted_p_value": values.get(estimand),
            }
    return out
