"""Outcomes under several definitions: what each counts, and whether two of them would show a few people.

What a definition says is public. The numbers under it are judged like any other, and by one rule more: side
by side with a definition that is already released, they would show the people whom the two tell apart, so there
must be enough of those in every arm. The outcome's own definition is judged first, the others in the study's order.

Two outcomes that are counted in one table are held against each other likewise, the primary first. Nobody told apart is
no reason there: whether it happened and how long until it did are two questions of the same people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.gate.arms import WITH_EVENT
from reports.gate.counts import PeopleCounts, few, too_few
from reports.gate.participants import SUMMARY_KEYS, judge_summary
from reports.gate.verdict import Ledger

TEXTS = ("id", "label", "version", "date", "locality", "words", "source", "reading", "sha256")
KEYS = frozenset({"outcome", "own", "arms", "apart", *TEXTS})
APART_KEYS = frozenset({"arm", "against", "people"})
OUTCOMES_APART = frozenset({"outcome", "definition", "against", "against_definition", "arm", "people"})
Refused = Mapping[tuple[str, str | None], str]
"""{(outcome, definition): why its numbers may not be printed}; the outcome's own definition is None."""


def told_apart(
    rows: Sequence[Mapping[str, Any]],
    people: PeopleCounts,
    outcomes: Sequence[Mapping[str, Any]] = (),
) -> Refused:
    """What may not be printed beside what is: `rows` are definitions, `outcomes` pairs of outcomes of one table."""
    refused: dict[tuple[str, str | None], str] = {}
    earlier: dict[str, list[str]] = {}
    for row in rows:
        if set(row) != KEYS or any(set(pair) != APART_KEYS for pair in row["apart"]):
            refused[str(row.get("outcome")), str(row.get("id"))] = "keys that the gate does not know"
            continue
        before = earlier.setdefault(row["outcome"], [])
        told = {(pair["against"], pair["arm"]) for pair in row["apart"]}
        if not told >= {(other, cells.get("arm")) for other in before for cells in row["arms"]}:
            refused[row["outcome"], row["id"]] = "nothing says how many people it tells apart"
        before.append(row["id"])
        for pair in row["apart"]:
            if (row["outcome"], pair["against"]) in refused:
                continue
            reason = too_few(int(pair["people"]), people.policy)
            if reason is not None:
                refused[row["outcome"], row["id"]] = (
                    f"{reason} in an arm told apart from those under another released definition"
                )
                break
    for pair in outcomes:
        one = (str(pair.get("outcome")), pair.get("definition"))
        if set(pair) != OUTCOMES_APART:
            refused[one] = "keys that the gate does not know"
            continue
        other = (pair["against"], pair["against_definition"])
        if 0 < int(pair["people"]) < people.policy.threshold_people and not {one, other} & set(refused):
            refused[one] = f"{few(people.policy)} in an arm told apart from those of another released outcome"
    return refused


def judge_definitions(
    rows: Sequence[Mapping[str, Any]],
    kinds: Mapping[str, str],
    people: PeopleCounts,
    ledger: Ledger,
    refused: Refused,
) -> list[dict[str, Any]]:
    """Each definition with its words, and with what was seen in each arm where that may be printed."""
    out = []
    for index, row in enumerate(rows):
        if set(row) != KEYS or row["outcome"] not in kinds:
            ledger.withhold(
                f"definition.{index}", "definition", "keys or an outcome that the gate does not know"
            )
            continue
        key = f"definition.{row['outcome']}.{row['id']}"
        ledger.release(key, "definition", "a declaration holds choices, not data")
        why = refused.get((row["outcome"], row["id"]))
        arms = []
        for cells in row["arms"]:
            at = f"{key}.{cells.get('arm')}"
            if set(cells) - {WITH_EVENT} != SUMMARY_KEYS:
                ledger.withhold(at, "outcome summary", "keys that the gate does not know")
                continue
            if row["own"]:
                continue
            arms.append(judge_summary(cells, kinds[row["outcome"]], people, ledger, at, why))
        texts = {name: row[name] for name in TEXTS}
        out.append({"outcome": row["outcome"], "own": row["own"], **texts, "arms": arms})
    return out
