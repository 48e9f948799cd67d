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
import re
from collections.abc import Mapping, Sequence
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from experiments.outcome import RATIO_SCALES
from reports.gate.counts import PeopleCounts, few, lopsided, too_few, too_few_clusters, total
from reports.gate.known import EXTRAS, LEAVES, STRUCTURE
from reports.gate.verdict import Ledger, shown

FIELDS = frozenset(
    {
        "estimand", "estimator", "scale", "value", "standard_error", "interval", "p_value", "df", "unit",
        "units_used", "clusters_used", "registered", "extra",
    }
)  # fmt: skip
MOST_ROWS, MOST_POINTS, MOST_PLACES = 60, 67, 9
_PROBABILITY = re.compile(r"^0?\.\d+$")
NUMBERS = ("value", "standard_error", "interval", "p_value", "df")


def judge_estimates(
    rows: Sequence[Mapping[str, Any]],
    protocol: Mapping[str, Any],
    people: PeopleCounts,
    ledger: Ledger,
) -> list[dict[str, Any]]:
    """Every estimate with its numbers, or with marks in their place."""
    return [_estimate(row, protocol, people, ledger) for row in rows]


def estimate_key(extra: Mapping[str, Any]) -> str:
    """The address of an estimate: its analysis, and its handling of missing outcomes if secondary."""
    name = str(extra.get("analysis", "unnamed"))
    return f"{name}.{extra['missing']}" if "sensitivity_to" in extra else name


def _estimate(
    row: Mapping[str, Any], protocol: Mapping[str, Any], people: PeopleCounts, ledger: Ledger
) -> dict[str, Any]:
    extra = row.get("extra", {})
    name = estimate_key(extra)
    key = f"estimate.{name}"
    out: dict[str, Any] = {
        "analysis": extra.get("analysis"),
        "key": name,
        "missing": extra.get("missing"),
        "sensitivity_to": extra.get("sensitivity_to"),
        **{k: row.get(k) for k in ("estimand", "estimator", "scale", "unit", "registered")},
    }
    refusal = estimate_refusal(row, protocol, people.policy) or ledger.forced.get(key)
    if refusal is not None:
        mark = ledger.withhold(key, "estimate", refusal)
        return out | dict.fromkeys((*NUMBERS, "people", "clusters"), mark) | {"extra": {}, "behind": []}
    ledger.release(key, "estimate", "enough people, events, clusters and degrees of freedom behind it")
    out |= rounded_numbers(row)
    out["clusters"] = row["clusters_used"]
    out["behind"] = [_behind(b, people, f"{key}.behind.{b['arm']}", ledger) for b in extra["behind"]]
    made = total([b["people"] for b in out["behind"]])
    if made is None:
        out["people"] = ledger.withhold(f"{key}.people", "count", "made from a withheld count")
    else:
        out["people"] = ledger.settle(f"{key}.people", "count", made, None, "made from released counts")
    out["extra"] = _extras(extra, key, people.policy, ledger)
    return out


def estimate_refusal(
    row: Mapping[str, Any], protocol: Mapping[str, Any], policy: DisclosurePolicy
) -> str | None:
    """Why this estimate may not be printed, or None."""
    extra = row.get("extra", {})
    if set(row) != FIELDS:
        return "fields that the gate does not know"
    behind = extra.get("behind")
    analysis = protocol.get("analyses", {}).get(extra.get("analysis"))
    estimand = protocol.get("estimands", {}).get(row["estimand"])
    if not behind or analysis is None or estimand is None:
        return "nothing says which declared analysis it is and how many people are behind it"
    kind = protocol["outcomes"][estimand["outcome"]]["kind"]
    for arm in behind:
        if set(arm) != {"arm", "people", "events", "clusters"}:
            return "counts behind it that the gate does not know"
        reason = _arm_refusal(arm, kind, policy)
        if reason is not None:
            return f"{reason} in an arm behind it"
    free = float(int(row["units_used"]) - 2 - len(analysis.get("covariates", ())))
    if row["clusters_used"] is None and row["df"] is not None:
        free = min(free, row["df"])
    if free < policy.residual_df:
        return f"fewer than {policy.residual_df} residual degrees of freedom"
    return None


