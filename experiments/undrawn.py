"""What designs that nobody drew check in their declarations."""

from __future__ import annotations

from collections.abc import Mapping

from experiments.design import DesignRefused
from experiments.schedule import Period


def check_start(start: Period, periods: tuple[Period, ...]) -> int:
    """How many periods lie before the start; refuses a start that is not a period, or is the first."""
    names = [str(period) for period in periods]
    if len(set(names)) != len(names) or str(start) not in names or names.index(str(start)) == 0:
        raise DesignRefused(
            where="intervention_starts",
            found=f"'{start}' among {len(set(names))} different periods of {len(names)}",
            expected="one of `periods`, after the first; each period once, in order of time",
            remedy="List the periods in order, as the roster column writes them.",
        )
    return names.index(str(start))


def check_anticipation(periods: int, before: int) -> None:
    """Refuse anticipation that leaves nothing before it."""
    check_at_least("anticipation_periods", periods, 0)
    if periods >= before:
        raise DesignRefused(
            where="anticipation_periods",
            found=f"{periods}, with {before} periods before the start",
            expected="at least one period left before the anticipation",
            remedy="Add earlier periods.",
        )


def check_at_least(field: str, value: int, least: int) -> None:
    """Refuse a number below `least`."""
    if value < least:
        raise DesignRefused(
            where=field, found=str(value), expected=f"{least} or more", remedy="Correct the number."
        )


def check_listed(field: str, named: tuple[str, ...], excluded: Mapping[str, str]) -> None:
    """Refuse an empty list, repeats, or a place both listed and excluded."""
    if not named or len(set(named)) != len(named) or set(named) & set(excluded):
        raise DesignRefused(
            where=field,
            found=f"{len(named)} places, {len(set(named))} of them different, {len(set(named) & set(excluded))} excluded too",
            expected="one place or more, each once, none of them an excluded donor",
            remedy="Correct the lists.",
        )


def check_words(field: str, text: str) -> None:
    """Refuse an argument left empty."""
    if not text.strip():
        raise DesignRefused(
            where=field,
            found="nothing",
            expected="the argument, in a sentence a reviewer can dispute",
            remedy="Write it, or choose another design.",
        )
