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
from experiments.derivation import Derivation, Search, kept_rows
from experiments.protocol import Protocol

UNTOLD = "Somebody without a row had no event or was not found: a table of events cannot tell the two apart."

STRANGERS = (
    "Some rows belong to nobody in the roster: right in an extract for a whole area, and a failed match in one for "
    "these people."
)


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
            found = replace(table, frame=kept_rows(table.frame, search.known))
            rows += _audit(protocol, tables, found, roster, on=search.by)
        elif name not in event_tables(protocol):
            derive, table = _derivation(protocol, name), tables[name]
            on = getattr(derive, "by", None) or unit_column(table, roster)
            if derive is not None:
                table = replace(table, frame=derive.answering(table.frame))
            rows += _audit(protocol, tables, table, roster, on=on)
    return rows


def stranger_checks(protocol: Protocol, tables: Mapping[str, CheckedTable], roster: Roster) -> list[Check]:
    """Does every row of each table of events belong to somebody in the roster? Zero overlap is refused before."""
    checks = []
    for name in event_tables(protocol):
        derive = _derivation(protocol, name)
        on = getattr(derive, "by", None) or getattr(derive, "place", None)
        if on is None:
            continue
        known = tables[name].frame[on].isin(roster.frame[roster.key]).all()
        checks.append(
            Check(
                name=f"rows_of_nobody:{name}",
                question=f"Does every row of {name} belong to somebody in the roster?",
                verdict="met" if known else "not met",
                statistic=None,
                note="Every row does." if known else STRANGERS,
            )
        )
    return checks


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


def _derivation(protocol: Protocol, table: str) -> Derivation | None:
    """The derivation of the first outcome that is made from a table."""
    found = (o.derive for o in protocol.outcomes.values() if o.derive is not None and o.table == table)
    return next(found, None)


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
