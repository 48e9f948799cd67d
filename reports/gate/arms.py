"""One arm behind a number: has it enough people, enough with and without the event, enough clusters?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from reports.gate.counts import few, lopsided, too_few_clusters

ARM_KEYS = frozenset({"arm", "people", "events", "clusters"})
WITH_EVENT = "with_event"
"""People with at least one event, or with a value other than zero, where a person may have several; evidence of an earlier version has no such count."""


def arm_refusal(arm: Mapping[str, Any], kind: str, policy: DisclosurePolicy) -> str | None:
    """Why a number that rests on this arm may not be printed, or None; `kind` is the outcome's."""
    if set(arm) - {WITH_EVENT} != ARM_KEYS:
        return "counts behind it that the gate does not know"
    if arm["people"] < policy.threshold_people:
        return few(policy)
    if kind in ("binary", "time") and arm["events"] is None:
        return "no count of events"
    if kind in ("binary", "time") and lopsided(arm["events"], arm["people"], policy) is not None:
        return lopsided(arm["events"], arm["people"], policy)
    if kind in ("count", "recurrent", "mean") and few_with_events(arm, policy):
        return few(policy)
    return too_few_clusters(arm["clusters"], policy)


def few_with_events(row: Mapping[str, Any], policy: DisclosurePolicy) -> bool:
    """Whether the events of a count are few, or those of a few people, whose number of events they would tell."""
    counts = (row["events"], row.get(WITH_EVENT))
    return any(count is not None and count < policy.threshold_people for count in counts)