def _arm_refusal(arm: Mapping[str, Any], kind: str, policy: DisclosurePolicy) -> str | None:
    if arm["people"] < policy.threshold_people:
        return few(policy)
    if kind in ("binary", "time") and arm["events"] is None:
        return "no count of events"
    if kind in ("binary", "time") and lopsided(arm["events"], arm["people"], policy) is not None:
        return lopsided(arm["events"], arm["people"], policy)
    if (
        arm["events"] is not None
        and kind in ("count", "recurrent")
        and arm["events"] < policy.threshold_people
    ):
        return few(policy)
    return too_few_clusters(arm["clusters"], policy)


def _behind(arm: Mapping[str, Any], people: PeopleCounts, key: str, ledger: Ledger) -> dict[str, Any]:
    refusal = people.refusal(arm["arm"], int(arm["people"]))
    cell = ledger.settle(key, "count", people.policy.rounded(int(arm["people"])), refusal, "enough people")
    return {"arm": arm["arm"], "people": cell, "clusters": arm["clusters"]}


def _extras(extra: Mapping[str, Any], key: str, policy: DisclosurePolicy, ledger: Ledger) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in extra.items():
        if name in STRUCTURE:
            continue
        at, rule = f"{key}.extra.{name}", EXTRAS.get(name)
        if rule is None:
            ledger.withhold(at, "extra", "a number that the gate does not know")
        elif rule == "refused":
            ledger.withhold(at, "extra", "may rest on few people, or on one")
        elif rule == "count" and isinstance(value, (int, float)):
            refusal = too_few(value, policy)
            out[name] = ledger.settle(at, "extra", policy.rounded(int(value)), refusal, "enough behind it")
        elif rule == "statistic" and _is_statistic(value):
            out[name] = _trimmed(value)
            ledger.release(at, "extra", "a statistic of the whole sample behind the estimate")
        elif rule == "quantiles_of_effect" and _is_quantiles(value):
            out[name] = _trimmed(value)
            ledger.release(at, "extra", "quantiles of the effect, not of people")
        elif rule == "grid" and _is_grid(value):
            out[name] = thinned(value)
            ledger.release(at, "extra", "a smooth curve at few points")
        elif rule == "histogram" and _is_histogram(value):
            out[name] = _trimmed(value)
            ledger.release(at, "extra", "counts of re-draws, not of people")
        elif rule == "setting" and _is_setting(value):
            out[name] = value
            ledger.release(at, "extra", "a choice, not a finding")
        elif value is not None:
            ledger.withhold(at, "extra", "a shape that the gate does not know")
    return out


def _is_statistic(value: Any) -> bool:
    """A number, or named numbers, or rows of them; never a bare list of numbers."""
    if isinstance(value, Mapping):
        return all(name in LEAVES and _is_statistic(item) for name, item in value.items())
    if isinstance(value, list):
        return len(value) <= MOST_ROWS and all(isinstance(r, Mapping) and _is_statistic(r) for r in value)
    return value is None or isinstance(value, (int, float, bool, str))


def _is_quantiles(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    return all(_PROBABILITY.match(name) and isinstance(q, (int, float)) for name, q in value.items())


def _is_grid(value: Any) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"x", "y"}:
        return False
    columns = list(value.values())
    same = len({len(c) for c in columns if isinstance(c, list)}) == 1
    return same and all(isinstance(c, list) and all(shown(number) for number in c) for c in columns)


def _is_histogram(value: Any) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"edges", "counts"}:
        return False
    edges, counts = value["edges"], value["counts"]
    return len(edges) == len(counts) + 1 and len(counts) <= MOST_ROWS * 2


def _is_setting(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return isinstance(value, (str, int, float, bool))


def thinned(grid: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """A curve at no more than `MOST_POINTS` points, its height relative to its highest."""
    step = max(1, -(-len(grid["x"]) // MOST_POINTS))
    highest = max(grid["y"], default=1.0)
    return {
        "x": [_trimmed(x) for x in grid["x"][::step]],
        "y": [_trimmed(y / highest) for y in grid["y"][::step]],
    }


def _trimmed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _trimmed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_trimmed(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


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
