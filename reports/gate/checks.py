"""Checks: their verdicts, their statistics, and the tables behind them, judged row by row.

A note is text that a check wrote: with a figure in it the gate cannot tell what it counts, and it
goes to review. A note without figures tells of counts too: "every unit has the same result" is a count of nobody,
and "recorded for fewer than two people" one of nobody or one. The note of a match rate is printed only where
those who were not found are, and that of balance only where every covariate that it names is. A table is printed when every one of its
columns is known. Attrition's statistic is made from counts of people lost, so it is printed only where those
counts are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from reports.gate.balance import judge_balance
from reports.gate.counts import ENOUGH, PeopleCounts, significant, too_few, too_few_clusters
from reports.gate.known import CHECK_TABLES, EXTREMES, ColumnRule
from reports.gate.links import match_gap
from reports.gate.verdict import Cell, Ledger, shown

MATCH = "match_rate:"
_DIGIT = re.compile(r"\d")


def judge_checks(
    checks: Sequence[Mapping[str, Any]],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    links: Sequence[Mapping[str, Any]],
    people: PeopleCounts,
    ledger: Ledger,
) -> list[dict[str, Any]]:
    """Each check with its verdict, and with its statistic, note and rows where they may be printed."""
    out = []
    for check in checks:
        name = check["name"]
        key = f"check.{name}"
        ledger.release(f"{key}.verdict", "check", "a verdict counts nobody")
        row: dict[str, Any] = {k: check[k] for k in ("name", "question", "verdict")}
        row["rows"] = _rows(name, tables.get(name, ()), people, ledger)
        row["note"] = _note(check, key, _telling(check, row["rows"], links), ledger)
        if name.startswith(MATCH):
            gap = match_gap(links, name.removeprefix(MATCH))
            why = None if gap is not None or check["statistic"] is None else "made from a withheld count"
            row["statistic"] = ledger.settle(
                f"{key}.statistic", "check", gap, why, "made from released rates"
            )
        else:
            row["statistic"] = _statistic(check, row["rows"], key, ledger)
        out.append(row)
    return out


def _telling(
    check: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]]
) -> str | None:
    """Why a note without figures would tell a count that is withheld, or None."""
    name, note = str(check["name"]), str(check["note"])
    if name.startswith(MATCH) and check["statistic"] is not None:
        arms = [row for row in links if row["table"] == name.removeprefix(MATCH) and row["arm"] is not None]
        if not all(shown(row[part]) for row in arms for part in ("matched", "unmatched")):
            return "made from a withheld count"
    if name == "balance" and any(str(row["covariate"]) in note for row in rows if not shown(row["n"])):
        return "names a covariate that is withheld"
    return None


def _note(check: Mapping[str, Any], key: str, why: str | None, ledger: Ledger) -> str:
    note = str(check["note"])
    if why is not None:
        return ledger.withhold(f"{key}.note", "check", why)
    if _DIGIT.search(note):
        return ledger.review(f"{key}.note", "check", "free text with figures, which the gate cannot read")
    ledger.release(f"{key}.note", "check", "text without figures")
    return note


def _statistic(check: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], key: str, ledger: Ledger) -> Cell:
    if check["statistic"] is None:
        return None
    name = check["name"]
    if name != "balance" and name not in CHECK_TABLES:
        return ledger.withhold(f"{key}.statistic", "check", "a statistic that the gate does not know")
    if name == "attrition":
        lost, whole = [r["lost"] for r in rows], [r["randomised"] for r in rows]
        if not lost or not all(shown(cell) for cell in (*lost, *whole)):
            return ledger.withhold(f"{key}.statistic", "check", "made from a withheld count")
        value = significant(sum(lost) / sum(whole), 3)
        return ledger.settle(f"{key}.statistic", "check", value, None, "made from released counts")
    differences = [abs(r["standardised_difference"]) for r in rows if shown(r["standardised_difference"])]
    largest = round(abs(float(check["statistic"])), 3)
    if not any(abs(largest - difference) < 5e-4 for difference in differences):
        return ledger.withhold(f"{key}.statistic", "check", "belongs to a covariate that is withheld")
    return ledger.settle(f"{key}.statistic", "check", largest, None, "belongs to a released covariate")


def _rows(
    name: str, rows: Sequence[Mapping[str, Any]], people: PeopleCounts, ledger: Ledger
) -> list[dict[str, Any]]:
    if not rows:
        return []
    if name == "balance":
        return judge_balance(rows, people, ledger)
    columns = CHECK_TABLES.get(name)
    if columns is None or any(not set(row) <= set(columns) for row in rows):
        unknown = {column for row in rows for column in row} - set(columns or ())
        why = "minima and maxima are refused" if unknown & EXTREMES else "columns that the gate does not know"
        ledger.withhold(f"check.{name}.rows", "check", why)
        return []
    return [
        _row(f"check.{name}.{row.get('arm', i)}", row, columns, people, ledger) for i, row in enumerate(rows)
    ]


def _row(
    key: str,
    row: Mapping[str, Any],
    columns: Mapping[str, ColumnRule],
    people: PeopleCounts,
    ledger: Ledger,
) -> dict[str, Any]:
    policy = people.policy
    out: dict[str, Any] = {}
    for column, value in row.items():
        at, rule = f"{key}.{column}", columns[column]
        if rule == "label" or value is None:
            out[column] = value
        elif rule == "people":
            refusal = people.refusal(str(row.get("arm", "all")), int(value))
            out[column] = ledger.settle(at, "count", policy.rounded(int(value)), refusal, ENOUGH)
        elif rule == "lost":
            refusal = too_few(value, policy)
            if not shown(out.get("observed")):
                refusal = refusal or "subtraction would show how many were measured"
            out[column] = ledger.settle(at, "count", policy.rounded(int(value)), refusal, ENOUGH)
        elif rule == "clusters":
            refusal = None if value == 0 else too_few_clusters(int(value), policy)
            out[column] = ledger.settle(at, "count", int(value), refusal, "enough clusters")
        elif rule == "share_of_people":
            if shown(out.get("lost")) and shown(out.get("randomised")):
                share = significant(out["lost"] / out["randomised"], 3)
                out[column] = ledger.settle(at, "proportion", share, None, "made from released counts")
            else:
                out[column] = ledger.withhold(at, "proportion", "made from a withheld count")
        else:
            out[column] = ledger.settle(at, rule, significant(float(value), 3), None, ENOUGH)
    return out
