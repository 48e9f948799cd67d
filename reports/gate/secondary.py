"""Doors for what comes after the primary rule: secondary suppression, and the audit of past releases.

A `Suppression` sees every item that the primary rule let through, with the protected record, and
names further keys to withhold, so that no withheld cell can be had by subtraction. An `Audit` sees
what is about to leave, with what left before, and objects or does not. `release` calls each in
turn; the primary rule already withholds totals of withheld parts and what is derived from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from data_contracts.disclosure import DisclosurePolicy
from reports.gate.verdict import Item


class Suppression(Protocol):
    """Further cells to withhold once the primary rule has spoken."""

    def __call__(
        self, record: Mapping[str, Any], items: Sequence[Item], policy: DisclosurePolicy
    ) -> Mapping[str, str]:
        """{item key: reason} of released items that must be withheld after all."""
        ...


class Audit(Protocol):
    """An attack on the release by a separate path, with past releases of the same data in hand."""

    def __call__(
        self, record: Mapping[str, Any], items: Sequence[Item], policy: DisclosurePolicy, past: Sequence[Path]
    ) -> Sequence[str]:
        """Objections, in words that name keys and never values; empty where the release is safe."""
        ...
