"""Estimates that there are not, under a definition so rare that no estimator served it: withheld like those that there are.

An estimator refuses an outcome that never happens, and has an answer where it happened to a few. Were the one left out and
the other withheld, the release would tell nobody from a few. So a row that is not there stands in its place,
with the same mark and the same reason, where the gate finds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.deviations import late_definitions

ABSENT = "absent"
"""The key of a row that stands for an estimate that was not made."""


def with_absent(
    rows: Sequence[Mapping[str, Any]],
    definitions: Sequence[Mapping[str, Any]],
    protocol: Mapping[str, Any],
    deviations: Sequence[Mapping[str, Any]],
) -> list[Mapping[str, Any]]:
    """The rows, analysis by analysis, with one for every definition that a main analysis was to be shown under."""
    late = late_definitions(
        [row for row in deviations if {"path", "verdict", "registered", "run"} <= set(row)]
    )
    out: list[Mapping[str, Any]] = []
    for name in dict.fromkeys(_entry(row, "analysis") for row in rows):
        of_it = [row for row in rows if _entry(row, "analysis") == name]
        out += [row for row in of_it if _entry(row, "definition") is None]
        under = {_entry(row, "definition"): row for row in of_it if _entry(row, "definition") is not None}
        own = next((row for row in of_it if _entry(row, "definition") is None), None)
        declared = protocol.get("analyses", {}).get(name, {})
        outcome = protocol.get("estimands", {}).get(declared.get("estimand"), {}).get("outcome")
        if own is not None and declared.get("role", "main") == "main":
            for row in definitions:
                if row.get("outcome") == outcome and not row.get("own") and row.get("id") not in under:
                    under[row.get("id")] = _absent(own, str(row.get("id")), (outcome, row.get("id")) in late)
        order = [row.get("id") for row in definitions if row.get("outcome") == outcome]
        known = sorted((d for d in under if d in order), key=order.index)
        out += [under[d] for d in [*known, *(d for d in under if d not in order)]]
    return out


def _absent(own: Mapping[str, Any], definition: str, late: bool) -> dict[str, Any]:
    kept = {key: own.get(key) for key in ("estimand", "estimator", "scale", "unit", "registered")}
    extra = {key: own["extra"].get(key) for key in ("analysis", "missing")}
    extra |= {"definition": definition, "sensitivity_to": extra["analysis"]}
    return {**kept, "registered": bool(kept["registered"]) and not late, "extra": extra, ABSENT: True}


def _entry(row: Mapping[str, Any], key: str) -> Any:
    return row.get("extra", {}).get(key)
