"""Minimisation: each newcomer goes, most likely, to the arm that keeps the factors most even.

Units are allocated in the order of the roster. For the newcomer's level of each factor in
`balance_on`, let c_fk be the units of that level already in arm k, divided by k's share relative to an
equal one. Placing the newcomer in arm k would leave the factor with an imbalance over the arms, the
`range` or the `variance` of its counts; these are summed with the factors' `weights`. The arm with the
smallest sum is preferred and gets the newcomer with `probability`; the rest of the chance goes to the
other arms by their shares. Arms that tie share the preference equally.

`probability: 1` would make all but ties predictable and is refused: without a random element there is
no chance to build inference on. Analyses should adjust for the factors, or re-draw with `draw_many`.

Reference: Pocock & Simon (1975), Biometrics 31, 103-115; Taves (1974), Clin. Pharmacol. Ther. 15,
443-453; Han, Enas & McEntegart (2009), Statistics in Medicine 28, 3329-3350 (unequal shares).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from experiments.design import Codes, DesignRefused, Floats, check_roster
from experiments.roster import drawn_units, one_value_per_cluster, strata
from experiments.sequential import Sequential, choose


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimised(Sequential):
    """Allocate in roster order, balancing the margins of `balance_on`."""

    balance_on: tuple[str, ...]
    weights: Mapping[str, float]
    imbalance: Literal["range", "variance"]
    probability: float
    cluster: str | None = None

    def __post_init__(self) -> None:
        Sequential.__post_init__(self)
        if set(self.weights) != set(self.balance_on) or any(w <= 0 for w in self.weights.values()):
            raise DesignRefused(
                where="weights",
                found=f"{len(self.weights)} weights for {len(self.balance_on)} factors",
                expected="a weight above zero for every factor of `balance_on`, and for no other",
                remedy="Write 1 for each factor to weight them equally.",
            )
        if not max(float(s) for s in self.shares) < self.probability < 1:
            raise DesignRefused(
                where="probability",
                found=str(self.probability),
                expected="above the largest share, and below 1 so that no allocation is certain",
                remedy="Common choices are 0.7 to 0.9.",
            )

    def allocate(
        self, roster: pd.DataFrame, n: int, rng: np.random.Generator, recorded: Codes
    ) -> tuple[Codes, Floats]:
        """One pass over the units, n histories at a time."""
        cluster = (self.cluster,) if self.cluster else ()
        check_roster(roster, *self.balance_on, *cluster)
        units = drawn_units(roster, self.cluster, np.zeros(len(roster), dtype=np.int64))
        if self.cluster:
            for factor in self.balance_on:
                one_value_per_cluster(roster, units, factor, self.cluster)
        number, arms = len(units.stratum), len(self.arms)
        if number < arms:
            raise DesignRefused(
                where="roster",
                found=f"{number} units for {arms} arms",
                expected=f"at least {arms}",
                remedy="Use fewer arms.",
            )
        levels = np.stack([strata(roster, (f,)).code[units.first] for f in self.balance_on], axis=1)
        offset = np.concatenate([[0], np.cumsum(levels.max(axis=0) + 1)[:-1]])
        margins = levels + offset
        held = np.zeros((int(margins.max()) + 1, n, arms))
        weight = np.array([self.weights[f] for f in self.balance_on])
        shares = np.array([float(share) for share in self.shares])
        codes = np.empty((n, number), dtype=np.int8)
        chances = np.empty((number, arms))
        each = np.arange(n)
        for i, margin in enumerate(margins):
            probability = self._probabilities(held[margin], weight, shares)
            chances[i] = probability.mean(axis=0)
            given = recorded[units.first[i]]
            codes[:, i] = choose(probability, rng) if given < 0 else given
            for row in margin:
                held[row, each, codes[:, i]] += 1
        return np.take(codes, units.unit, axis=1), chances[units.unit]

    def _probabilities(self, held: Floats, weight: Floats, shares: Floats) -> Floats:
        """(n, arms) chances of the next unit, from the counts (factors, n, arms) of its margins."""
        arms = len(shares)
        scale = shares * arms
        after = (held[:, :, None, :] + np.eye(arms)) / scale
        if self.imbalance == "range":
            uneven = after.max(axis=3) - after.min(axis=3)
        else:
            uneven = after.var(axis=3, ddof=1)
        total = np.einsum("f,fnk->nk", weight, uneven)
        best = total <= total.min(axis=1, keepdims=True) + 1e-9
        preferred = best / best.sum(axis=1, keepdims=True)
        given_preferred = np.where(
            np.eye(arms, dtype=bool),
            self.probability,
            (1 - self.probability) * shares[None, :] / (1 - shares[:, None]),
        )
        return np.asarray(preferred @ given_preferred)
