"""Tables of the definitions of an outcome: what each counts, and the result under each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports import wording as w
from reports.gate.verdict import WITHHELD
from reports.keys.outcome import seen_in_arm
from reports.keys.provisional import marked
from reports.tables.accessible import table
from reports.tables.results import effect_cell, main_estimates
from reports.values import Values


def by_definition(v: Values) -> str:
    """The main result of each outcome under each of its definitions, its own first."""
    if not v.present or all(row["own"] for row in v.record["definitions"]):
        return ""
    protocol = v.record["protocol"]
    arms = list(protocol["arms"])
    heads = {"definition": "Definition"}
    heads |= {f"arm_{k}": w.upper_first(v(f"arm.{arm}.label")) for k, arm in enumerate(arms)}
    heads |= {"effect": "Effect", "interval": "Interval", "p": "p-value"}
    mains = {protocol["estimands"][e["estimand"]]["outcome"]: e for e in reversed(main_estimates(v))}
    several = len({row["outcome"] for row in v.record["definitions"]}) > 1
    rows = []
    for row in v.record["definitions"]:
        name = row["outcome"]
        text = w.upper_first(row["label"]) + (" (the study's own)" if row["own"] else "")
        cells = {"definition": f"{v(f'outcome.{name}.label')}: {w.lower_first(text)}" if several else text}
        for k, arm in enumerate(arms):
            cells[f"arm_{k}"] = _in_arm(v, row, arm)
        cells |= _result(v, mains.get(name), row)
        rows.append(cells)
    return table(
        rows,
        caption="The main result under each definition of the outcome",
        heads=heads,
        note=v("release.rounding"),
    )


def definitions(v: Values) -> str:
    """What each definition counts, in its makers' words, and how the words are read as offence classes."""
    if not v.present or not v.record["definitions"]:
        return ""
    seen: dict[str, Mapping[str, Any]] = {row["id"]: row for row in v.record["definitions"]}
    rows = [
        {
            "label": f"{w.upper_first(row['label'])} ({row['locality']}; version {row['version']} of {row['date']})",
            "words": row["words"],
            "reading": row["reading"],
            "source": row["source"],
        }
        for row in seen.values()
    ]
    return table(
        rows,
        caption="What each definition counts",
        heads={
            "label": "Definition",
            "words": "In its makers' words",
            "reading": "As read here",
            "source": "Source",
        },
    )


def _in_arm(v: Values, row: Mapping[str, Any], arm: str) -> str:
    if row["own"]:
        return v(f"outcome.{row['outcome']}.{arm}.summary")
    cells = next((c for c in row["arms"] if c["arm"] == arm), None)
    unit = v.record["protocol"]["outcomes"][row["outcome"]]["unit"]
    said = WITHHELD if cells is None else seen_in_arm(cells, unit)
    return marked(said) if v(f"outcome.{row['outcome']}.mark") else said


def _result(v: Values, main: Mapping[str, Any] | None, row: Mapping[str, Any]) -> dict[str, str]:
    """Effect, interval and p-value; the mark for withheld where too few events left no estimate."""
    if main is None:
        return dict.fromkeys(("effect", "interval", "p"), WITHHELD)
    key = f"estimate.{main['key']}" + ("" if row["own"] else f".{row['id']}")
    if f"{key}.value" not in v.texts:
        return dict.fromkeys(("effect", "interval", "p"), WITHHELD)
    return {
        "effect": effect_cell(v, key),
        "interval": v(f"{key}.interval"),
        "p": v(f"{key}.p").removeprefix("p = ").removeprefix("p "),
    }
