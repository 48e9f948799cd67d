"""Outcomes derived from tables with many rows to a unit, each laid once on the roster's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from data_contracts.read import CheckedTable
from experiments.definitions.definition import Definition
from experiments.derivation import Rows
from experiments.protocol import Protocol

if TYPE_CHECKING:
    from evaluation.roster import Roster


def derived_key(outcome: str, definition: str | None) -> str:
    """The address of a derived outcome: its name, and the other definition that it is counted under."""
    return outcome if definition is None else f"{outcome}@{definition}"


def with_derived(
    protocol: Protocol,
    tables: Mapping[str, CheckedTable],
    roster: Roster,
    definitions: Mapping[str, Sequence[Definition]],
) -> Roster:
    """The roster with every derived outcome, under its own definition and the others it is shown under."""
    made: dict[str, pd.DataFrame] = {}
    for name, outcome in protocol.outcomes.items():
        if outcome.derive is None:
            continue
        rows = Rows(
            units=roster.frame,
            key=roster.key,
            table=tables[outcome.table],
            tables=tables,
            days=outcome.follow_up_days,
            where=f"outcomes.{name}.derive",
        )
        own, *others = definitions.get(name) or (None,)
        made[derived_key(name, None)] = outcome.derive.derive(rows, own)
        for definition in others:
            assert definition is not None
            made[derived_key(name, definition.id)] = outcome.derive.derive(rows, definition)
    return replace(roster, derived=made)
