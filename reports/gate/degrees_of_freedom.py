"""Degrees of freedom: people less parameters, and so a count of people, printed as such a count is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from reports.gate.verdict import shown

NAMES = frozenset({"df", "denominator_df"})


def coarse_df(df: Any, policy: DisclosurePolicy) -> Any:
    """Rounded where counts are; fewer than the policy's residual degrees of freedom are no count of people."""
    if not shown(df) or policy.rounding_base == 1 or df < policy.residual_df:
        return df
    return float(policy.rounded(round(df)))


def without_exact_df(value: Any, policy: DisclosurePolicy) -> Any:
    """The same content with every entry that is called one of `NAMES` made coarse."""
    if isinstance(value, list):
        return [without_exact_df(item, policy) for item in value]
    if not isinstance(value, Mapping):
        return value
    made = {name: without_exact_df(item, policy) for name, item in value.items()}
    for name in NAMES & set(made):
        one = made[name]
        several = isinstance(one, list) and all(shown(df) for df in one)
        made[name] = [coarse_df(df, policy) for df in one] if several else coarse_df(one, policy)
    return made
