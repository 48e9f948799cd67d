"""Baseline covariates by arm: means and differences, each judged by the people with a value, and with one of two values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from reports.gate.counts import ENOUGH, PeopleCounts, few, lopsided, significant
from reports.gate.verdict import Ledger

BALANCE_KEYS = frozenset({"covariate", "arm", "mean", "sd", "n", "standardised_difference"})


def judge_balance(
    rows: Sequence[Mapping[str, Any]], people: PeopleCounts, ledger: Ledger
) -> list[dict[str, Any]]:
    """Means and differences of covariates; a yes/no covariate is judged as a proportion.

    One arm's withheld mean takes the covariate's difference, and the other arms' means, with it.
    """
    out: list[dict[str, Any]] = []
    for covariate in dict.fromkeys(row.get("covariate") for row in rows):
        group = [row for row in rows if row.get("covariate") == covariate]
        refusal = next((w for row in group if (w := _balance_refusal(row, people.policy)) is not None), None)
        refusal = refusal or ledger.forced.get(f"balance.{covariate}")
        for row in group:
            key = f"balance.{covariate}.{row.get('arm')}"
            cells: dict[str, Any] = {"covariate": covariate, "arm": row.get("arm")}
            if refusal is not None:
                mark = ledger.withhold(key, "balance", refusal)
                cells |= {
                    "mean": mark,
                    "sd": mark,
                    "n": mark,
                    "standardised_difference": mark,
                    "yes_no": False,
                }
            else:
                ledger.release(key, "balance", ENOUGH)
                cells |= _balance_cells(row, people, key, ledger)
            out.append(cells)
    return out


def _balance_refusal(row: Mapping[str, Any], policy: DisclosurePolicy) -> str | None:
    if set(row) != BALANCE_KEYS:
        return "keys that the gate does not know"
    n, mean = int(row["n"]), row["mean"]
    why = f"{few(policy)} with a value, or with one of two values"
    if n < policy.threshold_people:
        return why
    if mean is None or row["sd"] == 0:
        return why
    if is_yes_no(row) and lopsided(round(mean * n), n, policy) is not None:
        return why
    return None


def is_yes_no(row: Mapping[str, Any]) -> bool:
    """True where mean and SD are those of zeros and ones: s^2 = m (1 - m) n / (n - 1)."""
    n, mean, sd = row["n"], row["mean"], row["sd"]
    if mean is None or sd is None or n < 2 or not 0 <= mean <= 1:
        return False
    return bool(abs(sd**2 - mean * (1 - mean) * n / (n - 1)) < 1e-9)


def _balance_cells(row: Mapping[str, Any], people: PeopleCounts, key: str, ledger: Ledger) -> dict[str, Any]:
    policy = people.policy
    n, mean, sd = int(row["n"]), float(row["mean"]), row["sd"]
    yes_no = is_yes_no(row)
    if yes_no:
        mean = policy.rounded(round(mean * n)) / policy.rounded(n)
        sd = None
    difference = row["standardised_difference"]
    return {
        "mean": significant(mean, 4),
        "sd": None if sd is None else significant(float(sd), 3),
        "n": ledger.settle(
            f"{key}.n", "count", policy.rounded(n), people.refusal(str(row["arm"]), n), ENOUGH
        ),
        "standardised_difference": None if difference is None else round(float(difference), 3),
        "yes_no": yes_no,
    }
