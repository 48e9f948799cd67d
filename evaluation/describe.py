"""What was seen, arm by arm, before any model: the flow of people, outcomes and survival curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from data_contracts.read import CheckedTable
from evaluation.describe_survival import SurvivalCurve
from evaluation.inference.survival import kaplan_meier, quantile
from evaluation.measure import Measured, measure
from evaluation.roster import Roster
from evaluation.sample import Bools, Floats, Ints, Sample
from experiments.protocol import Protocol

AGREED = "agreed to the use of their records"
"""The stage of those for whom the study's condition of consent is true."""


def participant_flow(
    protocol: Protocol, roster: Roster, primary: Sample, analysed: Sample
) -> list[dict[str, Any]]:
    """People at each stage, whole (`arm` None) and by arm; counted from the rows, never typed."""
    arms = list(protocol.arms)
    everybody = len(np.unique(roster.unit))
    flow: list[dict[str, Any]] = [{"stage": "randomised", "arm": None, "people": everybody}]
    if not protocol.design.randomised:
        flow[0]["stage"] = "in the study"
    stage = flow[0]["stage"]
    flow += [
        {"stage": stage, "arm": arm, "people": len(np.unique(roster.unit[roster.arm == code]))}
        for code, arm in enumerate(arms)
    ]
    if roster.consented is not None:
        flow += [
            {
                "stage": AGREED,
                "arm": arm,
                "people": len(np.unique(roster.unit[(roster.arm == code) & roster.consented])),
            }
            for code, arm in enumerate(arms)
        ]
    for stage, sample, rows in (
        ("primary outcome measured", primary, primary.observed),
        ("in the primary analysis", analysed, analysed.observed),
    ):
        for code in (1, 0):
            chosen = rows & (sample.arm == code)
            people = len(np.unique(sample.person[chosen]))
            flow.append({"stage": stage, "arm": sample.arms[code], "people": people})
    return flow


def outcome_summaries(
    protocol: Protocol, tables: Mapping[str, CheckedTable], roster: Roster
) -> list[dict[str, Any]]:
    """Each outcome in each arm: people, measured, events, mean, standard deviation, exposure."""
    rows = []
    for name in protocol.outcomes:
        measured = measure(protocol, name, tables, roster)
        rows += [summary_row(protocol, name, arm, measured, roster) for arm in protocol.arms]
    return rows


def summary_row(
    protocol: Protocol, name: str, arm: str, measured: Measured, roster: Roster
) -> dict[str, Any]:
    """One outcome in one arm; see `outcome_summaries`."""
    outcome = protocol.outcomes[name]
    code = list(protocol.arms).index(arm)
    inside = roster.arm[measured.row] == code
    value = measured.value[inside]
    seen = value[~np.isnan(value)]
    events: float | None = None
    if measured.event is not None:
        events = float(measured.event[inside].sum())
    elif outcome.kind in ("binary", "count"):
        events = float(seen.sum())
    exposure = None
    if measured.exposure is not None:
        exposure = float(np.nansum(measured.exposure[inside][~np.isnan(value)]))
    spread = outcome.kind in ("mean", "count") and len(seen) > 1
    return {
        "outcome": name,
        "arm": arm,
        "people": len(np.unique(roster.unit[roster.arm == code])),
        "observed": len(np.unique(roster.unit[measured.row[inside]][~np.isnan(value)])),
        "events": events,
        "mean": float(seen.mean()) if len(seen) and outcome.kind != "time" else None,
        "sd": float(seen.std(ddof=1)) if spread else None,
        "exposure": exposure,
    } | _with_event(outcome.kind, _happened(value, measured.event, inside), roster.unit[measured.row[inside]])


def survival_curves(
    protocol: Protocol, tables: Mapping[str, CheckedTable], roster: Roster
) -> list[dict[str, Any]]:
    """Kaplan-Meier steps of every time outcome in every arm. Sensitive: exact counts at exact times."""
    curves = []
    for name, outcome in protocol.outcomes.items():
        if outcome.kind != "time":
            continue
        measured = measure(protocol, name, tables, roster)
        arms = roster.arm[measured.row]
        assert measured.event is not None
        for code, arm in enumerate(protocol.arms):
            inside = (arms == code) & ~np.isnan(measured.value)
            time, event = measured.value[inside], measured.event[inside]
            entry = np.zeros_like(time) if measured.entry is None else measured.entry[inside]
            steps = kaplan_meier(time, event, entry)
            curve = SurvivalCurve(arm=arm, people=len(time), steps=steps, median=quantile(steps, 0.5))
            curves.append({"outcome": name, "arm": arm, "steps": curve.rows()})
    return curves


def behind(sample: Sample) -> list[dict[str, Any]]:
    """The counts on which an estimate rests, by arm: what the release gate judges it by."""
    rows = []
    for code in (1, 0):
        inside = (sample.arm == code) & sample.observed
        events: float | None = None
        if sample.event is not None:
            events = float(sample.event[inside].sum())
        elif sample.kind in ("binary", "count"):
            events = float(sample.outcome[inside].sum())
        clusters = None if sample.cluster is None else len(np.unique(sample.cluster[inside]))
        rows.append(
            {
                "arm": sample.arms[code],
                "people": len(np.unique(sample.person[inside])),
                "events": events,
                "clusters": clusters,
            }
            | _with_event(
                sample.kind, _happened(sample.outcome[inside], sample.event, inside), sample.person[inside]
            )
        )
    return rows


def _happened(value: Floats, event: Bools | None, inside: Bools) -> Bools:
    unlike_zero = ~np.isnan(value) & (value != 0)
    return np.asarray(unlike_zero if event is None else event[inside], dtype=np.bool_)


def _with_event(kind: str, happened: Bools, person: Ints) -> dict[str, int]:
    """People with at least one event, where a person may have several: thirty offences may be one child's.

    Of a mean, people with a value other than zero: it may be that of a count, or of zeros and ones.
    """
    if kind not in ("count", "recurrent", "mean"):
        return {}
    return {"with_event": len(np.unique(person[happened]))}
