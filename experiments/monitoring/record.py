"""The record of looks: what was seen at each, and what the plan said, in a hash-chained ledger.

A look is entered when it is taken, with the decision that the declared plan gives, so that nobody can
later leave one out, move it or reword it. Numbers stand as text, exactly as they were computed. The
ledger is tied to the protocol's fingerprint at its first entry; a plan changed later shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from experiments.allocation.ledger import Entry, Ledger, LedgerTampered
from experiments.monitoring import looks, pilot, predictive
from experiments.monitoring.declared import Monitoring, MonitoringRefused

OPENED, LOOK, PILOT = "opened", "look", "pilot"
FILE = "looks.jsonl"
"""What the ledger is called in a study's data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look: information in the plan's measure; estimate and standard error on the analysis's scale.

    The scale is the log for ratios. `action` is what the plan said.
    """

    amount: float
    estimate: float
    standard_error: float
    final: bool
    action: str = ""

    @property
    def statistic(self) -> float:
        """Z, signed as the estimate is."""
        return self.estimate / self.standard_error


def looks_in(entries: tuple[Entry, ...]) -> tuple[Look, ...]:
    """The looks in a ledger, in order."""
    return tuple(
        Look(
            amount=float(entry.body["amount"]),
            estimate=float(entry.body["estimate"]),
            standard_error=float(entry.body["standard_error"]),
            final=bool(entry.body["final"]),
            action=str(entry.body["action"]),
        )
        for entry in entries
        if entry.kind == LOOK
    )


def check_tied(entries: tuple[Entry, ...], fingerprint: str) -> None:
    """Refuse a record that was opened under another protocol."""
    if entries and (entries[0].kind != OPENED or entries[0].body.get("protocol") != fingerprint):
        raise LedgerTampered(
            where="record of looks, entry 1",
            found="an opening under another protocol",
            expected="the fingerprint of this study",
            remedy="The study was changed after the first look; run it as it was then, or amend it openly.",
        )


def record_look(
    ledger: Ledger, plan: Monitoring, look: Look, *, towards: int, fingerprint: str
) -> tuple[Entry, Mapping[str, Any]]:
    """Enter a look with the plan's decision; `towards` is 1 where higher is better, -1 where lower is."""
    _open(ledger, fingerprint)
    said: dict[str, Any] = {}

    def body(entries: tuple[Entry, ...]) -> dict[str, Any]:
        check_tied(entries, fingerprint)
        taken = (*looks_in(entries), look)
        if any(earlier.final for earlier in taken[:-1]):
            raise MonitoringRefused(
                where="look",
                found="a look after the final analysis",
                expected="none",
                remedy="The record is closed; nothing was added.",
            )
        said.update(decision(plan, taken, towards=towards))
        return {
            "amount": repr(look.amount),
            "estimate": repr(look.estimate),
            "standard_error": repr(look.standard_error),
            "final": look.final,
            **{key: value if isinstance(value, str) else repr(value) for key, value in said.items()},
        }

    return ledger.append(LOOK, body), said


def record_pilot(
    ledger: Ledger,
    plan: Monitoring,
    counts: Mapping[str, tuple[int, float]],
    *,
    level: float,
    fingerprint: str,
) -> tuple[Entry, Mapping[str, pilot.Judged], pilot.Advice]:
    """Enter the pilot's counts, one (count, out of) for each declared criterion, with colours and advice."""
    if set(counts) != set(plan.pilot):
        raise MonitoringRefused(
            where="pilot",
            found=f"counts for {', '.join(sorted(counts)) or 'nothing'}",
            expected=f"counts for every criterion: {', '.join(sorted(plan.pilot)) or 'none is declared'}",
            remedy="A criterion left out cannot be passed over in silence; give its counts.",
        )
    judged = {name: pilot.judge(plan.pilot[name], *counts[name], level=level) for name in plan.pilot}
    advice = pilot.advise({name: result.colour for name, result in judged.items()})
    _open(ledger, fingerprint)

    def body(entries: tuple[Entry, ...]) -> dict[str, Any]:
        check_tied(entries, fingerprint)
        rows = {
            name: {"colour": r.colour, "count": r.count, "out_of": repr(r.out_of)}
            for name, r in judged.items()
        }
        return {"advice": advice, "criteria": rows}

    return ledger.append(PILOT, body), judged, advice


def decision(plan: Monitoring, taken: tuple[Look, ...], *, towards: int) -> dict[str, Any]:
    """What the declared rule says at the last of the looks taken."""
    last = taken[-1]
    if plan.sequential is not None:
        found = looks.decide(
            plan.sequential,
            [look.amount for look in taken],
            [towards * look.statistic for look in taken],
            final=last.final,
        )
        return asdict(found)
    if plan.bayesian is not None:
        looks.check_information(plan.bayesian.maximum, [look.amount for look in taken], final=last.final)
        reading = predictive.read_look(
            plan.bayesian, last.amount, last.estimate, last.standard_error, towards=towards, final=last.final
        )
        return asdict(reading)
    raise MonitoringRefused(
        where="monitoring",
        found="no stopping rule",
        expected="`sequential` or `bayesian` in the study's monitoring",
        remedy="Declare one before the first look.",
    )


def check_look(look: Look) -> None:
    """Refuse a look that is not a number."""
    values = (look.amount, look.estimate, look.standard_error)
    if not np.isfinite(values).all() or look.standard_error <= 0:
        raise MonitoringRefused(
            where="look",
            found="an estimate or a standard error that is not a number above zero",
            expected="finite numbers, on the analysis's scale (the log for ratios)",
            remedy="See why the analysis could not be run.",
        )


def _open(ledger: Ledger, fingerprint: str) -> None:
    """Make the first entry, if nobody has."""

    def first(entries: tuple[Entry, ...]) -> dict[str, Any]:
        if entries:
            raise _AlreadyOpen
        return {"protocol": fingerprint}

    try:
        ledger.append(OPENED, first)
    except _AlreadyOpen:
        return


class _AlreadyOpen(Exception):
    """Another writer was first."""
