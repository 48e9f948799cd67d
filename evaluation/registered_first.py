"""Was the study registered before its outcome tables were extracted?

A study file says that outcome data had not been seen; the deliveries say when they were extracted. A table
that was extracted on or before the day of registration, or of an amendment that claims to be blind, could have been
seen, and the reader is told. A roster that holds no outcome may be older: people are randomised before they
are followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from data_contracts.read import CheckedTable
from evaluation.estimate import Check
from experiments.protocol import Protocol

NAME = "registered_first"
QUESTION = "Was everything promised before the outcome tables were extracted?"


def registered_first(protocol: Protocol, tables: Mapping[str, CheckedTable]) -> list[Check]:
    """One check for a registered study; none where nothing was registered."""
    registration = protocol.registration
    if registration.status != "registered" or registration.date is None:
        return []
    rested_on = {o.table for o in protocol.outcomes.values()} | {
        table for o in protocol.outcomes.values() if o.derive is not None for table in o.derive.others
    }
    outcomes = [name for name in protocol.tables if name in rested_on]
    dated = {name: tables[name].extracted for name in outcomes}
    promises = [registration.date, *(a.date for a in protocol.amendments if not a.outcome_data_seen)]
    before = [name for name, day in dated.items() if day is not None and day <= max(promises)]
    if before:
        words = ", ".join(name.replace("_", " ") for name in before)
        return [
            _check("not met", f"Extracted before the last promise, so that it could have been seen: {words}.")
        ]
    if any(day is None for day in dated.values()):
        return [_check("not assessed", "Not every outcome table says when it was extracted.")]
    return [_check("met", "Every outcome table was extracted after the last promise.")]


def _check(verdict: Literal["met", "not met", "not assessed"], note: str) -> Check:
    return Check(name=NAME, question=QUESTION, verdict=verdict, statistic=None, note=note)
