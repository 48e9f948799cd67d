"""The error that the house speaks: what was found, what was expected, where, and what to try.

Every refusal is shown to a person as one message, and may reach a log that leaves the secure room:
it never carries a person's value. Say the column, the rule, the row numbers and the counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class Refusal(Exception):
    """Bad input or an unlicensed request; `str(error)` is the whole message."""

    def __init__(self, *, where: str, found: str, expected: str, remedy: str) -> None:
        self.where = where
        self.found = found
        self.expected = expected
        self.remedy = remedy
        super().__init__(f"{where}: found {found}; expected {expected}. {remedy}")

    def as_dict(self) -> dict[str, str]:
        """The message in its parts, for `--json`."""
        return {
            "error": type(self).__name__,
            "where": self.where,
            "found": self.found,
            "expected": self.expected,
            "try": self.remedy,
        }


def nearest(word: str, choices: Iterable[str]) -> str:
    """A sentence naming the nearest spelling among `choices`, and the choices themselves."""
    known = sorted(choices)
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    hint = f"Did you mean '{close[0]}'? " if close else ""
    return f"{hint}Choices: {', '.join(known) if known else 'none'}."
