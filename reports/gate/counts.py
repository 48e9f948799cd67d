"""Counts of people, and what is derived from them: the primary rule of disclosure control.

A count is withheld below the threshold; a proportion also when fewer than the threshold did *not*
have the event, so that 0% and 100% never print. Where counts are exact (rounding base 1), a count
that differs from another released count of the same people by less than the threshold is withheld
too, since subtraction would give the small group between them. Where counts are rounded, totals
and proportions are made from the rounded parts, so that nothing can be un-rounded from them.
"""

from __future__ import annotations

from collections.abc import Iterable

from data_contracts.disclosure import DisclosurePolicy
from reports.gate.verdict import Cell, shown

ENOUGH = "at least the threshold of people"


class PeopleCounts:
    """Counts of people judged one after another, so that no two released ones differ by a few.

    `group` says which people a count is of, such as an arm: only counts of the same group are
    compared. The order of judging is the order of importance.
    """

    def __init__(self, policy: DisclosurePolicy) -> None:
        self.policy = policy
        self._released: dict[str, set[int]] = {}

    def refusal(self, group: str, count: int) -> str | None:
        """Why this count may not be printed, or None; a released count is remembered."""
        reason = too_few(count, self.policy)
        if reason is not None:
            return reason
        others = self._released.setdefault(group, set())
        near = any(0 < abs(count - other) < self.policy.threshold_people for other in others)
        if self.policy.rounding_base == 1 and near:
            return (
                "subtraction from a released count of the same people would give a group below the threshold"
            )
        others.add(count)
        return None

    def remember(self, group: str, count: int) -> None:
        """Hold later counts of `group` against this one, which was printed by another rule."""
        self._released.setdefault(group, set()).add(count)


def too_few(count: float, policy: DisclosurePolicy) -> str | None:
    """The reason to withhold a count, or None; a zero gets the reason of any small count."""
    if count == 0 and not policy.zeros_disclosive:
        return None
    return few(policy) if count < policy.threshold_people else None


def lopsided(events: float, people: int, policy: DisclosurePolicy) -> str | None:
    """The reason to withhold a proportion, or None: both those with and those without must be enough.

    Stricter than `too_few`: a proportion of 0% or 100% is always withheld, since it tells the
    outcome of every person in the group.
    """
    if min(people, events, people - events) < policy.threshold_people:
        return f"{few(policy)} with the event, or without it"
    return None


def few(policy: DisclosurePolicy) -> str:
    """The reason for every count below the threshold: it does not say how far below."""
    return f"fewer than {policy.threshold_people} people"


def too_few_clusters(clusters: int | None, policy: DisclosurePolicy) -> str | None:
    """The reason to withhold a clustered number, or None."""
    if clusters is None or clusters >= policy.threshold_clusters:
        return None
    return f"fewer than {policy.threshold_clusters} clusters"


def quantile_refusal(n: int, share: float, policy: DisclosurePolicy) -> str | None:
    """The reason to withhold the quantile at `share` of `n` people, or None: enough on either side."""
    if min(n * share, n * (1 - share)) >= policy.threshold_people:
        return None
    return f"fewer than {policy.threshold_people} people on one side of the quantile"


def total(parts: Iterable[Cell]) -> int | None:
    """The sum of released parts, or None where a part is withheld and subtraction would show it."""
    numbers = list(parts)
    if not numbers or not all(shown(part) for part in numbers):
        return None
    return int(sum(part for part in numbers if isinstance(part, (int, float))))


def significant(value: float, figures: int) -> float:
    """`value` to so many significant figures."""
    return float(f"{value:.{figures}g}")
