"""What a sealed draw allocates: strata of units with exact shares, read from a plan and a roster.

A plan says in five entries what the design asks of the draw, so that no other program needs to know
the grammar of designs:

    draw     "fixed shares" (every arm its exact share of each stratum), "independent" (each unit alone),
             or "sequential blocks" (people enrolled one at a time)
    arms     the arms' names, in order;   shares   their exact shares, as text
    by       the roster columns whose combinations are the strata;   own   strata with shares of their own
    cluster  the roster column of units drawn together, or null;   sizes   of sequential blocks, else empty

Nothing here draws at random: `drawn` is a function of the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from data_contracts.refusal import Refusal
from experiments.allocation.canonical import Roster
from experiments.allocation.hmac_order import fixed_shares, independent

Draw = Literal["fixed shares", "independent", "sequential blocks"]


class NotSealable(Refusal):
    """A plan that this format cannot draw, or a roster that does not fit it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the design asks of the draw; `own` are (stratum's label, its shares)."""

    draw: Draw
    arms: tuple[str, ...]
    shares: tuple[Fraction, ...]
    by: tuple[str, ...] = ()
    own: tuple[tuple[tuple[str, ...], tuple[Fraction, ...]], ...] = ()
    cluster: str | None = None
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for shares in (self.shares, *(own for _, own in self.own)):
            if len(shares) != len(self.arms) or sum(shares) != 1 or min(shares) < 0:
                raise _refused("plan", "shares that are not one for each arm with sum 1", "exact shares")
        if (self.draw == "sequential blocks") != bool(self.sizes) or any(size < 1 for size in self.sizes):
            raise _refused("plan", "block sizes that do not belong", "sizes for sequential blocks only")

    @property
    def columns(self) -> tuple[str, ...]:
        """The roster columns that the draw reads."""
        return tuple(dict.fromkeys((*self.by, *((self.cluster,) if self.cluster else ()))))

    def shares_in(self, label: tuple[str, ...]) -> tuple[Fraction, ...]:
        """The shares of one stratum."""
        return dict(self.own).get(label, self.shares)

    def as_json(self) -> dict[str, Any]:
        """The plan as the seal binds it."""
        return {
            "arms": list(self.arms),
            "by": list(self.by),
            "cluster": self.cluster,
            "draw": self.draw,
            "own": [[list(label), list(map(str, shares))] for label, shares in self.own],
            "shares": list(map(str, self.shares)),
            "sizes": list(self.sizes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Units among which every arm takes its exact share; `members` are each unit's roster ids."""

    label: tuple[str, ...]
    members: Mapping[str, tuple[str, ...]]


def plan_from(content: Mapping[str, Any]) -> Plan:
    """The plan that `as_json` wrote."""
    try:
        draw = content["draw"]
        if draw not in ("fixed shares", "independent", "sequential blocks") or len(content) != 7:
            raise ValueError(draw)
        return Plan(
            draw=draw,
            arms=tuple(content["arms"]),
            shares=tuple(map(Fraction, content["shares"])),
            by=tuple(content["by"]),
            own=tuple((tuple(label), tuple(map(Fraction, shares))) for label, shares in content["own"]),
            cluster=content["cluster"],
            sizes=tuple(content["sizes"]),
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        raise _refused(
            "plan", "entries of another form", "draw, arms, shares, by, own, cluster, sizes"
        ) from None


def strata(plan: Plan, roster: Roster) -> tuple[Stratum, ...]:
    """The strata of the roster, in the order of their labels."""
    if plan.draw == "sequential blocks":
        raise _refused("plan", "sequential blocks with a roster", "enrolments one at a time")
    labels = list(zip(*map(roster.column, plan.by), strict=True)) if plan.by else [()] * len(roster.rows)
    units = roster.column(plan.cluster) if plan.cluster else tuple(row[0] for row in roster.rows)
    grouped: dict[tuple[str, ...], dict[str, list[str]]] = {}
    home: dict[str, tuple[str, ...]] = {}
    for row, label, unit in zip(roster.rows, labels, units, strict=True):
        if home.setdefault(unit, label) != label:
            raise _refused(
                f"column '{plan.cluster}'",
                "a cluster whose members stand in two strata",
                "every cluster within one stratum",
            )
        grouped.setdefault(label, {}).setdefault(unit, []).append(row[0])
    unknown = [label for label, _ in plan.own if label not in grouped]
    if unknown:
        raise _refused(
            "plan", f"shares for {len(unknown)} strata without units", "strata that the roster holds"
        )
    return tuple(
        Stratum(label=label, members={unit: tuple(ids) for unit, ids in grouped[label].items()})
        for label in sorted(grouped, key=lambda label: [part.encode() for part in label])
    )


def drawn(seed: bytes, plan: Plan, roster: Roster) -> dict[str, str]:
    """Arm by roster id: the draw that `seed` makes; people follow their cluster."""
    draw = independent if plan.draw == "independent" else fixed_shares
    out: dict[str, str] = {}
    for stratum in strata(plan, roster):
        arm = draw(seed, stratum.label, list(stratum.members), plan.arms, plan.shares_in(stratum.label))
        for unit, ids in stratum.members.items():
            out.update(dict.fromkeys(ids, arm[unit]))
    return out


def _refused(where: str, found: str, expected: str) -> NotSealable:
    return NotSealable(
        where=where, found=found, expected=expected, remedy="Correct the design or the roster."
    )
