"""The audit of joins: how many units of the roster were found in each table, by arm.

A row for an arm is judged by its counts of people; the row for all arms is made from the arms' rows
where those are released, and withheld where one of them is. What is told of the table as a whole (its rows, its
keys, rows of nobody) is held against those totals: a table of who was found has a row for each, so that its size
less the arms that are shown would be the one that is not. A match rate is printed where those who were not found
are: like any proportion, near all of an arm it would say that all but a few were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.gate.counts import ENOUGH, PeopleCounts, significant, too_few, total
from reports.gate.verdict import Ledger, shown

LABELS = frozenset({"table", "on", "arm"})
PARTS = frozenset({"units", "matched", "unmatched"})
WHOLE = frozenset({"rows_in", "keys_unique", "keys_missing", "rows_of_nobody"})
KNOWN = LABELS | PARTS | WHOLE | {"match_rate"}


def judge_links(
    rows: Sequence[Mapping[str, Any]], people: PeopleCounts, ledger: Ledger
) -> list[dict[str, Any]]:
    """Rows with their counts, rates made from those, or marks."""
    out: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        key = f"link.{row.get('table')}.{row.get('arm') or 'all'}"
        if not set(row) <= KNOWN or not {"table", "arm"} | PARTS <= set(row):
            ledger.withhold(f"link.{index}", "link", "keys that the gate does not know")
            continue
        out.append(_row(row, key, people, ledger))
    for cells in out:
        if cells["arm"] is None:
            _whole(cells, out, rows, people, ledger)
    for cells in out:
        known = all(shown(cells[name]) for name in PARTS) and cells["units"] > 0
        rate = significant(cells["matched"] / cells["units"], 3) if known else None
        why = None if known else "made from a withheld count"
        key = f"link.{cells['table']}.{cells['arm'] or 'all'}.match_rate"
        cells["match_rate"] = ledger.settle(key, "link", rate, why, "made from released counts")
    return out


def _row(row: Mapping[str, Any], key: str, people: PeopleCounts, ledger: Ledger) -> dict[str, Any]:
    """The cells of an arm; those of all arms together wait until every arm is judged."""
    policy = people.policy
    cells: dict[str, Any] = {name: row.get(name) for name in sorted(LABELS)}
    for name in sorted((PARTS | WHOLE) & set(row)):
        count = int(row[name])
        cells[name] = None
        if row["arm"] is None:
            continue
        refusal = too_few(count, policy)
        if name in ("units", "matched"):
            refusal = people.refusal(str(row["arm"]), count)
        if name == "unmatched" and not shown(cells["matched"]):
            refusal = refusal or "subtraction would show how many were found"
        cells[name] = ledger.settle(f"{key}.{name}", "link", policy.rounded(count), refusal, ENOUGH)
    return cells


def _whole(
    cells: dict[str, Any],
    judged: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    people: PeopleCounts,
    ledger: Ledger,
) -> None:
    """The cells of all arms together: parts added up, and the table's own counts held against them."""
    policy, key = people.policy, f"link.{cells['table']}.all"
    arms = [row for row in judged if row["table"] == cells["table"] and row["arm"] is not None]
    exact = next(row for row in rows if row.get("table") == cells["table"] and row.get("arm") is None)
    hidden = not all(shown(row[name]) for row in arms for name in ("units", "matched"))
    for name in sorted(PARTS & set(cells)) if arms else ():
        made = total(row[name] for row in arms)
        why = None if made is not None else "subtraction would show a withheld arm"
        cells[name] = ledger.settle(f"{key}.{name}", "link", made, why, "made from parts")
        if why is None:
            people.remember("all", int(exact[name]))
    for name in sorted(WHOLE & set(cells)):
        count = int(exact[name])
        refusal = "subtraction would show a withheld arm" if hidden else None
        if refusal is None and count > 0:
            refusal = people.refusal("all", count)
        cells[name] = ledger.settle(f"{key}.{name}", "link", policy.rounded(count), refusal, ENOUGH)


def match_gap(links: Sequence[Mapping[str, Any]], table: str) -> float | None:
    """The largest difference between arms' released match rates for a table; None where one is withheld."""
    rates = [row["match_rate"] for row in links if row["table"] == table and row["arm"] is not None]
    if len(rates) < 2 or not all(shown(rate) for rate in rates):
        return None
    return significant(max(rates) - min(rates), 2)
