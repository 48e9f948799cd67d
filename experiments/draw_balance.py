"""How even a draw left the covariates, against the draws that could have been.

    d = (xbar_arm - xbar_other) / sd      sd over everybody on the roster, both means over people

for one assignment or many. `before` is plain complete randomisation of the same drawn units (people or
clusters), which ignores blocks, pairs and acceptance rules; `after` is the declared design. The two
spreads show what the design bought; the realised draw is one point in the second.

Reference: Imai, King & Stuart (2008), JRSS A 171, 481-502 (balance is a property of the sample, to be
described and not tested).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments import plan_of_places
from experiments.covariates import covariate_matrix
from experiments.design import Allocation, Codes, Design
from experiments.plan_of_places import Plan
from experiments.roster import drawn_units

Floats = NDArray[np.float64]

CELLS = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawBalance:
    """Standardised differences: `before` and `after` are (draws, covariates), `drawn` (covariates,)."""

    covariates: tuple[str, ...]
    arm: str
    other: str
    before: Floats
    after: Floats
    drawn: Floats


def draw_balance(
    design: Design,
    roster: pd.DataFrame,
    allocation: Allocation,
    covariates: tuple[str, ...],
    *,
    arm: str,
    other: str,
    draws: int,
    rng: np.random.Generator,
) -> DrawBalance:
    """The drawn assignment's differences among `draws` plain and `draws` designed ones."""
    values = covariate_matrix(roster, covariates, where="covariates")
    first, second = design.code(arm), design.code(other)
    codes = np.full(len(roster), -1, dtype=np.int8)
    for code, name in enumerate(design.names):
        codes[np.asarray(allocation.arm == name, dtype=bool)] = code
    step = max(1, CELLS // len(roster))
    units = drawn_units(roster, design.cluster_column, np.zeros(len(roster), dtype=np.int64))
    plain = Plan(stratum=units.stratum, shares=(design.shares,))
    before: list[Floats] = []
    after: list[Floats] = []
    for done in range(0, draws, step):
        n = min(step, draws - done)
        spread = np.take(plan_of_places.draw(plain, n, rng), units.unit, axis=1)
        before.append(standardised_differences(spread, values, first, second))
        after.append(standardised_differences(design.draw_many(roster, n, rng), values, first, second))
    return DrawBalance(
        covariates=covariates,
        arm=arm,
        other=other,
        before=np.concatenate(before),
        after=np.concatenate(after),
        drawn=standardised_differences(codes[None, :], values, first, second)[0],
    )


def standardised_differences(codes: Codes, values: Floats, arm: int, other: int) -> Floats:
    """(n, k) differences of means in standard deviations, for assignments (n, rows); NaN for an empty arm."""
    scaled = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    means = []
    for code in (arm, other):
        inside = (codes == code).astype(np.float64)
        number = inside.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            means.append(inside @ scaled / number)
    return np.asarray(means[0] - means[1])
