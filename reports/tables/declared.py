"""Tables of what was declared: the estimands, the plan of analysis, and what changed since registration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports import wording as w
from reports.gate.verdict import NOT_APPLICABLE
from reports.tables.accessible import table
from reports.values import Values

PLAIN = frozenset({"estimand", "estimator", "role", "missing", "covariates", "subgroup"})


def estimands(v: Values) -> str:
    """Each estimand by the attributes of ICH E9(R1)."""
    if not v.present:
        return ""
    protocol = v.record["protocol"]
    rows = []
    for name, e in protocol["estimands"].items():
        arm, reference = (v(f"arm.{a}.label") for a in e["contrast"])
        outcome = e["outcome"]
        events = [f"{event}: {strategy}" for event, strategy in e.get("intercurrent", {}).items()]
        rows.append(
            {
                "name": w.upper_first(name.replace("_", " ")),
                "treatment": f"{arm} against {w.lower_first(reference)}",
                "population": w.upper_first(e["population"]),
                "variable": f"{v(f'outcome.{outcome}.label')}, {v(f'outcome.{outcome}.follow_up')} ({v(f'outcome.{outcome}.unit')})",
                "summary": w.upper_first(w.SCALES.get(e["scale"], e["scale"])),
                "events": w.upper_first("; ".join(events)) if events else NOT_APPLICABLE,
            }
        )
    return table(
        rows,
        caption="What the study set out to learn: its estimands",
        heads={
            "name": "Estimand",
            "treatment": "Treatment",
            "population": "Population",
            "variable": "Variable",
            "summary": "Summary",
            "events": "Intercurrent events",
        },
    )


def outcomes(v: Values) -> str:
    """How each outcome is made: its tables, and every choice of its derivation."""
    if not v.present:
        return ""
    rows = []
    for name, outcome in v.record["protocol"]["outcomes"].items():
        derive = outcome.get("derive") or {}
        rows.append(
            {
                "name": f"{v(f'outcome.{name}.label')} ({v(f'outcome.{name}.role')})",
                "tables": ", ".join(w.table_name(t) for t in v.record["sources"][name] if t != _roster(v))
                or w.table_name(_roster(v)),
                "kind": f"{w.upper_first(v(f'outcome.{name}.kind'))}, over {v(f'outcome.{name}.follow_up')}",
                "method": w.upper_first(w.table_name(derive["method"])) if derive else "As recorded",
                "choices": "; ".join(
                    f"{k.replace('_', ' ')}: {_flat(x)}" for k, x in derive.items() if k != "method"
                )
                or f"column: {outcome['column'].replace('_', ' ')}",
            }
        )
    return table(
        rows,
        caption="How each outcome is made",
        heads={
            "name": "Outcome",
            "kind": "What is measured",
            "tables": "From",
            "method": "Derived by",
            "choices": "Choices",
        },
    )


def _roster(v: Values) -> str:
    return str(v.record["protocol"]["population"]["roster"])


def plan(v: Values) -> str:
    """Every analysis with the choices that the study wrote for it."""
    if not v.present:
        return ""
    rows = [
        {
            "name": w.upper_first(name.replace("_", " ")),
            "estimand": w.upper_first(a["estimand"].replace("_", " ")),
            "estimator": w.estimator_name(a["estimator"]),
            "role": a.get("role", "main"),
            "choices": "; ".join(
                f"{k.replace('_', ' ')}: {_flat(x)}" for k, x in a.items() if k not in PLAIN
            ),
            "covariates": ", ".join(c.replace("_", " ") for c in a.get("covariates", ())) or "none",
            "missing": str(a["missing"]["primary"]).replace("_", " "),
        }
        for name, a in v.record["protocol"]["analyses"].items()
    ]
    return table(
        rows,
        caption="The analysis plan, as declared",
        heads={
            "name": "Analysis",
            "estimand": "Estimand",
            "estimator": "Estimator",
            "role": "Role",
            "choices": "Choices",
            "covariates": "Covariates",
            "missing": "Missing outcomes",
        },
    )


def deviations(v: Values) -> str:
    """Every entry of the protocol that differs from the registered one; empty where none does."""
    if not v.present or not v.record["deviations"]:
        return ""
    rows = [
        {
            "path": row["path"],
            "registered": _or_none(row["registered"]),
            "run": _or_none(row["run"]),
            "amended": row["amended"] or "no",
            "reason": row["reason"] or "none given",
            "verdict": row["verdict"],
            "affects": ", ".join(row["affects"]).replace("_", " ") or "nothing",
        }
        for row in v.record["deviations"]
    ]
    return table(
        rows,
        caption="The protocol that was run, against the protocol as registered",
        heads={
            "path": "Entry",
            "registered": "As registered",
            "run": "As run",
            "amended": "Amended on",
            "reason": "Reason",
            "verdict": "Verdict",
            "affects": "Analyses that depend on it",
        },
        note="An analysis that depends on a change made without an amendment, or after outcome data were seen, is "
        "published as exploratory.",
    )


def _or_none(value: Any) -> str:
    return "absent" if value is None else str(value)


def _flat(node: Any) -> str:
    if isinstance(node, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {_flat(item)}" for key, item in node.items())
    if isinstance(node, (list, tuple)):
        return ", ".join(_flat(item) for item in node)
    return str(node)
