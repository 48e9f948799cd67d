"""Designs that allocate units one after another: each chance depends on what came before.

One pass over the roster, in its row order, serves four uses: making many whole assignments
(`draw_many`), stating the probability each recorded allocation had when it was made
(`logged_chance`), carrying on from the allocations recorded so far (`draw_rest`), and stating marginal
chances. With equal shares these are the shares, because renaming the arms changes nothing; otherwise
they are simulated from `chance_draws` assignments made with `chance_seed`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.design import Allocation, Codes, Design, DesignRefused, Floats
from experiments.draw_space import Source
from experiments.roster import blank
from experiments.seeds import stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequential(Design):
    """A design with a memory."""

    chance_draws: int
    chance_seed: int

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        if self.chance_draws < 1_000:
            raise DesignRefused(
                where="chance_draws",
                found=str(self.chance_draws),
                expected="at least 1000 draws, for chances that have no closed form",
                remedy="Use 10000: a chance of one half then has a standard error of 0.005.",
            )

    def allocate(
        self, roster: pd.DataFrame, n: int, rng: np.random.Generator, recorded: Codes
    ) -> tuple[Codes, Floats]:
        """(n, units) arms and (units, arms) chances, averaged over the n, at each allocation.

        `recorded` is (units,): arms already given, and -1 where one must be drawn.
        """
        raise NotImplementedError

    def draw_many(self, roster: pd.DataFrame, n: int, rng: np.random.Generator) -> Codes:
        """(n, units) codes: n histories, side by side."""
        return self.allocate(roster, n, rng, np.full(len(roster), -1, dtype=np.int8))[0]

    def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
        """Marginal chances: the shares where these are equal, else simulated as declared."""
        if self.chance_source(roster) == "closed form":
            self.draw_many(roster, 1, stream(self.chance_seed, self.scheme, "check"))
            return self._table(np.tile([float(s) for s in self.shares], (len(roster), 1)), roster)
        rng = stream(self.chance_seed, self.scheme, "chance")
        empty = np.full(len(roster), -1, dtype=np.int8)
        return self._table(self.allocate(roster, self.chance_draws, rng, empty)[1], roster)

    def chance_source(self, roster: pd.DataFrame) -> Source:
        """Closed form for equal shares, by symmetry; simulation otherwise."""
        return "closed form" if len(set(self.shares)) == 1 else "simulation"

    def logged_chance(self, roster: pd.DataFrame, arm: str) -> pd.DataFrame:
        """(units, arms) the chance of every arm when each unit was allocated, given the record in `arm`."""
        recorded = self.recorded(roster, arm)
        if (recorded < 0).any():
            raise DesignRefused(
                where="roster",
                found=f"{int((recorded < 0).sum())} units without an arm in '{arm}'",
                expected="the whole record",
                remedy="Leave out units not yet allocated, or use `draw_rest`.",
            )
        rng = stream(self.chance_seed, self.scheme, "logged")
        return self._table(self.allocate(roster, 1, rng, recorded)[1], roster)

    def draw_rest(self, roster: pd.DataFrame, arm: str, rng: np.random.Generator) -> Allocation:
        """Keep the arms recorded in the column `arm`, and allocate the units without one.

        The allocation's `chance` is the probability of each arm at the moment of each allocation.
        """
        codes, chances = self.allocate(roster, 1, rng, self.recorded(roster, arm))
        return Allocation(
            scheme=self.scheme,
            arm=self.labels(codes[0], roster.index),
            chance=self._table(chances, roster),
            chance_source="closed form",
        )

    def recorded(self, roster: pd.DataFrame, arm: str) -> Codes:
        """(units,) codes of the arms in the column `arm`, -1 where it is empty."""
        if arm not in roster.columns:
            raise DesignRefused(
                where="roster",
                found=f"no column '{arm}'",
                expected="the column of recorded arms",
                remedy="Add it, empty where nobody is allocated yet.",
            )
        empty = blank(roster[arm])
        codes = np.full(len(roster), -1, dtype=np.int8)
        for code, name in enumerate(self.names):
            codes[np.asarray(roster[arm].astype("str") == name, dtype=bool) & ~empty] = code
        strange = int(((codes < 0) & ~empty).sum())
        if strange:
            raise DesignRefused(
                where="roster",
                found=f"{strange} values of '{arm}' that are not arms",
                expected=f"{', '.join(self.names)}, or nothing",
                remedy="Correct the record.",
            )
        return codes


def choose(probability: Floats, rng: np.random.Generator) -> Codes:
    """(n,) one option for each row of probabilities (n, options)."""
    edges = np.cumsum(probability, axis=1)[:, :-1]
    return (rng.random((len(probability), 1)) >= edges).sum(axis=1).astype(np.int8)
