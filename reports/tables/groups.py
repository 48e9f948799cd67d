"""Effects in groups of people: subgroups and sites, each with what was withheld marked as such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports import wording as w
from reports.gate.verdict import NOT_AVAILABLE, shown
from reports.keys.study import cell
from reports.tables.accessible import table
from reports.values import Values


def groups(v: Values) -> str:
    """A heading and a table for each analysis that reports groups; nothing where none does."""
    parts = []
    for e in v.record.get("estimates", ()):
        if e["definition"] is not None:
            continue
        for name, what in (("groups", "Group"), ("sites", "Site")):
            rows = e["extra"].get(name)
            if rows:
                parts.append(_table(v, e, rows, what))
    return "\n### Effects in groups of people {#groups}\n" + "".join(parts) if parts else ""


def _table(v: Values, e: Mapping[str, Any], rows: list[Mapping[str, Any]], what: str) -> str:
    scale, unit = e["scale"], e["unit"]
    known = [row[k] for row in rows for k in ("value", "low", "high") if shown(row.get(k))]
    spread = next((row["standard_error"] for row in rows if shown(row.get("standard_error"))), None)
    digits = w.places(scale, spread, known) if known else 2
    made = [
        {
            "group": w.upper_first(str(row.get("group", row.get("site", "")))),
            "value": w.effect(scale, row["value"], unit, digits)
            if shown(row.get("value"))
            else _mark(row, "value"),
            "interval": w.span(scale, row["low"], row["high"], digits)
            if shown(row.get("low")) and shown(row.get("high"))
            else _mark(row, "low"),
            "n": cell(row.get("people")),
        }
        for row in rows
    ]
    key = f"estimate.{e['key']}"
    mark = v(f"outcome.{v.record['protocol']['estimands'][e['estimand']]['outcome']}.mark")
    return table(
        made,
        caption=f"{v(f'{key}.label')}: {w.lower_first(v(f'{key}.estimator'))}, by {what.lower()} ({v(f'{key}.status')}){mark}",
        heads={"group": what, "value": "Estimate", "interval": v(f"{key}.interval_name"), "n": "People"},
        numbers=("n",),
        note="A difference between groups is shown by a test of the difference, not by one group's interval excluding no effect.",
    )


def _mark(row: Mapping[str, Any], name: str) -> str:
    found = row.get(name)
    return found if isinstance(found, str) else NOT_AVAILABLE
