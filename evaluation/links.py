"""The audit of every join of another table to the roster, and whether it lost one arm more than another.

A table of events is no list of people: somebody without a row had no event, or was not found, and the
table cannot tell which. Its match rate would be a result of the trial, so it is not assessed; where the
study names a table of who was looked for and found, that table is audited in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from data_contracts.link import audit_rows, match_checks
from data_contracts.read import CheckedTable
from evaluation.estimate import Check
from evaluation.roster import Roster, unit_column
from experiments.derivation import Search
from experiments.protocol import Protocol

UNTOLD = "Somebody without a row had no event or was not found: a table of events cannot tell the two apart."


def link_audit(
    protocol: Protocol, tables: Mapping[str, CheckedTable], roster: Roster
) -> list[dict[str, Any]]:
    """Rows of the audit, whole and by arm, for every table but the roster and tables of events.

    The roster is audited where it is what says who was found.
    """
    searches = {search.table: search for search in _searches(protocol)}
    rows: list[dict[str, Any]] = []
    for name in protocol.tables:
        if name == roster.name and name not in searches:
            continue
        if name in searches:
            search, table = searches[name], tables[name]
            found = replace(table, frame=table.frame[table.frame[search.found] == 1])
            rows += _audit(protocol, tables, found, roster, on=search.by)
        elif name not in event_tables(protocol):
            on = _by(protocol, name) or unit_column(tables[name], roster)
            rows += _audit(protocol, tables, tables[name], roster, on=on)
    return rows


def link_checks(protocol: Protocol, links: list[dict[str, Any]]) -> list[Check]:
    """Do match rates differ between arms? Not assessed for a table of events without a search."""
    if protocol.linkage is None:
        return []
    checks = [Check(**row) for row in match_checks(links, limit=protocol.linkage.limit)]
    for name in event_tables(protocol):
        if _searched(protocol, name):
            continue
        checks.append(
            Check(
                name=f"match_rate:{name}",
                question=f"Were people found in {name} equally often in every arm?",
                verdict="not assessed",
                statistic=None,
                note=UNTOLD,
            )
        )
    return checks


def event_tables(protocol: Protocol) -> tuple[str, ...]:
    """The tables of which a unit may rightly have no row, in the study's order."""
    named: dict[str, None] = {}
    for outcome in protocol.outcomes.values():
        derive = outcome.derive
        if derive is not None and derive.events:
            searched = {derive.search.table} if derive.search else set()
            named |= dict.fromkeys([outcome.table, *(t for t in derive.others if t not in searched)])
    return tuple(named)


def _searches(protocol: Protocol) -> list[Search]:
    derivations = (outcome.derive for outcome in protocol.outcomes.values())
    return [d.search for d in derivations if d is not None and d.search is not None]


def _searched(protocol: Protocol, table: str) -> bool:
    """Whether every outcome that is counted in an event table says who was found."""
    users = [o.derive for o in protocol.outcomes.values() if o.derive is not None and o.table == table]
    return bool(users) and all(derive.search is not None for derive in users)


def _by(protocol: Protocol, table: str) -> str | None:
    """The column of unit ids that a derivation names for a table."""
    for outcome in protocol.outcomes.values():
        if outcome.derive is not None and outcome.table == table:
            return getattr(outcome.derive, "by", None)
    return None


def _audit(
    protocol: Protocol,
    tables: Mapping[str, CheckedTable],
    table: CheckedTable,
    roster: Roster,
    *,
    on: str,
) -> list[dict[str, Any]]:
    first = tables[protocol.population.roster]
    units = replace(first, frame=first.frame.drop_duplicates(roster.key))
    return audit_rows(units, table, on=on, key=roster.key, arm=protocol.population.arm)
