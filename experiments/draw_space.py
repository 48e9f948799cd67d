"""What can be said about all the draws that a design could make.

Three questions: how many draws there are, what they are and how likely each is, and how likely two
units are to hold two given arms together. Each answer says how it was reached, because a simulated
probability carries Monte Carlo error and a closed form does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int8]
"""Assignments: codes into a design's `names`, -1 where the design leaves a unit unmeasured."""

Source = Literal["closed form", "enumeration", "simulation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawCount:
    """How many different assignments have a chance above zero; None where it cannot be counted."""

    number: int | None
    how: Source


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EveryDraw:
    """All possible assignments: `codes` is (draws, units), `probability` (draws,) and sums to one."""

    codes: Codes
    probability: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointChance:
    """`table[i, j]` is the probability that unit i holds the first arm asked and unit j the second.

    (units, units). The diagonal holds the chance of the arm where both are the same arm, else 0.
    `draws` is how many were simulated, or enumerated; None for a closed form.
    """

    table: NDArray[np.float64]
    how: Source
    draws: int | None


def joint_from_draws(
    codes: Codes, probability: NDArray[np.float64] | None, arm: int, other: int
) -> NDArray[np.float64]:
    """(units, units) share of draws, weighted by `probability`, with `arm` in i and `other` in j."""
    first = (codes == arm).astype(np.float64)
    second = first if other == arm else (codes == other).astype(np.float64)
    weight = np.full(len(codes), 1.0 / len(codes)) if probability is None else probability
    return np.asarray((first * weight[:, None]).T @ second)
