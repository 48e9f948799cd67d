"""Arm means by inverse probability of the arm drawn, with a conservative variance from joint chances.

Units are what was drawn (people, or clusters with totals Y of their people); pi_ia is unit i's chance
of arm a. Over N people,

    Horvitz-Thompson   tau = (1/N) [ sum_{i in 1} Y_i / pi_i1 - sum_{i in 0} Y_i / pi_i0 ]

    V = (1/N^2) { sum_{i in 1} Y_i^2 / pi_i1^2 + sum_{i in 0} Y_i^2 / pi_i0^2
        + sum_a sum_{i != j in a} (pi_ij,aa - pi_ia pi_ja) / (pi_ia pi_ja pi_ij,aa) Y_i Y_j
        - 2 sum_{i in 1} sum_{j in 0, j != i} (pi_ij,10 - pi_i1 pi_j0) / (pi_i1 pi_j0 pi_ij,10) Y_i Y_j }

where the first line holds the variance of each mean and Young's bound, 2 Y_i(1) Y_i(0) <= Y_i(1)^2 +
Y_i(0)^2, on the term that nobody can see: V is too large on average, never too small.

    Hajek              the same with each mean divided by its own sum of 1/pi, and V of the residuals.

Pairs in different strata are independent and add nothing; within a stratum all pairs share one joint
chance, so the sums are squares of totals and no matrix of pairs is made.

Reference: Aronow & Middleton (2013), Journal of Causal Inference 1, 135-154, equations 9 to 13;
Sarndal, Swensson & Wretman (1992), Model Assisted Survey Sampling, section 5.7, for Hajek.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.estimate import EstimatorRefused
from evaluation.inference.least_squares import Bools, Floats, Ints
from experiments.design import Design
from experiments.designs.simple import Simple
from experiments.remainders import mean_products
from experiments.stratified import Stratified


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chances:
    """Of the units drawn: `unit` (rows,) of each roster row, `stratum` (units,) or None if independent.

    `own` (units, 2) are the chances of the reference and the other arm; `joint` (strata, 3) those of two
    units of one stratum both in the other arm, both in the reference, and one in each.
    """

    unit: Ints
    own: Floats
    stratum: Ints | None
    joint: Floats | None


def chances(design: Design, roster: pd.DataFrame, arms: tuple[str, str]) -> Chances:
    """Exact chances of two arms, (reference, other), in closed form."""
    reference, other = design.code(arms[0]), design.code(arms[1])
    table = design.chance(roster).to_numpy()[:, [reference, other]]
    if isinstance(design, Simple):
        unit = np.arange(len(roster))
        if design.cluster is not None:
            unit = pd.factorize(roster[design.cluster])[0].astype(np.int64)
        return Chances(unit=unit, own=_first(table, unit), stratum=None, joint=None)
    if not isinstance(design, Stratified):
        raise EstimatorRefused(
            where="design",
            found=f"the design '{design.scheme}', whose joint chances have no closed form here",
            expected="units drawn independently, or fixed places within strata",
            remedy="Use `randomisation_test`, which re-draws the design.",
        )
    layout = design.layout(roster)
    unit = np.arange(len(roster)) if layout.unit is None else layout.unit
    sizes = layout.plan.sizes
    joint = np.empty((len(sizes), 3))
    for b, shares in enumerate(layout.plan.shares):
        size = int(sizes[b])
        product, pairs = mean_products(size, shares), max(size * (size - 1), 1)
        for at, (k, m) in enumerate(((other, other), (reference, reference), (other, reference))):
            less = size * float(shares[k]) if k == m else 0.0
            joint[b, at] = (float(product[k, m]) - less) / pairs
    return Chances(unit=unit, own=_first(table, unit), stratum=layout.plan.stratum, joint=joint)


def horvitz_thompson(totals: Floats, treated: Bools, own: Floats, people: int) -> float:
    """tau of `totals` (units,), all of them in one of the two arms."""
    inverse = np.where(treated, 1 / own[:, 1], -1 / own[:, 0])
    return float(totals @ inverse) / people


def young_variance(
    totals: Floats, treated: Bools, own: Floats, stratum: Ints | None, joint: Floats | None
) -> float:
    """V times N squared, as defined at the top of this file."""
    scaled = totals / np.where(treated, own[:, 1], own[:, 0])
    variance = float(scaled @ scaled)
    if stratum is None or joint is None:
        return variance
    both = np.column_stack([scaled * treated, scaled * ~treated])
    sums = np.column_stack([np.bincount(stratum, weights=c, minlength=len(joint)) for c in both.T])
    squares = np.column_stack([np.bincount(stratum, weights=c**2, minlength=len(joint)) for c in both.T])
    chance = np.zeros((len(joint), 2))
    chance[stratum] = own[:, [1, 0]]
    pairs = np.column_stack([sums**2 - squares, -2 * sums[:, 0] * sums[:, 1]])
    apart = np.column_stack([chance**2, chance[:, 0] * chance[:, 1]])
    held = np.any(chance > 0, axis=1)
    if np.any(joint[held] <= 0):
        raise EstimatorRefused(
            where="design",
            found=f"{int(np.count_nonzero(np.any(joint[held] <= 0, axis=1)))} strata in which two units can "
            "never share an arm",
            expected="two or more places for each arm in every stratum",
            remedy="Use `difference_in_means`, whose variance for pairs compares the pairs.",
        )
    weight = np.zeros_like(joint)
    weight[held] = (joint[held] - apart[held]) / joint[held]
    return variance + float(np.sum(weight * pairs))


def arm_means(values: Floats, treated: Bools, own: Floats) -> tuple[Floats, Floats]:
    """Hajek's means (reference, other) and their sums of 1/pi, from one row a person."""
    inverse = 1 / np.where(treated, own[:, 1], own[:, 0])
    mass = np.array([inverse[~treated].sum(), inverse[treated].sum()])
    total = np.array([(inverse * values)[~treated].sum(), (inverse * values)[treated].sum()])
    return total / mass, mass


def _first(table: Floats, unit: Ints) -> Floats:
    """One row for each unit: chances are the same for all rows of it."""
    own = np.empty((int(unit.max()) + 1, table.shape[1]))
    own[unit] = table
    return own
