"""Survival curves made coarse: each step that is printed rests on at least the threshold of events.

A Kaplan-Meier curve with its numbers at risk gives back every event at its exact day. Here steps
are gathered until the threshold of events is reached; those left over at the end join the last
step. Times at which steps are printed are the only times at which numbers at risk are, and those
are rounded, so that their differences are no longer counts of events. A curve with too few events,
or too few people without the event at its end, is withheld whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from reports.gate.counts import significant
from reports.gate.verdict import Ledger

STEP_KEYS = frozenset({"time", "at_risk", "events", "censored", "survival"})
LEAST_BASE = 5
"""Numbers at risk are rounded at least to this base, even where the policy leaves counts exact."""


def judge_curves(
    rows: Sequence[Mapping[str, Any]],
    windows: Mapping[str, float],
    policy: DisclosurePolicy,
    ledger: Ledger,
    refused: Mapping[tuple[str, str | None], str] | None = None,
) -> list[dict[str, Any]]:
    """Each arm's curve as coarse points, or withheld with none.

    `windows` are the outcomes' lengths, and `refused` the outcomes that may not be printed.
    """
    out = []
    for row in rows:
        key = f"curve.{row.get('outcome')}.{row.get('arm')}"
        if set(row) != {"outcome", "arm", "steps"} or any(set(s) != STEP_KEYS for s in row["steps"]):
            ledger.withhold(key, "curve", "keys that the gate does not know")
            continue
        steps = sorted(row["steps"], key=lambda s: float(s["time"]))
        points = coarse(steps, windows.get(row["outcome"]), policy)
        why = ledger.forced.get(key) or (refused or {}).get((str(row["outcome"]), None))
        if points is None or why is not None:
            few = f"fewer than {policy.threshold_people} people with, or without, the event"
            ledger.withhold(key, "curve", why or few)
            continue
        ledger.release(key, "curve", f"coarse: each step rests on at least {policy.threshold_people} events")
        out.append({"outcome": row["outcome"], "arm": row["arm"], "points": points})
    return out


def coarse(
    steps: Sequence[Mapping[str, Any]], window: float | None, policy: DisclosurePolicy
) -> list[dict[str, Any]] | None:
    """Points {time, at_risk, survival} for printing, or None where there are too few for a curve.

    The last point stands at the end of the window, never at the last person's own time.
    """
    least = policy.threshold_people
    base = max(policy.rounding_base, LEAST_BASE)

    def point(time: float, step: Mapping[str, Any]) -> dict[str, Any]:
        remaining = _nearest(int(step["at_risk"]) - int(step["events"]), base)
        return {
            "time": significant(time, 3),
            "at_risk": remaining,
            "survival": round(float(step["survival"]), 3 if policy.rounding_base == 1 else 2),
        }

    points: list[dict[str, Any]] = []
    gathered = 0
    for step in steps:
        gathered += int(step["events"])
        if gathered >= least and int(step["at_risk"]) - int(step["events"]) >= least:
            points.append(point(float(step["time"]), step))
            gathered = 0
    if not points:
        return None
    last = steps[-1]
    enough_left = int(last["at_risk"]) - int(last["events"]) >= least
    if window is not None and gathered and enough_left:
        points[-1] = point(window, last)
    elif window is not None and window > points[-1]["time"]:
        points.append({**points[-1], "time": significant(window, 3)})
    began = {"time": 0.0, "at_risk": _nearest(int(steps[0]["at_risk"]), base), "survival": 1.0}
    return [began, *points]


def _nearest(count: int, base: int) -> int:
    return base * ((2 * count + base) // (2 * base))
