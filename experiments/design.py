"""Designs: who could have been given which arm, and with what probability.

A design is a frozen declaration. `draw` makes one assignment, `draw_many` makes many at once, and
`chance` states every unit's probability of every arm; `joint_chance`, `number_of_draws` and
`every_draw` describe the whole set of draws. A quasi-experimental design was not drawn by anybody:
it refuses all of them and names the assumption that stands in for chance.

A roster is a DataFrame with one row per unit of observation (person or place, or a cluster or person
in one period), indexed by unique ids; designs read from it the columns that they name. Assignments
are codes into `names`; -1 marks a unit that the drawn schedule leaves unmeasured.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.draw_space import Codes as Codes
from experiments.draw_space import DrawCount, EveryDraw, JointChance, Source, joint_from_draws
from experiments.roster import DesignRefused as DesignRefused
from experiments.roster import check_roster as check_roster

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_ARMS = 120
"""Codes are single bytes, so that a thousand draws of ten thousand people fit in ten megabytes."""


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

    `arm` holds arm names, indexed by unit id (missing where the drawn schedule leaves the unit
    unmeasured); `chance` is (units, arms), each row summing to one unless the unit may go unmeasured,
    and `chance_source` says whether it is exact or simulated. `detail` holds what else the scheme
    drew: the sequence of a wedge, the saturation of a cluster, the pair.
    """

    scheme: str
    arm: pd.Series[str]
    chance: pd.DataFrame
    chance_source: Source = "closed form"
    detail: pd.DataFrame | None = None


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
        if not 2 <= len(self.arms) <= MOST_ARMS:
            raise DesignRefused(
                where="arms",
                found=f"{len(self.arms)} arm{'' if len(self.arms) == 1 else 's'}",
                expected=f"2 to {MOST_ARMS}",
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
    def shares(self) -> tuple[Fraction, ...]:
        """The arms' exact shares, in the order of assignment codes."""
        return tuple(arm.share for arm in self.arms)

    @property
    def cluster_column(self) -> str | None:
        """The roster column of the units that were drawn together, where that is not the person."""
        return getattr(self, "cluster", None)

    @property
    def block_columns(self) -> tuple[str, ...]:
        """The roster columns within whose combinations the draw was balanced: blocks, sites, pairs."""
        single = tuple(c for c in (getattr(self, "site", None), getattr(self, "pair", None)) if c)
        return tuple(getattr(self, "block_by", ())) + single

    @property
    def period_column(self) -> str | None:
        """The roster column of periods, where treatment varies over time."""
        return getattr(self, "period", None)

    def draw(self, roster: pd.DataFrame, rng: np.random.Generator) -> Allocation:
        """One assignment of the roster's units; the arms are those of `draw_many(roster, 1, rng)`."""
        codes, detail = self._draw_one(roster, rng)
        return Allocation(
            scheme=self.scheme,
            arm=self.labels(codes, roster.index),
            chance=self.chance(roster),
            chance_source=self.chance_source(roster),
            detail=detail,
        )

    def draw_many(self, roster: pd.DataFrame, n: int, rng: np.random.Generator) -> Codes:
        """(n, units) one-byte codes into `names`: n independent assignments."""
        raise self._nobody_drew("draw")

    def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
        """(units, arms) probabilities, indexed like `roster`, with arm names as columns."""
        raise self._nobody_drew("state chances")

    def logged_chance(self, roster: pd.DataFrame, arm: str) -> pd.DataFrame:
        """(units, arms) probabilities at the moment each unit was drawn, for weighting.

        The same as `chance` unless allocation depended on earlier units: then the probabilities follow
        from the arms recorded in the roster column `arm`.
        """
        del arm
        return self.chance(roster)

    def chance_source(self, roster: pd.DataFrame) -> Source:
        """Whether `chance` is a closed form, an enumeration or a simulation on this roster."""
        if not self.randomised:
            raise self._nobody_drew("state chances")
        return "closed form"

    def joint_chance(
        self,
        roster: pd.DataFrame,
        arm: str,
        other: str,
        *,
        rng: np.random.Generator | None = None,
        draws: int | None = None,
    ) -> JointChance:
        """The probability of `arm` in one unit together with `other` in another, for all pairs.

        Exact where the design has a closed form; otherwise from `draws` simulated assignments made
        with `rng`, which must then be given.
        """
        first, second = self.code(arm), self.code(other)
        if not self.randomised:
            raise self._nobody_drew("state joint chances")
        if rng is None or draws is None:
            raise DesignRefused(
                where=f"design.{self.scheme}",
                found="a request for joint chances, which have no closed form here",
                expected="`rng` and `draws`, to simulate them",
                remedy="Give both; the error of each entry is at most 1 / (2 sqrt(draws)).",
            )
        codes = self.draw_many(roster, draws, rng)
        return JointChance(table=joint_from_draws(codes, None, first, second), how="simulation", draws=draws)

    def number_of_draws(self, roster: pd.DataFrame) -> DrawCount:
        """How many different assignments are possible."""
        if not self.randomised:
            raise self._nobody_drew("count draws")
        return DrawCount(number=None, how="closed form")

    def every_draw(self, roster: pd.DataFrame, limit: int) -> EveryDraw:
        """All possible assignments and their probabilities, where there are at most `limit`."""
        if not self.randomised:
            raise self._nobody_drew("list draws")
        raise DesignRefused(
            where=f"design.{self.scheme}",
            found="a request for every possible draw",
            expected="a design whose draws can be listed",
            remedy="Use `draw_many`, and say how many draws were made.",
        )

    def code(self, arm: str) -> int:
        """The assignment code of an arm."""
        if arm not in self.names:
            raise DesignRefused(
                where="arms",
                found=f"'{arm}'",
                expected=f"one of {', '.join(self.names)}",
                remedy="Check the arm's spelling.",
            )
        return self.names.index(arm)

    def labels(self, codes: Codes, index: pd.Index[Any]) -> pd.Series[str]:
        """Arm names for one assignment, indexed by unit id; missing where the code is -1."""
        names = np.array([*self.names, None], dtype=object)
        return pd.Series(names[codes], index=index, name="arm", dtype="str")

    def _draw_one(self, roster: pd.DataFrame, rng: np.random.Generator) -> tuple[Codes, pd.DataFrame | None]:
        return self.draw_many(roster, 1, rng)[0], None

    def _table(self, probabilities: Floats, roster: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(probabilities, index=roster.index, columns=list(self.names))

    def _nobody_drew(self, what: str) -> DesignRefused:
        return DesignRefused(
            where=f"design.{self.scheme}",
            found=f"a request to {what}",
            expected=f"a randomised design; here the assumption that stands in for chance is: {self.stands_in}",
            remedy="Use an analysis that rests on that assumption and checks it.",
        )
