"""From a study's design and roster to the plan that is sealed, once the design licenses that draw.

The design's own refusals come first (a block with fewer units than arms, a cluster in two blocks). Then
the chances that the sealed draw gives every unit are compared with those that the design states, and the
units drawn together with the design's own: a seal that drew another experiment than the one declared
would be worth nothing. Designs whose draw is of another kind are refused, with what to seal instead.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from data_contracts.declared import plain
from experiments.allocation.canonical import Roster, roster_from
from experiments.allocation.strata import NotSealable, Plan, strata

if TYPE_CHECKING:
    import pandas as pd

    from experiments.design import Design

FIXED_SHARES = (
    "complete",
    "blocked",
    "clustered",
    "blocked_clusters",
    "matched_pairs",
    "multi_site",
    "wait_list",
    "encouragement",
)
SEALED = ("simple", *FIXED_SHARES, "sequential_blocks")
"""Schemes that can be sealed."""

# Chances are exact fractions on one side and sums of a few floats on the other.
TOLERANCE = 1e-9

_INSTEAD = {
    "rerandomised": "Seal `blocked` or `matched_pairs` on the same covariates: they are balanced by construction.",
    "minimised": "Seal `sequential_blocks` with `block_by` the factors to be balanced.",
    "adaptive": "Seal `sequential_blocks` for the burn-in, and enter each batch's probabilities in the ledger.",
    "stepped_wedge": "Seal a `clustered` design of the places whose arms are the sequences, in equal shares.",
    "crossover": "Seal a `clustered` design of the places whose arms are the orders of treatment.",
    "factorial": "Seal a `complete` or `blocked` design with one arm for each cell.",
    "two_stage": "Seal a `clustered` design whose arms are the saturations, then a `blocked` one by cluster.",
}


def design_as_json(design: Design) -> dict[str, Any]:
    """The design as the seal binds it: its scheme, its choices and its arms; decimals as text."""
    out: dict[str, Any] = _decimals({"scheme": design.scheme, **plain(design)})
    return out


def sequential_plan(design: Design) -> Plan:
    """The plan of a design that enrols people one at a time."""
    _check_scheme(design, ("sequential_blocks",))
    return Plan(
        draw="sequential blocks",
        arms=design.names,
        shares=tuple(arm.share for arm in design.arms),
        by=design.block_columns,
        sizes=tuple(design.sizes),  # type: ignore[attr-defined]
    )


def licensed(design: Design, frame: pd.DataFrame) -> tuple[Plan, Roster]:
    """The plan and the canonical roster of `frame`, (units, columns) indexed by id, after all checks."""
    _check_scheme(design, SEALED)
    chance = design.chance(frame)[list(design.names)].to_numpy(dtype=float)
    by = tuple(dict.fromkeys((*_named(design, "pair"), *_named(design, "site"), *design.block_columns)))
    plan = Plan(
        draw="independent" if design.scheme == "simple" else "fixed shares",
        arms=design.names,
        shares=tuple(arm.share for arm in design.arms),
        by=by,
        cluster=design.cluster_column,
    )
    roster = roster_from(frame, plan.columns)
    row = {str(unit): place for place, unit in enumerate(frame.index)}
    plan = _with_own_shares(plan, roster, design, frame, row)
    sealed = np.empty_like(chance)
    for stratum in strata(plan, roster):
        for units in stratum.members.values():
            sealed[[row[unit] for unit in units]] = [float(share) for share in plan.shares_in(stratum.label)]
    if not np.allclose(sealed, chance, rtol=0.0, atol=TOLERANCE):
        raise NotSealable(
            where=f"design.{design.scheme}",
            found="chances that differ from the sealed draw's",
            expected="the same chance of every arm for every unit",
            remedy="Seal a design that gives every stratum its exact shares: complete or blocked, for example.",
        )
    return plan, roster


def _with_own_shares(
    plan: Plan, roster: Roster, design: Design, frame: pd.DataFrame, row: dict[str, int]
) -> Plan:
    """The plan with the exact shares of strata that have their own, from the design's layout."""
    layout = design.layout(frame) if hasattr(design, "layout") else None
    if layout is None:
        return plan
    own: list[tuple[tuple[str, ...], tuple[Fraction, ...]]] = []
    used: set[int] = set()
    for stratum in strata(plan, roster):
        rows = [row[unit] for units in stratum.members.values() for unit in units]
        units = np.arange(len(frame)) if layout.unit is None else np.asarray(layout.unit)
        found = np.unique(np.asarray(layout.plan.stratum)[units[rows]])
        inside = len(np.unique(units[rows])) == len(stratum.members)
        if len(found) != 1 or not inside or int(found[0]) in used:
            raise NotSealable(
                where=f"design.{design.scheme}",
                found="strata or units of the design that the roster's columns do not name",
                expected="strata and clusters that are columns of the roster",
                remedy="Write the design's strata (the pairs it formed, for example) as a column, and name it.",
            )
        used.add(int(found[0]))
        shares = tuple(layout.plan.shares[int(found[0])])
        if shares != plan.shares:
            own.append((stratum.label, shares))
    return Plan(
        draw=plan.draw, arms=plan.arms, shares=plan.shares, by=plan.by, own=tuple(own), cluster=plan.cluster
    )


def _named(design: Design, field: str) -> tuple[str, ...]:
    name = getattr(design, field, None)
    return (name,) if isinstance(name, str) else ()


def _check_scheme(design: Design, allowed: tuple[str, ...]) -> None:
    if design.scheme not in allowed:
        raise NotSealable(
            where="design.scheme",
            found=f"'{design.scheme}'",
            expected=f"one of {', '.join(allowed)}",
            remedy=_INSTEAD.get(design.scheme, "Nobody draws this design, so there is no draw to seal.")
            if design.scheme not in SEALED
            else "A roster is drawn at once (`commit --roster`), sequential_blocks one person at a time.",
        )


def _decimals(value: Any) -> Any:
    """Numbers with a fraction as their shortest text, which canonical JSON can hold."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: _decimals(item) for key, item in value.items()}
    return [_decimals(item) for item in value] if isinstance(value, list) else value
