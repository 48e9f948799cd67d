"""Verdicts: what was asked of the gate, what it answered, and why.

Three answers: `released`; `withheld`; and `review`, which prints like withheld until a person who
checks outputs has looked. Reasons name the rule and never the number that broke it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

WITHHELD = "[c]"
"""Withheld for confidentiality."""
NOT_APPLICABLE = "[z]"
"""Does not apply here."""
NOT_AVAILABLE = "[x]"
"""Nothing was computed or recorded."""
PROVISIONAL = "[p]"
"""Stands behind a number, not in its place: the source may still change."""
MARKS: Mapping[str, str] = {
    WITHHELD: "withheld to protect people",
    NOT_APPLICABLE: "does not apply",
    NOT_AVAILABLE: "not available",
    PROVISIONAL: "provisional: the source may still change",
}

Verdict = Literal["released", "withheld", "review"]
Number = int | float
Cell = int | float | str | None
"""A released number, or one of the marks; None where nothing applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that asked to be printed; `key` is its address, such as `flow.randomised.aid`."""

    key: str
    kind: str
    verdict: Verdict
    reason: str


@dataclass(slots=True)
class Ledger:
    """The verdicts of one release, in the order in which they were asked for.

    `forced` are keys, with reasons, to withhold whatever the rules say: what secondary suppression asked.
    """

    forced: Mapping[str, str] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)

    def release(self, key: str, kind: str, reason: str) -> None:
        """Let `key` through."""
        self.items.append(Item(key=key, kind=kind, verdict="released", reason=reason))

    def withhold(self, key: str, kind: str, reason: str) -> str:
        """Keep `key` back, and return the mark that stands in its place."""
        self.items.append(Item(key=key, kind=kind, verdict="withheld", reason=reason))
        return WITHHELD

    def review(self, key: str, kind: str, reason: str) -> str:
        """Keep `key` back until a person has looked, and return the mark that stands in its place."""
        self.items.append(Item(key=key, kind=kind, verdict="review", reason=reason))
        return WITHHELD

    def settle(self, key: str, kind: str, value: Cell, refusal: str | None, reason: str) -> Cell:
        """`value` where `refusal` is None, else its mark; either way on record."""
        refusal = refusal or self.forced.get(key)
        if refusal is None:
            self.release(key, kind, reason)
            return value
        return self.withhold(key, kind, refusal)


def shown(cell: object) -> bool:
    """True for a released number; False for a mark and for None."""
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)
