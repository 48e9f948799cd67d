"""Tables of results: the study at a glance, all analyses of the primary question, the other outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports import wording as w
from reports.gate.verdict import NOT_APPLICABLE, shown
from reports.tables.accessible import table
from reports.values import Values


def glance(v: Values) -> str:
    """What a funder looks at first: each outcome's main analysis, primary first, both arms, effect."""
    if not v.present:
        return ""
    rows = []
    heads = {"outcome": "Outcome"}
    arms = _arms(v)
    heads |= {f"arm_{k}": w.upper_first(label) for k, label in enumerate(arms.values())}
    named = {v(f"estimate.{e['key']}.interval_name") for e in main_estimates(v)}
    heads |= {"effect": "Effect", "interval": named.pop() if len(named) == 1 else "Interval"}
    heads |= {"p": "p-value", "status": "Status"}
    statuses = {v(f"estimate.{e['key']}.status") for e in main_estimates(v)}
    if len(statuses) == 1:
        del heads["status"]
    for estimate in main_estimates(v):
        key = f"estimate.{estimate['key']}"
        estimand = v.record["protocol"]["estimands"][estimate["estimand"]]
        role = v(f"outcome.{estimand['outcome']}.role")
        row = {"outcome": f"{v(f'{key}.label')} ({role}, {v(f'{key}.follow_up')})"}
        for k, arm in enumerate(arms):
            text = v.texts.get(f"outcome.{estimand['outcome']}.{arm}.summary", NOT_APPLICABLE)
            row[f"arm_{k}"] = text if arm in estimand["contrast"] else NOT_APPLICABLE
        row["effect"] = effect_cell(v, key)
        row["interval"] = v(f"{key}.interval")
        if heads["interval"] == "Interval" and not row["interval"].startswith("["):
            row["interval"] += f" ({v(f'{key}.interval_name')})"
        row["p"] = _p(v(f"{key}.p"))
        if not v(f"{key}.p_adjusted").startswith("["):
            row["p"] += f"; adjusted {_p(v(f'{key}.p_adjusted'))}"
        row["status"] = v(f"{key}.status")
        rows.append(row)
    return table(
        rows,
        caption="Main result for each outcome, the primary outcome first",
        heads=heads,
        note=v("release.rounding")
        + (f" Status of every result: {statuses.pop()}." if len(statuses) == 1 else ""),
    )


def analyses(v: Values) -> str:
    """Every analysis of the primary estimand on its scale, side by side, econometric and Bayesian."""
    if not v.present:
        return ""
    estimand = v.record["primary"]["estimand"]
    chosen = [e for e in v.record["estimates"] if e["estimand"] == estimand and e["definition"] is None]
    rows = [_analysis_row(v, e) for e in chosen]
    for row, e in zip(rows, chosen, strict=True):
        key = f"estimate.{e['key']}"
        value = v(f"{key}.value")
        row["value"] = (
            value if value.startswith("[") else v(f"{key}.short").split(" (")[0] + v("primary.mark")
        )
        row["interval"] = v(f"{key}.interval")
        row["kind"] = v(f"{key}.interval_name").removesuffix(" interval")
    unit = w.unit_words(chosen[0]["scale"], chosen[0]["unit"]) if chosen else ""
    return table(
        rows,
        caption=f"All analyses of the primary question: {w.lower_first(v('primary.label'))} within {v('primary.follow_up')}",
        heads={
            "analysis": "Analysis",
            "how": "Estimator",
            "value": w.upper_first(v("primary.scale")) + (f" ({unit})" if unit else ""),
            "interval": "Interval",
            "kind": "Level and kind",
            "sure": "p-value or probability",
            "n": "People",
        },
        numbers=("n",),
        note="A p-value is the chance of data at least this far from no effect if there were none. A posterior "
        "probability is the chance of a benefit, given the data, the model and the prior.",
    )


def secondary(v: Values) -> str:
    """Every analysis of the outcomes that are not primary."""
    if not v.present:
        return ""
    first = v.record["primary"]["outcome"]
    protocol = v.record["protocol"]
    rows = []
    for e in v.record["estimates"]:
        if protocol["estimands"][e["estimand"]]["outcome"] == first or e["definition"] is not None:
            continue
        row = _analysis_row(v, e)
        row["outcome"] = v(f"estimate.{e['key']}.label")
        rows.append(row)
    if not rows:
        return "\nThe study declares no secondary outcome.\n"
    return table(
        rows,
        caption="All analyses of the outcomes that are not primary",
        heads={
            "analysis": "Analysis",
            "outcome": "Outcome",
            "how": "Estimator",
            "value": "Estimate",
            "interval": "Interval",
            "sure": "p-value or probability",
            "n": "People",
        },
        numbers=("n",),
    )


def main_estimates(v: Values) -> list[Mapping[str, Any]]:
    """The main analysis of each outcome, in the declared way of handling missing outcomes; primary first."""
    protocol, primary = v.record["protocol"], v.record["primary"]
    roles = {name: a.get("role", "main") for name, a in protocol["analyses"].items()}
    chosen = [
        e for e in v.record["estimates"] if roles.get(e["analysis"]) == "main" and not e["sensitivity_to"]
    ]
    return sorted(chosen, key=lambda e: e["key"] != primary["analysis"])


def effect_cell(v: Values, key: str) -> str:
    """ "Risk difference −8.3 percentage points"."""
    value = v(f"{key}.value")
    return value if value.startswith("[") else f"{w.upper_first(v(f'{key}.scale'))} {value}"


def _analysis_row(v: Values, estimate: Mapping[str, Any]) -> dict[str, str]:
    key = f"estimate.{estimate['key']}"
    named = v(f"{key}.interval_name")
    name = str(estimate["analysis"]).replace("_", " ")
    if estimate["sensitivity_to"]:
        name = f"{name}, missing outcomes by {v(f'{key}.missing')}"
    value = v(f"{key}.value")
    scale = v(f"{key}.scale")
    return {
        "analysis": w.upper_first(name)
        + (" (the study's answer)" if estimate["key"] == v.record["primary"]["analysis"] else ""),
        "how": v(f"{key}.estimator"),
        "value": value if value.startswith("[") or " " in value else f"{w.upper_first(scale)} {value}",
        "interval": v(f"{key}.interval") if named.startswith("[") else f"{v(f'{key}.interval')} ({named})",
        "sure": sureness(v, estimate),
        "n": v(f"{key}.n"),
    }


def sureness(v: Values, estimate: Mapping[str, Any]) -> str:
    """A p-value, or the posterior probability of a benefit, each by its name."""
    chance = estimate["extra"].get("probability_of_benefit")
    if shown(chance):
        return f"probability of benefit {w.probability(chance)}"
    return v(f"estimate.{estimate['key']}.p")


def _arms(v: Values) -> dict[str, str]:
    arms = v.record["protocol"]["arms"]
    ordered = sorted(arms, key=lambda name: bool(arms[name].get("reference")))
    return {name: v(f"arm.{name}.label") for name in ordered}


def _p(text: str) -> str:
    return text.removeprefix("p = ").removeprefix("p ")
