"""What was seen under each definition of an outcome, and how many people two definitions tell apart.

Two definitions of which one holds the other differ by a few people: their published counts and effects,
set side by side, would show those few. The evidence therefore counts, for each pair and arm, the people whose
outcome differs, and the release gate judges each definition by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_contracts.read import CheckedTable
from evaluation.apart import definitions_apart
from evaluation.describe import summary_row
from evaluation.measure import Measured, measure
from evaluation.plan import Plan
from evaluation.roster import Roster
from experiments.definitions.definition import Definition, fingerprint


def definition_evidence(
    plan: Plan, tables: Mapping[str, CheckedTable], roster: Roster
) -> list[dict[str, Any]]:
    """A row for each outcome and definition, the outcome's own first.

    Keys: outcome, own, id, label, version, date, locality, words, source, reading, sha256; arms (the outcome
    summaries of `describe.py`); apart (arm, against, people whose outcome differs from the definition `against`).
    """
    out = []
    for name, definitions in plan.definitions.items():
        before: list[tuple[Definition, Measured]] = []
        for place, definition in enumerate(definitions):
            measured = measure(plan.protocol, name, tables, roster, definition.id if place else None)
            out.append(
                {
                    "outcome": name,
                    "own": place == 0,
                    **{
                        key: str(getattr(definition, key))
                        for key in (
                            "id",
                            "label",
                            "version",
                            "date",
                            "locality",
                            "words",
                            "source",
                            "reading",
                        )
                    },
                    "sha256": fingerprint(definition),
                    "arms": [
                        summary_row(plan.protocol, name, arm, measured, roster) for arm in plan.protocol.arms
                    ],
                    "apart": [
                        {
                            "arm": arm,
                            "against": other.id,
                            "people": definitions_apart(measured, earlier, roster, code),
                        }
                        for other, earlier in before
                        for code, arm in enumerate(plan.protocol.arms)
                    ],
                }
            )
            before.append((definition, measured))
    return out
