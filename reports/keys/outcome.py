"""Texts of the declared outcomes, and of what was seen of each in each arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports import wording as w
from reports.gate.verdict import NOT_APPLICABLE, NOT_AVAILABLE, WITHHELD, shown
from reports.keys.provisional import mark_of, marked
from reports.keys.study import cell

KINDS: Mapping[str, str] = {
    "mean": "a score",
    "binary": "whether it happened",
    "count": "how often it happened",
    "time": "how long until it first happened",
    "recurrent": "every time it happened",
}


def outcome_texts(record: Mapping[str, Any]) -> dict[str, str]:
    """`outcome.NAME.*` and `outcome.NAME.ARM.*`."""
    texts: dict[str, str] = {}
    for name, outcome in record["protocol"]["outcomes"].items():
        key = f"outcome.{name}"
        worthwhile = outcome.get("smallest_worthwhile")
        texts |= {
            f"{key}.label": outcome["label"],
            f"{key}.role": outcome["role"],
            f"{key}.kind": KINDS[outcome["kind"]],
            f"{key}.follow_up": w.follow_up(outcome["follow_up_days"]),
            f"{key}.unit": outcome["unit"],
            f"{key}.better": outcome["better"],
            f"{key}.mark": mark_of(record, name),
            f"{key}.smallest_worthwhile": worthwhile_text(worthwhile, outcome) or "none declared",
            f"{key}.smallest_source": worthwhile["source"] if worthwhile else NOT_APPLICABLE,
        }
    for row in record["outcomes"]:
        outcome = record["protocol"]["outcomes"][row["outcome"]]
        key = f"outcome.{row['outcome']}.{row['arm']}"
        said = seen_in_arm(row, outcome["unit"])
        texts |= {
            f"{key}.people": cell(row["people"]),
            f"{key}.observed": cell(row["observed"]),
            f"{key}.events": cell(row["events"]),
            f"{key}.percent": _as(row["proportion"], w.percent),
            f"{key}.natural": _as(row["proportion"], w.per_hundred),
            f"{key}.mean": _as(row["mean"], lambda x: w.number(x, 2)),
            f"{key}.sd": _as(row["sd"], lambda x: w.number(x, 2)),
            f"{key}.rate": _as(row["rate"], lambda x: w.number(x, 2)),
            f"{key}.summary": said if not mark_of(record, row["outcome"]) else marked(said),
        }
    return texts


def worthwhile_text(worthwhile: Mapping[str, Any] | None, outcome: Mapping[str, Any]) -> str | None:
    """The smallest worthwhile effect with its unit; None where none was declared."""
    if worthwhile is None:
        return None
    scale, value = worthwhile["scale"], float(worthwhile["value"])
    if scale == "risk_difference":
        return w.fewer_in_hundred(value, outcome["unit"], outcome["label"])
    said = w.effect(scale, value, outcome["unit"], w.places(scale, None, [value]))
    return said if " " in said else f"a {w.SCALES.get(scale, scale)} of {said}"


def seen_in_arm(row: Mapping[str, Any], unit: str) -> str:
    """What was seen in one arm, in the form that its kind asks: "48 of 216 (22.2%)"."""
    if row["kind"] in ("binary", "time"):
        if not shown(row["proportion"]):
            return WITHHELD if row["proportion"] == WITHHELD else NOT_AVAILABLE
        return f"{cell(row['events'])} of {cell(row['observed'])} ({w.percent(row['proportion'])})"
    if row["kind"] in ("count", "recurrent"):
        if not shown(row["rate"]):
            return WITHHELD if row["rate"] == WITHHELD else NOT_AVAILABLE
        return f"{w.number(row['rate'], 2)} {unit}, {cell(row['events'])} in all"
    if not shown(row["mean"]):
        return WITHHELD if row["mean"] == WITHHELD else NOT_AVAILABLE
    spread = f" (SD {w.number(row['sd'], 2)})" if shown(row["sd"]) else ""
    return f"{w.number(row['mean'], 2)}{spread}"


def _as(value: Any, form: Any) -> str:
    if shown(value):
        return str(form(value))
    return value if isinstance(value, str) else NOT_APPLICABLE
