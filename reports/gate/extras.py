"""An estimator's own numbers, judged one by one by the rule that `known.py` gives their name.

A name or a shape that is not known is withheld; what is None is nothing. Rows about groups of people
(subgroups, sites) are judged by the people behind each, and where just one group is withheld, the
smallest of the others goes with it, since the whole less the rest would show it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from reports.gate.arms import arm_refusal
from reports.gate.counts import few, lopsided, too_few
from reports.gate.degrees_of_freedom import without_exact_df
from reports.gate.known import EXTRAS, LEAVES, STRUCTURE
from reports.gate.verdict import WITHHELD, Ledger, shown

MOST_ROWS, MOST_POINTS = 60, 67
_PROBABILITY = re.compile(r"^0?\.\d+$")
LABELS = frozenset({"group", "site", "arm"})


def judge_extras(
    extra: Mapping[str, Any], kind: str, key: str, policy: DisclosurePolicy, ledger: Ledger
) -> dict[str, Any]:
    """The entries of `extra` that may be printed, rounded; `kind` is that of the outcome."""
    out: dict[str, Any] = {}
    behind = extra.get("behind", ())
    smallest = min((int(arm["people"]) for arm in behind), default=0)
    for name, value in extra.items():
        if name in STRUCTURE or value is None or value == []:
            continue
        at, rule = f"{key}.extra.{name}", EXTRAS.get(name)
        if rule is None:
            ledger.withhold(at, "extra", "a number that the gate does not know")
        elif rule == "refused":
            ledger.withhold(at, "extra", "may rest on few people, or on one")
        elif rule == "count" and shown(value):
            refusal = too_few(value, policy)
            out[name] = ledger.settle(at, "extra", policy.rounded(int(value)), refusal, "enough behind it")
        elif rule == "shares" and isinstance(value, Mapping):
            alone = any(lopsided(round(x * smallest), smallest, policy) for x in value.values())
            refusal = few(policy) if alone else None
            out[name] = _settled(ledger, at, _trimmed(value), refusal, "enough people in every share")
        elif rule == "groups" and isinstance(value, list):
            out[name] = _groups(value, kind, at, policy, ledger)
        elif rule in _SHAPES and _SHAPES[rule](value):
            made = thinned(value) if rule == "grid" else _trimmed(value)
            made = _without_medians(made, smallest, policy)
            made = without_exact_df(made, policy)
            out[name] = _settled(ledger, at, made, None, _REASONS[rule])
        else:
            ledger.withhold(at, "extra", "a shape that the gate does not know")
    return out


def _groups(
    rows: Sequence[Mapping[str, Any]], kind: str, at: str, policy: DisclosurePolicy, ledger: Ledger
) -> list[dict[str, Any]]:
    """Rows with marks in place of the numbers of groups that are too small."""
    sizes = [_size(row) for row in rows]
    hidden = {i for i, row in enumerate(rows) if _group_refusal(row, kind, policy) is not None}
    if len(hidden) == 1 and len(rows) > 1:
        others = [i for i in range(len(rows)) if i not in hidden]
        hidden.add(min(others, key=lambda i: sizes[i]))
    out = []
    for i, row in enumerate(rows):
        label = next((str(row[name]) for name in ("group", "site") if name in row), str(i))
        numbers = {k: x for k, x in row.items() if k not in LABELS | {"people", "behind"}}
        labels = {k: x for k, x in row.items() if k in LABELS}
        if i in hidden:
            mark = ledger.withhold(f"{at}.{label}", "group", f"{few(policy)}, or a group that would show one")
            out.append(labels | dict.fromkeys(numbers, mark) | {"people": mark})
        else:
            ledger.release(f"{at}.{label}", "group", "enough people behind it")
            made = without_exact_df(_trimmed(numbers), policy)
            out.append(labels | made | {"people": policy.rounded(sizes[i])})
    return out


def _group_refusal(row: Mapping[str, Any], kind: str, policy: DisclosurePolicy) -> str | None:
    known = LEAVES | LABELS | {"people", "behind", "weight"}
    if not set(row) <= known:
        return "columns that the gate does not know"
    if "behind" in row:
        reasons = (arm_refusal(arm, kind, policy) for arm in row["behind"])
        return (
            next((reason for reason in reasons if reason is not None), None) if row["behind"] else few(policy)
        )
    if kind in ("binary", "time", "count", "recurrent") or not isinstance(row.get("people"), Mapping):
        return "nothing says how many events are behind it"
    return few(policy) if min(row["people"].values()) < policy.threshold_people else None


def _size(row: Mapping[str, Any]) -> int:
    if "behind" in row:
        return sum(int(arm["people"]) for arm in row["behind"])
    people = row.get("people")
    return sum(int(n) for n in people.values()) if isinstance(people, Mapping) else 0


def _settled(ledger: Ledger, at: str, value: Any, refusal: str | None, reason: str) -> Any:
    refusal = refusal or ledger.forced.get(at)
    if refusal is not None:
        return ledger.withhold(at, "extra", refusal)
    ledger.release(at, "extra", reason)
    return value


def _is_statistic(value: Any) -> bool:
    """A number, or named numbers, or rows of them, or the two ends of an interval; never a longer list."""
    if isinstance(value, Mapping):
        return all(name in LEAVES and _is_statistic(item) for name, item in value.items())
    if isinstance(value, list):
        if len(value) <= 2 and all(item is None or shown(item) for item in value):
            return True
        return len(value) <= MOST_ROWS and all(
            isinstance(item, (Mapping, list)) and _is_statistic(item) for item in value
        )
    return value is None or isinstance(value, (int, float, bool, str))


def _is_quantiles(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    return all(_PROBABILITY.match(name) and shown(q) for name, q in value.items())


def _is_grid(value: Any) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"x", "y"}:
        return False
    columns = list(value.values())
    numbers = all(isinstance(c, list) and all(shown(number) for number in c) for c in columns)
    return numbers and len(columns[0]) == len(columns[1])


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


def _without_medians(value: Any, smallest: int, policy: DisclosurePolicy) -> Any:
    """Medians marked as withheld where an arm has too few people on one side of its own."""
    if isinstance(value, list):
        return [_without_medians(item, smallest, policy) for item in value]
    if isinstance(value, Mapping):
        few_beside = smallest < 2 * policy.threshold_people
        return {
            name: WITHHELD if name == "median" and few_beside else _without_medians(item, smallest, policy)
            for name, item in value.items()
        }
    return value


def _trimmed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _trimmed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_trimmed(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


_SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "statistic": _is_statistic,
    "quantiles_of_effect": _is_quantiles,
    "grid": _is_grid,
    "histogram": _is_histogram,
    "setting": _is_setting,
}
_REASONS: Mapping[str, str] = {
    "statistic": "a statistic of the whole sample behind the estimate",
    "quantiles_of_effect": "quantiles of the effect, not of people",
    "grid": "a smooth curve at few points",
    "histogram": "counts of re-draws, not of people",
    "setting": "a choice, not a finding",
}
