"""Factorial designs, full and fractional: several components tried at once on the same people.

Each arm is a combination of levels, one for each factor: `cells` writes the level of every factor, in
the order of `factors`, for every arm. Without `generators` the cells must be all combinations. With
them (two-level factors; the first listed level counts as -1) they must be exactly the fraction that the
generators define, and `aliases` says which effects that fraction cannot tell apart. People, or
clusters, are drawn to the cells completely, within blocks where `block_by` names any.

Reference: Box, Hunter & Hunter (2005), Statistics for Experimenters, 2nd edition, chapters 5 and 6;
Dasgupta, Pillai & Rubin (2015), JRSS B 77, 727-753.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from experiments import aliasing
from experiments.design import Codes, DesignRefused, Ints
from experiments.stratified import Layout, Stratified, equal_layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Factorial(Stratified):
    """Draw units to the cells of a factorial; `factors` lists each factor's levels."""

    factors: Mapping[str, tuple[str, ...]]
    cells: Mapping[str, tuple[str, ...]]
    generators: tuple[str, ...] = ()
    cluster: str | None = None
    block_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Stratified.__post_init__(self)
        if len(self.factors) < 2 or any(len(set(levels)) < 2 for levels in self.factors.values()):
            raise _refused(
                "factors", "fewer than two factors of two levels", "two or more of each", "Add them."
            )
        if set(self.cells) != set(self.names):
            raise _refused(
                "cells",
                f"{len(self.cells)} cells for {len(self.arms)} arms",
                "the levels of every arm, and of no other",
                "Write one line per arm.",
            )
        for name, levels in self.cells.items():
            known = len(levels) == len(self.factors) and all(
                level in allowed for level, allowed in zip(levels, self.factors.values(), strict=True)
            )
            if not known:
                raise _refused(
                    f"cells.{name}",
                    f"{len(levels)} levels, or a level that its factor does not have",
                    f"one level of each of {', '.join(self.factors)}, in that order",
                    "Check the spelling and the order.",
                )
        wanted = self._wanted()
        held = list(self.cells.values())
        if len(set(held)) != len(held) or set(held) != wanted:
            raise _refused(
                "cells",
                f"{len(set(held) & wanted)} of the {len(wanted)} combinations, and {len(held) - len(set(held) & wanted)} others",
                "every combination of the design once",
                "Add the missing arms; a planned fraction needs its `generators`.",
            )

    @property
    def resolution(self) -> int | None:
        """The fraction's resolution (3: main effects are aliased with pairs); None where full."""
        return aliasing.resolution(self.generators, tuple(self.factors))

    def aliases(self, *effect: str) -> tuple[str, ...]:
        """What the fraction confounds with the effect (or interaction) of these factors."""
        return aliasing.aliases(effect, self.generators, tuple(self.factors))

    def levels(self, codes: Codes) -> Ints:
        """(..., factors) position of each factor's level, for any array of assignment codes."""
        table = [
            [
                allowed.index(level)
                for level, allowed in zip(self.cells[n], self.factors.values(), strict=True)
            ]
            for n in self.names
        ]
        return np.array(table, dtype=np.int64)[codes]

    def layout(self, roster: pd.DataFrame) -> Layout:
        """People or clusters, within blocks where there are any."""
        return equal_layout(self, roster, cluster=self.cluster, block_by=self.block_by)

    def _wanted(self) -> set[tuple[str, ...]]:
        """The combinations that the declaration promises."""
        every = set(product(*self.factors.values()))
        if not self.generators:
            return every
        if any(len(levels) != 2 for levels in self.factors.values()):
            raise _refused(
                "generators",
                "a factor of more than two levels",
                "two-level factors in a fraction",
                "Use the full factorial, or split the factor.",
            )
        names = tuple(self.factors)
        aliasing.defining_relation(self.generators, names)
        return {
            cell
            for cell in every
            if aliasing.in_fraction(
                {n: 2 * self.factors[n].index(level) - 1 for n, level in zip(names, cell, strict=True)},
                self.generators,
                names,
            )
        }


def _refused(where: str, found: str, expected: str, remedy: str) -> DesignRefused:
    return DesignRefused(where=where, found=found, expected=expected, remedy=remedy)
