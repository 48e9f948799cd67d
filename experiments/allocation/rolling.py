"""Enrolment one at a time: the arm of the next person in a stratum, from the seal alone.

Within each stratum, blocks b = 0, 1, ... have sizes chosen by the seed among those declared; a block's
places 0, 1, ... stand in the order of their HMACs and take the arms as `hmac_order` says. So the arm of
the j-th person in a stratum is fixed by the seal and known to nobody without the nonce, and the order
of enrolment stands in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from data_contracts.refusal import Refusal
from experiments.allocation.canonical import Roster, check_roster
from experiments.allocation.hmac_order import below, ordered, places
from experiments.allocation.ledger import Entry, Ledger, LedgerTampered
from experiments.allocation.strata import Plan

OPENED, ENROLLED = "opened", "enrolled"


class EnrolmentRefused(Refusal):
    """A person who cannot be enrolled here."""


def arm_of(seed: bytes, plan: Plan, stratum: Sequence[str], position: int) -> str:
    """The arm of the person at `position` (0, 1, ...) of a stratum."""
    block, first = 0, 0
    while True:
        size = _size(seed, plan, stratum, block)
        if position < first + size:
            return _block(seed, plan, stratum, block, size)[position - first]
        block, first = block + 1, first + size


def open_ledger(ledger: Ledger, commitment: str, *, at: datetime | None = None) -> Entry:
    """The first entry, which ties the ledger to a commitment."""

    def first(entries: tuple[Entry, ...]) -> dict[str, Any]:
        if entries:
            raise _refused(
                "ledger", f"{len(entries)} entries already", "an empty ledger", "Use the one that is open."
            )
        return {"commitment": commitment}

    return ledger.append(OPENED, first, at=at)


def enrol(
    ledger: Ledger,
    *,
    seed: bytes,
    commitment: str,
    plan: Plan,
    unit: str,
    values: Sequence[str],
    at: datetime | None = None,
) -> Entry:
    """Enrol one person: the entry, on the disk, with the arm in its body.

    `values` are the person's values of the design's columns, in the design's order.
    """
    named = plan.columns
    if len(values) != len(named):
        raise _refused(
            "enrolment",
            f"{len(values)} values",
            f"one for each of the design's columns: {', '.join(named) or 'none'}",
            "Give them in the design's order.",
        )

    def body(entries: tuple[Entry, ...]) -> dict[str, Any]:
        _check_tied(entries, commitment)
        earlier = enrolments(entries)
        for entry in earlier:
            if entry.body["unit"] == unit:
                raise _refused(
                    "enrolment",
                    f"a person enrolled already, in entry {entry.place}",
                    "each person once",
                    "The arm stands in that entry; nothing was added.",
                )
        rows = sorted(
            [*((e.body["unit"], *e.body["stratum"]) for e in earlier), (unit, *values)],
            key=lambda row: row[0].encode(),
        )
        check_roster(Roster(columns=named, rows=tuple(rows)))
        position = sum(tuple(entry.body["stratum"]) == tuple(values) for entry in earlier)
        return {
            "arm": arm_of(seed, plan, values, position),
            "position": position,
            "stratum": list(values),
            "unit": unit,
        }

    return ledger.append(ENROLLED, body, at=at)


def enrolments(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries that enrol somebody."""
    return tuple(entry for entry in entries if entry.kind == ENROLLED)


def check_enrolments(entries: tuple[Entry, ...], *, seed: bytes, commitment: str, plan: Plan) -> int:
    """How many people the ledger enrols, each with the arm that the seal gives; the first that differs is named."""
    _check_tied(entries, commitment)
    seen: dict[tuple[str, ...], int] = {}
    people: set[str] = set()
    for entry in enrolments(entries):
        if set(entry.body) != {"arm", "position", "stratum", "unit"}:
            raise _tampered(entry, "other keys", "arm, position, stratum and unit")
        if entry.body["unit"].casefold() in people:
            raise _tampered(entry, "a person enrolled before", "each person once")
        people.add(entry.body["unit"].casefold())
        stratum = tuple(entry.body["stratum"])
        position = seen.get(stratum, 0)
        if entry.body["position"] != position:
            raise _tampered(
                entry, f"position {entry.body['position']}", f"position {position} of its stratum"
            )
        if entry.body["arm"] != arm_of(seed, plan, stratum, position):
            raise _tampered(entry, "another arm than the seal gives", "the arm that the seal gives")
        seen[stratum] = position + 1
    return len(people)


def _size(seed: bytes, plan: Plan, stratum: Sequence[str], block: int) -> int:
    return plan.sizes[below(seed, len(plan.sizes), "size", stratum, block)]


def _block(seed: bytes, plan: Plan, stratum: Sequence[str], block: int, size: int) -> list[str]:
    label: list[str | int] = [*stratum, block]
    counts = places(seed, label, size, plan.arms, plan.shares_in(tuple(stratum)))
    line = [arm for arm, count in zip(plan.arms, counts, strict=True) for _ in range(count)]
    by_place = dict(zip(ordered(seed, label, range(size)), line, strict=True))
    return [by_place[place] for place in range(size)]


def _check_tied(entries: tuple[Entry, ...], commitment: str) -> None:
    if not entries or entries[0].kind != OPENED or entries[0].body.get("commitment") != commitment:
        raise LedgerTampered(
            where="ledger, entry 1",
            found="an opening entry for another commitment, or none",
            expected="the commitment of this seal",
            remedy="Use the ledger that was opened with this draw.",
        )


def _tampered(entry: Entry, found: str, expected: str) -> LedgerTampered:
    return LedgerTampered(
        where=f"ledger, entry {entry.place}",
        found=found,
        expected=expected,
        remedy="Stop enrolling; compare with the backup and with the heads that were published.",
    )


def _refused(where: str, found: str, expected: str, remedy: str) -> EnrolmentRefused:
    return EnrolmentRefused(where=where, found=found, expected=expected, remedy=remedy)
