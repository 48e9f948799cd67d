"""Estimates: judged by the people, events, clusters and degrees of freedom behind them.

An estimate is printed when every arm behind it has enough people (and, for a proportion or a time
to an event, enough with and without the event), enough clusters where there are clusters, and the
residual degrees of freedom that the policy asks. Those are people less parameters: the few degrees
of freedom of a t distribution over clusters say how sure the estimate is, not whom it discloses. Its numbers are rounded so that the standard
error keeps three significant figures.

An estimator's own numbers (`extra`) pass one by one, and only those listed in `known.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from experiments.outcome import RATIO_SCALES
from reports.gate.absent import ABSENT
from reports.gate.arms import arm_refusal
from reports.gate.counts import PeopleCounts, few, total
from reports.gate.definitions import Refused
from reports.gate.degrees_of_freedom import coarse_df
from reports.gate.extras import judge_extras
from reports.gate.known import EXTRAS, STRUCTURE
from reports.gate.verdict import Ledger, shown

FIELDS = frozenset(
    {
        "estimand", "estimator", "scale", "value", "standard_error", "interval", "p_value", "df", "unit",
        "units_used", "clusters_used", "registered", "extra",
    }
)  # fmt: skip
MOST_PLACES = 9
NUMBERS = ("value", "standard_error", "interval", "p_value", "df")


def judge_estimates(
    rows: Sequence[Mapping[str, Any]],
    protocol: Mapping[str, Any],
    people: PeopleCounts,
    ledger: Ledger,
    told_apart: Refused | None = None,
) -> list[dict[str, Any]]:
    """Every estimate with its numbers, or with marks in their place.

    `told_apart` says which outcomes may not be printed under which definitions, and why.
    """
    return [_estimate(row, protocol, people, ledger, told_apart or {}) for row in rows]


def estimate_key(extra: Mapping[str, Any]) -> str:
    """The address of an estimate: its analysis, with its definition or handling of missing outcomes if secondary."""
    name = str(extra.get("analysis", "unnamed"))
    if extra.get("definition") is not None:
        return f"{name}.{extra['definition']}"
    return f"{name}.{extra['missing']}" if "sensitivity_to" in extra else name


def _estimate(
    row: Mapping[str, Any],
    protocol: Mapping[str, Any],
    people: PeopleCounts,
    ledger: Ledger,
    told_apart: Refused,
) -> dict[str, Any]:
    extra = row.get("extra", {})
    name = estimate_key(extra)
    key = f"estimate.{name}"
    out: dict[str, Any] = {
        "analysis": extra.get("analysis"),
        "key": name,
        "missing": extra.get("missing"),
        "sensitivity_to": extra.get("sensitivity_to"),
        "definition": extra.get("definition"),
        **{k: row.get(k) for k in ("estimand", "estimator", "scale", "unit", "registered")},
    }
    refusal = estimate_refusal(row, protocol, people.policy) or ledger.forced.get(key)
    if refusal is None:
        outcome = protocol["estimands"][row["estimand"]]["outcome"]
        refusal = told_apart.get((outcome, extra.get("definition")))
    if refusal is not None:
        mark = ledger.withhold(key, "estimate", refusal)
        return out | dict.fromkeys((*NUMBERS, "people", "clusters"), mark) | {"extra": {}, "behind": []}
    ledger.release(key, "estimate", "enough people, events, clusters and degrees of freedom behind it")
    out |= rounded_numbers(row)
    if row["clusters_used"] is None:
        out["df"] = coarse_df(out["df"], people.policy)
    out["clusters"] = row["clusters_used"]
    out["behind"] = [_behind(b, people, f"{key}.behind.{b['arm']}", ledger) for b in extra["behind"]]
    made = total([b["people"] for b in out["behind"]])
    if made is None:
        out["people"] = ledger.withhold(f"{key}.people", "count", "made from a withheld count")
    else:
        out["people"] = ledger.settle(f"{key}.people", "count", made, None, "made from released counts")
    out["extra"] = judge_extras(_told(extra, key, ledger), kind_of(row, protocol), key, people.policy, ledger)
    return out


def estimate_refusal(
    row: Mapping[str, Any], protocol: Mapping[str, Any], policy: DisclosurePolicy
) -> str | None:
    """Why this estimate may not be printed, or None."""
    extra = row.get("extra", {})
    if row.get(ABSENT):
        arm = {"arm": "", "people": policy.threshold_people, "events": 0, "clusters": None}
        return f"{arm_refusal(arm, kind_of(row, protocol), policy) or few(policy)} in an arm behind it"
    if set(row) != FIELDS:
        return "fields that the gate does not know"
    behind = extra.get("behind")
    analysis = protocol.get("analyses", {}).get(extra.get("analysis"))
    estimand = protocol.get("estimands", {}).get(row["estimand"])
    if not behind or analysis is None or estimand is None:
        return "nothing says which declared analysis it is and how many people are behind it"
    kind = kind_of(row, protocol)
    for arm in behind:
        reason = arm_refusal(arm, kind, policy)
        if reason is not None:
            return f"{reason} in an arm behind it"
    free = float(int(row["units_used"]) - 2 - len(analysis.get("covariates", ())))
    if row["clusters_used"] is None and row["df"] is not None:
        free = min(free, row["df"])
    if free < policy.residual_df:
        return f"fewer than {policy.residual_df} residual degrees of freedom"
    return None


def _told(extra: Mapping[str, Any], key: str, ledger: Ledger) -> Mapping[str, Any]:
    """An estimator's own numbers: all, or under another definition none.

    Arms are held against each other under two definitions; subgroups, sites and parts are not, and one person could
    be all that tells two of them apart. The page prints none of these.
    """
    if extra.get("definition") is None:
        return extra
    kept = {name for name in extra if name in STRUCTURE or EXTRAS.get(name) == "setting"}
    for name in extra:
        if name not in kept and extra[name] not in (None, []):
            ledger.withhold(
                f"{key}.extra.{name}", "extra", "only the effect is shown under another definition"
            )
    return {name: extra[name] for name in extra if name in kept}


def kind_of(row: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    """The declared kind of the outcome of an estimate."""
    outcome = protocol["estimands"][row["estimand"]]["outcome"]
    return str(protocol["outcomes"][outcome]["kind"])


def _behind(arm: Mapping[str, Any], people: PeopleCounts, key: str, ledger: Ledger) -> dict[str, Any]:
    refusal = people.refusal(arm["arm"], int(arm["people"]))
    cell = ledger.settle(key, "count", people.policy.rounded(int(arm["people"])), refusal, "enough people")
    return {"arm": arm["arm"], "people": cell, "clusters": arm["clusters"]}


def rounded_numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    """Value, standard error and interval to the same decimals, three figures of the standard error."""
    places = decimals(row)
    interval = row["interval"]
    null = 1.0 if row["scale"] in RATIO_SCALES else 0.0
    if interval is not None:
        interval = {
            **interval,
            "low": _end(interval["low"], places, null),
            "high": _end(interval["high"], places, null),
        }
    return {
        "value": None if row["value"] is None else round(row["value"], places),
        "standard_error": None if row["standard_error"] is None else round(row["standard_error"], places),
        "interval": interval,
        "p_value": None if row["p_value"] is None else round(row["p_value"], 4),
        "df": None if row["df"] is None else round(row["df"], 1),
    }


def _end(end: float | None, places: int, null: float) -> float | None:
    """An end of an interval, rounded, but never on to "no effect" when it is not there."""
    if end is None:
        return None
    while round(end, places) == null and end != null and places < MOST_PLACES:
        places += 1
    return round(end, places)


def decimals(row: Mapping[str, Any]) -> int:
    """Decimal places that leave three significant figures of the uncertainty, or of the value."""
    spread = row["standard_error"]
    interval = row["interval"]
    if not shown(spread) or not spread:
        bounds = [] if interval is None else [interval["low"], interval["high"]]
        known = [b for b in bounds if b is not None]
        spread = (known[1] - known[0]) / 4 if len(known) == 2 else row["value"]
    if not spread or not math.isfinite(spread):
        return 4
    return max(0, 2 - math.floor(math.log10(abs(spread))))
