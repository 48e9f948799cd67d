"""What a monitoring plan promises before it starts: bounds, error spent, power and expected length."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from experiments.monitoring import looks, predictive
from experiments.monitoring.declared import Bayesian, Monitoring, Sequential

POWERS = (0.8, 0.9)
"""At which powers the expected length is told; whole figures for a reader, no choice of the study."""


def promises(plan: Monitoring, *, towards: int) -> dict[str, Any]:
    """JSON-ready: `bounds` by look, `promises` by name, `pilot` by criterion."""
    out: dict[str, Any] = {}
    if plan.sequential is not None:
        out.update(_sequential(plan.sequential))
    if plan.bayesian is not None:
        out.update(_bayesian(plan.bayesian, towards))
    if plan.pilot:
        out["pilot"] = {name: asdict(criterion) for name, criterion in plan.pilot.items()}
    return out


def _sequential(plan: Sequential) -> dict[str, Any]:
    found = looks.bounds(plan, [float(look) * plan.maximum for look in plan.looks], final=True)
    told: dict[str, float] = {}
    for power in POWERS:
        drift = looks.drift_for(plan, power)
        share = looks.operating(plan, drift).expected_fraction
        told[f"information_at_most_over_one_look_power_{power:g}"] = looks.inflation(plan, power)
        told[f"expected_share_of_maximum_power_{power:g}"] = share
    none = looks.operating(plan, 0.0)
    told["expected_share_of_maximum_without_effect"] = none.expected_fraction
    told["chance_of_stopping_for_benefit_without_effect"] = none.power
    return {
        "bounds": [
            {
                "look": look + 1,
                "fraction": float(found.fractions[look]),
                "lower": _finite(found.lower[look]),
                "upper": float(found.upper[look]),
                "spent": float(found.spent[look]),
            }
            for look in range(len(found.upper))
        ],
        "promises": told,
    }


def _bayesian(rule: Bayesian, towards: int) -> dict[str, Any]:
    _, lower, upper = predictive.z_bounds(rule, towards=towards)
    none = predictive.operating(rule, 0.0, towards=towards)
    told = {
        "false_success_without_effect": float(none.upper.sum()),
        "expected_share_of_maximum_without_effect": predictive.expected_fraction(rule, none),
    }
    if rule.margin > 0:
        at_margin = predictive.operating(rule, rule.margin, towards=towards)
        told["success_where_the_benefit_is_the_margin"] = float(at_margin.upper.sum())
    return {
        "bounds": [
            {"look": k + 1, "fraction": float(t), "lower": _finite(low), "upper": float(high)}
            for k, (t, low, high) in enumerate(zip(rule.looks, lower, upper, strict=True))
        ],
        "promises": told,
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
