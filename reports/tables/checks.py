"""Tables of the declared checks: all verdicts, baseline balance, who was lost."""

from __future__ import annotations

from typing import Any

from reports import wording as w
from reports.gate.verdict import NOT_APPLICABLE, shown
from reports.keys.study import cell
from reports.tables.accessible import table
from reports.values import Values


def checks(v: Values) -> str:
    """Every check with its question and verdict."""
    if not v.present:
        return ""
    rows = [
        {
            "check": w.upper_first(w.table_name(c["name"].replace(":", ":_"))),
            "question": v(f"check.{c['name']}.question"),
            "verdict": v(f"check.{c['name']}.verdict"),
            "statistic": v(f"check.{c['name']}.statistic"),
            "note": v(f"check.{c['name']}.note"),
        }
        for c in v.record["checks"]
    ]
    if not rows:
        return "\nThe study declares no checks.\n"
    return table(
        rows,
        caption="Checks declared by the study",
        heads={
            "check": "Check",
            "question": "Question",
            "verdict": "Verdict",
            "statistic": "Statistic",
            "note": "Note",
        },
        numbers=("statistic",),
    )


def balance(v: Values) -> str:
    """Baseline covariates by arm, with standardised differences and no p-values."""
    rows = _rows_of(v, "balance")
    if not rows:
        return ""
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    by = {(row["covariate"], row["arm"]): row for row in rows}
    out = []
    for name in dict.fromkeys(row["covariate"] for row in rows):
        row = {"covariate": w.upper_first(str(name).replace("_", " "))}
        for k, arm in enumerate(arms):
            row[f"arm_{k}"] = _mean(by[name, arm])
        difference = by[name, arms[0]]["standardised_difference"]
        row["difference"] = w.number(difference, 2) if shown(difference) else cell(difference)
        out.append(row)
    heads = {"covariate": "At the start"} | {f"arm_{k}": v(f"arm.{arm}.label") for k, arm in enumerate(arms)}
    return table(
        out,
        caption="The arms at the start: mean and standard deviation, or percentage" + v("primary.mark"),
        heads=heads | {"difference": "Standardised difference"},
        numbers=[key for key in (*heads, "difference") if key != "covariate"],
        note="A standardised difference is in standard deviations. No p-values: allocation was by design, "
        "and a test of it would answer no question.",
    )


def attrition(v: Values) -> str:
    """People randomised, measured and lost, by arm."""
    rows = _rows_of(v, "attrition")
    if not rows:
        return ""
    out = [
        {
            "arm": v(f"arm.{row['arm']}.label"),
            "randomised": cell(row["randomised"]),
            "observed": cell(row["observed"]),
            "lost": cell(row["lost"]),
            "share": w.percent(row["share_lost"]) if shown(row["share_lost"]) else cell(row["share_lost"]),
        }
        for row in rows
    ]
    return table(
        out,
        caption="People lost before the primary outcome, by arm" + v("primary.mark"),
        heads={
            "arm": "Arm",
            "randomised": "At the start",
            "observed": "Outcome measured",
            "lost": "Lost",
            "share": "Share lost",
        },
        numbers=("randomised", "observed", "lost", "share"),
    )


def _rows_of(v: Values, name: str) -> list[dict[str, Any]]:
    for check in v.record.get("checks", ()):
        if check["name"] == name:
            return list(check["rows"])
    return []


def _mean(row: dict[str, Any]) -> str:
    if not shown(row["mean"]):
        return cell(row["mean"]) if row["mean"] is not None else NOT_APPLICABLE
    if row["yes_no"]:
        return w.percent(row["mean"])
    spread = f" ({w.number(row['sd'], 1)})" if shown(row["sd"]) else ""
    return f"{w.number(row['mean'], 1)}{spread}"
