"""How many people two countings tell apart: two definitions of one outcome, or two outcomes counted in one table.

Where one counting holds the other, the numbers of both, set side by side, are those of the people between them.
What is printed of a binary outcome and of a time is who had the event; of a count, how often. A time may differ for
many of whom only one had the event under just one definition, so that times are compared by their events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from data_contracts.read import CheckedTable
from evaluation.measure import Measured, measure
from evaluation.plan import Plan
from evaluation.roster import Roster
from evaluation.sample import Bools, Floats

ALIKE = {"binary": "events", "time": "events", "count": "counts"}
"""Kinds of outcome whose numbers can be taken from one another."""


def definitions_apart(a: Measured, b: Measured, roster: Roster, arm: int) -> int:
    """People of an arm whose outcome is not the same under two definitions; where nobody's is not, whose baseline."""
    people = _people(_unlike(_told(a), _told(b)), a, roster, arm)
    if people == 0 and a.baseline is not None and b.baseline is not None:
        return _people(_unlike(a.baseline, b.baseline), a, roster, arm)
    return people


def outcomes_apart(plan: Plan, tables: Mapping[str, CheckedTable], roster: Roster) -> list[dict[str, Any]]:
    """A row for each arm and pair of different outcomes of like kinds that are counted in one table.

    Keys: outcome, definition (None for its own), against, against_definition, arm, people (who have the event, or
    a count, in only one of the two). Every outcome's own definition comes before the others, the primary outcome first.
    """
    protocol = plan.protocol
    names = sorted(protocol.outcomes, key=lambda name: name != protocol.primary_outcome)
    wanted: list[tuple[str, str | None]] = [(name, None) for name in names]
    wanted += [(name, d.id) for name in names for d in plan.definitions.get(name, ())[1:]]
    before: list[tuple[str, str | None, Measured]] = []
    rows = []
    for name, definition in wanted:
        outcome = protocol.outcomes[name]
        if outcome.derive is None or outcome.kind not in ALIKE:
            continue
        measured = measure(protocol, name, tables, roster, definition)
        for other, under, earlier in before:
            than = protocol.outcomes[other]
            if other == name or than.table != outcome.table or ALIKE[than.kind] != ALIKE[outcome.kind]:
                continue
            unlike = np.nan_to_num(_told(measured)) != np.nan_to_num(_told(earlier))
            rows += [
                {
                    "outcome": name,
                    "definition": definition,
                    "against": other,
                    "against_definition": under,
                    "arm": arm,
                    "people": _people(unlike, measured, roster, code),
                }
                for code, arm in enumerate(protocol.arms)
            ]
        before.append((name, definition, measured))
    return rows


def _told(measured: Measured) -> Floats:
    """What the printed numbers of an outcome add up: the event of a time, else the value."""
    return measured.value if measured.event is None else measured.event.astype(np.float64)


def _unlike(a: Floats, b: Floats) -> Bools:
    return np.asarray(~((a == b) | (np.isnan(a) & np.isnan(b))), dtype=np.bool_)


def _people(unlike: Bools, measured: Measured, roster: Roster, arm: int) -> int:
    inside = (roster.arm[measured.row] == arm) & unlike
    return len(np.unique(roster.unit[measured.row[inside]]))
