"""The flow of participants and the outcome summaries by arm: counts, proportions, means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from reports.gate.arms import WITH_EVENT, few_with_events
from reports.gate.balance import is_yes_no
from reports.gate.counts import ENOUGH, PeopleCounts, few, lopsided, significant, total
from reports.gate.verdict import Cell, Ledger, shown

STAGE_KEYS = frozenset({"stage", "arm", "people"})
SUMMARY_KEYS = frozenset({"outcome", "arm", "people", "observed", "events", "mean", "sd", "exposure"})


def judge_flow(
    rows: Sequence[Mapping[str, Any]], people: PeopleCounts, ledger: Ledger
) -> list[dict[str, Any]]:
    """Each stage and arm; a stage's total is made from its parts, or withheld with one of them."""
    out: list[dict[str, Any]] = []
    for row in rows:
        key = f"flow.{row.get('stage')}.{row.get('arm') or 'all'}"
        if set(row) != STAGE_KEYS:
            ledger.withhold(key, "flow", "keys that the gate does not know")
            continue
        cell: Cell = None
        if row["arm"] is not None:
            refusal = people.refusal(row["arm"], row["people"])
            cell = ledger.settle(key, "flow", people.policy.rounded(row["people"]), refusal, ENOUGH)
        out.append({"stage": row["stage"], "arm": row["arm"], "people": cell})
    for index, row in enumerate(out):
        if row["arm"] is not None:
            continue
        key = f"flow.{row['stage']}.all"
        parts = [
            other["people"] for other in out if other["stage"] == row["stage"] and other["arm"] is not None
        ]
        whole = next(r["people"] for r in rows if r.get("stage") == row["stage"] and r.get("arm") is None)
        if parts:
            made = total(parts)
            refusal = None if made is not None else "subtraction would show a withheld arm"
            people.remember("all", whole)
        else:
            made, refusal = people.policy.rounded(whole), people.refusal("all", whole)
        out[index]["people"] = ledger.settle(key, "flow", made, refusal, "made from released parts")
    return out


def judge_summaries(
    rows: Sequence[Mapping[str, Any]],
    kinds: Mapping[str, str],
    people: PeopleCounts,
    ledger: Ledger,
    refused: Mapping[tuple[str, str | None], str] | None = None,
) -> list[dict[str, Any]]:
    """Each outcome in each arm; `kinds` are the declared kinds, `refused` the outcomes that may not be printed."""
    out = []
    for row in rows:
        key = f"outcome.{row.get('outcome')}.{row.get('arm')}"
        if set(row) - {WITH_EVENT} != SUMMARY_KEYS or row["outcome"] not in kinds:
            ledger.withhold(key, "outcome summary", "keys or an outcome that the gate does not know")
            continue
        why = (refused or {}).get((row["outcome"], None))
        out.append(judge_summary(row, kinds[row["outcome"]], people, ledger, key, why))
    return out


def judge_summary(
    row: Mapping[str, Any],
    kind: str,
    people: PeopleCounts,
    ledger: Ledger,
    key: str,
    why: str | None = None,
) -> dict[str, Any]:
    """One outcome in one arm; `why` withholds everything in it but the size of the arm."""
    policy = people.policy
    arm, seen = row["arm"], int(row["observed"])
    cells: dict[str, Any] = {"outcome": row["outcome"], "arm": arm, "kind": kind}
    for name in ("people", "observed"):
        refusal = people.refusal(arm, int(row[name]))
        cells[name] = ledger.settle(f"{key}.{name}", "count", policy.rounded(int(row[name])), refusal, ENOUGH)
    cells |= {"events": None, "proportion": None, "mean": None, "sd": None, "exposure": None, "rate": None}
    events = row["events"]
    # The effect on the same page is made of both: with the events, or with the time at risk of like windows, it would
    # give the number of people measured.
    unknown = None if shown(cells["observed"]) else "would show a withheld count of people measured"
    if why is not None:
        mark = ledger.withhold(f"{key}.numbers", "outcome summary", why)
        return cells | dict.fromkeys(("events", "proportion", "mean", "sd", "exposure", "rate"), mark)
    if kind in ("binary", "time") and events is not None:
        refusal = lopsided(events, seen, policy) or unknown
        cells["events"] = ledger.settle(
            f"{key}.events",
            "count",
            policy.rounded(int(events)),
            refusal,
            "enough with and without the event",
        )
        if shown(cells["events"]) and shown(cells["observed"]):
            share = significant(cells["events"] / cells["observed"], 4)
            cells["proportion"] = ledger.settle(
                f"{key}.proportion", "proportion", share, None, "made from released counts"
            )
        else:
            why = refusal or "made from a withheld count"
            cells["proportion"] = ledger.withhold(f"{key}.proportion", "proportion", why)
        return cells
    if kind in ("count", "recurrent") and events is not None:
        refusal = few(policy) if seen < policy.threshold_people or few_with_events(row, policy) else None
        cells["events"] = ledger.settle(
            f"{key}.events", "count", policy.rounded(int(events)), refusal, ENOUGH
        )
        if row["exposure"] is not None:
            cells["exposure"] = ledger.settle(
                f"{key}.exposure", "sum", _exposure(row, policy), _few_people(seen, policy) or unknown, ENOUGH
            )
        below = cells["exposure"] if row["exposure"] is not None else cells["observed"]
        if shown(cells["events"]) and shown(below):
            rate = significant(cells["events"] / below, 3)
            cells["rate"] = ledger.settle(f"{key}.rate", "rate", rate, None, "made from released counts")
        else:
            cells["rate"] = ledger.withhold(f"{key}.rate", "rate", refusal or "made from a withheld count")
        return cells
    alike = seen < policy.threshold_people or row["sd"] == 0 or few_with_events(row, policy)
    if is_yes_no({**row, "n": seen}):
        alike = alike or lopsided(round(row["mean"] * seen), seen, policy) is not None
    refusal = f"{few(policy)}, or people too alike" if alike else None
    for name in ("mean", "sd"):
        if row[name] is not None:
            value = significant(row[name], 3)
            cells[name] = ledger.settle(f"{key}.{name}", "magnitude", value, refusal, ENOUGH)
    return cells


def _exposure(row: Mapping[str, Any], policy: DisclosurePolicy) -> float:
    """The mean time at risk, times the people as printed: the exact sum of like windows would tell their exact number."""
    seen = int(row["observed"])
    return significant(row["exposure"] * policy.rounded(seen) / max(seen, 1), 3)


def _few_people(people: int, policy: DisclosurePolicy) -> str | None:
    return few(policy) if people < policy.threshold_people else None
