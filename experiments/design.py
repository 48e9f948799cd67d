"""Designs: who could have been given which arm, and with what probability.

A design is a frozen declaration. `draw` makes one assignment, `draw_many` makes many at once, and
`chance` states every unit's probability of every arm. A quasi-experimental design was not drawn by
anybody: it refuses all three and names the assumption that stands in for chance.

A roster is a DataFrame with one row per unit of observation (person or place), indexed by unique
unit ids; designs read from it the columns that they name. Assignments are codes into `arms`.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.refusal import Refusal

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class DesignRefused(Refusal):
    """A design that cannot be drawn on this roster, or that nobody drew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm; `share` is its exact share of the units, and one arm is the reference."""

    label: str
    share: Fraction
    reference: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedArm:
    """An arm with its name, as designs hold it."""

    name: str
    share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """One drawn assignment.

    `arm` holds arm names, indexed by unit id; `chance` is (units, arms), each row summing to one.
    """

    scheme: str
    arm: pd.Series[str]
    chance: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Design(ABC):
    """What every design offers; `scheme` is the name of the design's file.

    The class attributes say which roster columns carry the design into the analysis: estimators and
    re-draws find clusters, blocks, pairs, sites and periods through `cluster_column` and the rest.
    """

    arms: tuple[NamedArm, ...]

    randomised: ClassVar[bool] = True
    stands_in: ClassVar[str | None] = None
    """For designs that nobody drew: the assumption that stands in for chance."""

    def __post_init__(self) -> None:
        if len(self.arms) < 2:
            raise DesignRefused(
                where="arms",
                found=f"{len(self.arms)} arm",
                expected="two or more",
                remedy="Name the arm that participants are compared with.",
            )
        total = sum((arm.share for arm in self.arms), Fraction(0))
        if total != 1:
            raise DesignRefused(
                where="arms",
                found=f"shares that sum to {total}",
                expected="exact shares that sum to 1",
                remedy="Write shares as fractions, such as 1/3.",
            )
        if any(arm.share <= 0 for arm in self.arms):
            raise DesignRefused(
                where="arms",
                found="a share of zero or less",
                expected="every share above zero",
                remedy="Remove the arm, or give it a share.",
            )

    @property
    def scheme(self) -> str:
        """The design's name: the name of its file."""
        return type(self).__module__.rsplit(".", 1)[-1]

    @property
    def names(self) -> tuple[str, ...]:
        """The arms' names, in the order of assignment codes."""
        return tuple(arm.name for arm in self.arms)

    @property
    def cluster_column(self) -> str | None:
        """The roster column of the units that were drawn together, where that is not the person."""
        return getattr(self, "cluster", None)

    @property
    def block_columns(self) -> tuple[str, ...]:
        """The roster columns within whose combinations the draw was balanced."""
        return tuple(getattr(self, "block_by", ()))

    @property
    def period_column(self) -> str | None:
        """The roster column of periods, where treatment varies over time."""
        return getattr(self, "period", None)

    def draw(self, roster: pd.DataFrame, rng: np.random.Generator) -> Allocation:
        """One assignment of the roster's units."""
        codes = self.draw_many(roster, 1, rng)[0]
        labels = np.asarray(self.names, dtype=object)[codes]
        return Allocation(
            scheme=self.scheme,
            arm=pd.Series(labels, index=roster.index, name="arm", dtype="str"),
            chance=self.chance(roster),
        )

    def draw_many(self, roster: pd.DataFrame, n: int, rng: np.random.Generator) -> Ints:
        """(n, units) integer codes into `names`: n independent assignments."""
        raise self._nobody_drew("draw")

    def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
        """(units, arms) probabilities, indexed like `roster`, with arm names as columns."""
        raise self._nobody_drew("state chances")

    def _nobody_drew(self, what: str) -> DesignRefused:
        return DesignRefused(
            where=f"design.{self.scheme}",
            found=f"a request to {what}",
            expected=f"a randomised design; here the assumption that stands in for chance is: {self.stands_in}",
            remedy="Use an analysis that rests on that assumption and checks it.",
        )


def check_roster(roster: pd.DataFrame, *columns: str) -> None:
    """Refuse a roster with no units, repeated or missing ids, or without the columns named."""
    if len(roster) == 0:
        raise _roster("no units", "at least one", "Check the filter that made the roster.")
    if roster.index.hasnans:
        raise _roster(
            f"{int(np.count_nonzero(roster.index.isna()))} missing ids",
            "an id for every unit",
            "Complete the ids.",
        )
    if not roster.index.is_unique:
        repeats = int(roster.index.duplicated().sum())
        raise _roster(f"{repeats} repeated ids", "each unit once", "Remove the repeats before the draw.")
    for column in columns:
        if column not in roster.columns:
            raise _roster(
                f"no column '{column}'",
                f"the columns {', '.join(columns)}",
                "Check the design's column names.",
            )
        if roster[column].isna().any():
            raise _roster(
                f"{int(roster[column].isna().sum())} missing values in '{column}'",
                "a value for every unit",
                "Give the missing a category of their own before the draw.",
            )


def _roster(found: str, expected: str, remedy: str) -> DesignRefused:
    return DesignRefused(where="roster", found=found, expected=expected, remedy=remedy)
