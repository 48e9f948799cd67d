"""Outcomes under several definitions: what each counts, and whether two of them would show a few people.

What a definition says is public. The numbers under it are judged like any other, and by one rule more: side
by side with a definition that is already released, they would show the people whom the two tell apart, so there
must be enough of those in every arm. The outcome's own definition is judged first, the others in the study's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.gate.counts import PeopleCounts, too_few
from reports.gate.participants import SUMMARY_KEYS, judge_summary
from reports.gate.verdict import Ledger

TEXTS = ("id", "label", "version", "date", "locality", "words", "source", "reading", "sha256")
KEYS = frozenset({"outcome", "own", "arms", "apart", *TEXTS})
APART_KEYS = frozenset({"arm", "against", "people"})


def told_apart(rows: Sequence[Mapping[str, Any]], people: PeopleCounts) -> dict[tuple[str, str], str]:
    """{(outcome, definition): why its numbers may not be printed}, for those that may not."""
    refused: dict[tuple[str, str], str] = {}
    for row in rows:
        if set(row) != KEYS or any(set(pair) != APART_KEYS for pair in row["apart"]):
            refused[str(row.get("outcome")), str(row.get("id"))] = "keys that the gate does not know"
            continue
        for pair in row["apart"]:
            if (row["outcome"], pair["against"]) in refused:
                continue
            reason = too_few(int(pair["people"]), people.policy)
            if reason is not None:
                refused[row["outcome"], row["id"]] = (
                    f"{reason} in an arm told apart from those under another released definition"
                )
                break
    return refused


def judge_definitions(
    rows: Sequence[Mapping[str, Any]],
    kinds: Mapping[str, str],
    people: PeopleCounts,
    ledger: Ledger,
    refused: Mapping[tuple[str, str], str],
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
            if set(cells) != SUMMARY_KEYS:
                ledger.withhold(at, "outcome summary", "keys that the gate does not know")
                continue
            if row["own"]:
                continue
            arms.append(judge_summary(cells, kinds[row["outcome"]], people, ledger, at, why))
        texts = {name: row[name] for name in TEXTS}
        out.append({"outcome": row["outcome"], "own": row["own"], **texts, "arms": arms})
    return out
