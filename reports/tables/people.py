"""Who was there at each stage: the flow diagram's text alternative, as a table."""

from __future__ import annotations

from reports import wording as w
from reports.gate.verdict import NOT_APPLICABLE
from reports.keys.study import cell
from reports.tables.accessible import table
from reports.values import Values


def flow(v: Values) -> str:
    """People at each stage, by arm."""
    if not v.present:
        return ""
    arms = list(v.record["protocol"]["arms"])
    counts = {(row["stage"], row["arm"]): row["people"] for row in v.record["flow"]}
    rows = []
    for stage in dict.fromkeys(row["stage"] for row in v.record["flow"]):
        row = {"stage": w.upper_first(stage)}
        for k, arm in enumerate(arms):
            row[f"arm_{k}"] = cell(counts.get((stage, arm)))
        row["all"] = cell(counts.get((stage, None))) if (stage, None) in counts else NOT_APPLICABLE
        if (stage, None) not in counts and all(isinstance(counts.get((stage, a)), int) for a in arms):
            row["all"] = cell(sum(counts[stage, a] for a in arms))
        rows.append(row)
    heads = {"stage": "Stage"} | {f"arm_{k}": v(f"arm.{arm}.label") for k, arm in enumerate(arms)}
    return table(
        rows,
        caption="People at each stage, by arm" + v("primary.mark"),
        heads=heads | {"all": "Together"},
        numbers=[key for key in (*heads, "all") if key != "stage"],
    )
