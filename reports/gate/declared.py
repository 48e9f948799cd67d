"""What was declared, and where the data came from: choices and provenance, which count nobody.

The protocol is a public document, so its text passes; what is withheld here is what a table's size
would tell of a withheld arm, and any entry whose shape the gate does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.gate.counts import PeopleCounts
from reports.gate.verdict import Ledger, shown

TABLE_KEYS = frozenset(
    {"name", "grain", "rows", "sha256", "source", "extracted", "provisional", "controller"}
)
DEVIATION_KEYS = frozenset({"path", "registered", "run", "amended", "reason", "verdict", "affects"})


def judge_protocol(protocol: Mapping[str, Any], ledger: Ledger) -> dict[str, Any]:
    """The declaration, save for the world it was rehearsed in, which pages do not show."""
    ledger.release("protocol", "protocol text", "a declaration holds choices, not data")
    return {key: value for key, value in protocol.items() if key != "world"}


def judge_sources(
    sources: Mapping[str, Sequence[str]], protocol: Mapping[str, Any], ledger: Ledger
) -> dict[str, list[str]]:
    """The names of the tables that each outcome rests on."""
    out = {}
    for name, tables in sources.items():
        if name not in protocol["outcomes"] or not all(isinstance(table, str) for table in tables):
            ledger.withhold(f"source.{name}", "table", "an outcome that the gate does not know")
            continue
        ledger.release(f"source.{name}", "table", "a declaration holds choices, not data")
        out[name] = list(tables)
    return out


def judge_deviations(rows: Sequence[Mapping[str, Any]], ledger: Ledger) -> list[dict[str, Any]]:
    """Differences between the registered protocol and the one run."""
    out = []
    for index, row in enumerate(rows):
        key = f"deviation.{index}"
        if set(row) != DEVIATION_KEYS:
            ledger.withhold(key, "deviation", "keys that the gate does not know")
            continue
        ledger.release(key, "deviation", "a declaration holds choices, not data")
        out.append(dict(row))
    return out


def judge_tables(
    rows: Sequence[Mapping[str, Any]], flow: Sequence[Mapping[str, Any]], people: PeopleCounts, ledger: Ledger
) -> list[dict[str, Any]]:
    """The tables read; their sizes are withheld with any arm of the flow, which they would give away."""
    hidden = any(row["arm"] is not None and not shown(row["people"]) for row in flow)
    out = []
    for row in rows:
        key = f"table.{row.get('name')}"
        if not set(row) <= TABLE_KEYS:
            ledger.withhold(key, "table", "keys that the gate does not know")
            continue
        refusal = people.refusal("all", int(row["rows"]))
        if hidden:
            refusal = "subtraction would show a withheld arm"
        size = ledger.settle(
            f"{key}.rows", "table", people.policy.rounded(int(row["rows"])), refusal, "at least the threshold"
        )
        ledger.release(key, "table", "provenance, which counts nobody")
        out.append({**row, "rows": size})
    return out
