"""Response-adaptive allocation: later batches lean towards the arms that have done better.

Units arrive in batches, in the order in which the `batch` column's values first appear. The first
`burn_in_batches` are drawn with the arms' shares. Before each later batch the 0/1 `outcome` observed so
far gives every arm a Beta posterior (from the same `prior` for all), and each unit of the batch is drawn
independently with probabilities

    thompson   q_k = P(arm k is best)^power, scaled to sum to one
    top two    q_k = best_k (leader + (1 - leader) sum_{j != k} best_j / (1 - best_j))
    p_k        = floor + (1 - arms * floor) q_k

`floor` keeps every arm open, and so keeps inverse-probability weights bounded. Outcomes still missing
when a batch is drawn are left out. `logged_chance` recomputes, from the record, the probabilities at
which each unit was drawn: they are what an analysis must weight by, since plain means are biased after
adaptive allocation. `draw_rest` draws the next batch. `draw_many` re-draws all batches with
everybody's outcome held fixed: the reference distribution of the sharp null hypothesis.

Reference: Thompson (1933), Biometrika 25, 285-294; Thall & Wathen (2007), European Journal of Cancer
43, 859-866 (power); Russo (2020), Operations Research 68, 1625-1647 (top two); Hadad, Hirshberg, Zhan,
Wager & Athey (2021), PNAS 118, e2014602118 (weighting); Simon & Simon (2011), Statistics & Probability
Letters 81, 767-772 (re-randomisation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from experiments.best_arm import best_arm, top_two
from experiments.design import Codes, DesignRefused, Floats, check_roster
from experiments.sequential import Sequential


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive(Sequential):
    """Allocate by batches; `batch` and `outcome` are roster columns."""

    batch: str
    outcome: str
    better: Literal["higher", "lower"]
    rule: Literal["thompson", "top two"]
    prior: tuple[float, float]
    burn_in_batches: int
    floor: float
    power: float | None = None
    leader: float | None = None

    def __post_init__(self) -> None:
        Sequential.__post_init__(self)
        if not 0 < self.floor < 1 / len(self.arms):
            raise _refused(
                "floor",
                str(self.floor),
                f"above 0 and below {1 / len(self.arms):.4f}, one over the number of arms",
                "A tenth of an equal share is common.",
            )
        if min(self.prior) <= 0 or self.burn_in_batches < 1:
            raise _refused(
                "prior" if min(self.prior) <= 0 else "burn_in_batches",
                "zero or less",
                "prior successes and failures above 0, and at least one batch at the arms' shares",
                "Write [1, 1] for a uniform prior.",
            )
        thompson = self.rule == "thompson"
        asked, other = (self.power, self.leader) if thompson else (self.leader, self.power)
        if asked is None or other is not None or asked <= 0 or (not thompson and asked >= 1):
            raise _refused(
                "power" if thompson else "leader",
                "nothing" if asked is None else str(asked),
                "`power` above 0 alone for thompson, `leader` between 0 and 1 alone for top two",
                "Write power 1 for plain Thompson sampling, leader 0.5 for even top-two sampling.",
            )

    def allocate(
        self, roster: pd.DataFrame, n: int, rng: np.random.Generator, recorded: Codes
    ) -> tuple[Codes, Floats]:
        """Batch by batch, n histories at a time."""
        check_roster(roster, self.batch)
        success = self._success(roster)
        seen = ~np.isnan(success)
        batch, names = pd.factorize(roster[self.batch])
        arms = len(self.arms)
        if len(roster) < arms:
            raise _refused(
                "roster", f"{len(roster)} units for {arms} arms", f"at least {arms}", "Recruit more."
            )
        codes = np.full((n, len(roster)), -1, dtype=np.int8)
        chances = np.empty((len(roster), arms))
        shares = np.tile([float(share) for share in self.shares], (n, 1))
        for number in range(len(names)):
            rows = np.flatnonzero(batch == number)
            earlier = np.flatnonzero((batch < number) & seen)
            if number < self.burn_in_batches:
                probability = shares
            else:
                if not len(earlier) and (recorded[rows] < 0).any():
                    raise _refused(
                        "roster",
                        f"no outcome from the {number} batches before batch {number + 1}",
                        "outcomes of earlier batches, which later batches learn from",
                        "Draw one batch, record its outcomes, then draw the next with `draw_rest`.",
                    )
                probability = self._probabilities(codes[:, earlier], success[earlier])
            chances[rows] = probability.mean(axis=0)
            edges = np.cumsum(probability, axis=1)[:, :-1]
            drawn = np.zeros((n, len(rows)), dtype=np.int8)
            thrown = rng.random((n, len(rows)))
            for edge in edges.T:
                drawn += thrown >= edge[:, None]
            given = recorded[rows]
            codes[:, rows] = np.where(given < 0, drawn, given)
        return codes, chances

    def replayed_chance(self, roster: pd.DataFrame, codes: Codes) -> Floats:
        """(n, units, arms) every arm's chance at each allocation, along each history in `codes` (n, units)."""
        success = self._success(roster)
        seen = ~np.isnan(success)
        batch, names = pd.factorize(roster[self.batch])
        out = np.empty((*codes.shape, len(self.arms)))
        for number in range(len(names)):
            rows = np.flatnonzero(batch == number)
            earlier = np.flatnonzero((batch < number) & seen)
            if number < self.burn_in_batches:
                out[:, rows] = [float(share) for share in self.shares]
            else:
                out[:, rows] = self._probabilities(codes[:, earlier], success[earlier])[:, None, :]
        return out

    def _probabilities(self, codes: Codes, success: Floats) -> Floats:
        """(n, arms) chances for the next batch, from earlier arms (n, units) and outcomes (units,)."""
        arms = len(self.arms)
        inside = [(codes == arm).astype(np.float64) for arm in range(arms)]
        won = np.stack([held @ success for held in inside], axis=1)
        lost = np.stack([held @ (1 - success) for held in inside], axis=1)
        best = best_arm(won + self.prior[0], lost + self.prior[1])
        if self.rule == "thompson":
            assert self.power is not None
            raised = np.maximum(best, 1e-300) ** self.power
            chosen = raised / raised.sum(axis=1, keepdims=True)
        else:
            assert self.leader is not None
            chosen = top_two(best, self.leader)
        return np.asarray(self.floor + (1 - arms * self.floor) * chosen)

    def _success(self, roster: pd.DataFrame) -> Floats:
        """(units,) 1 for a good outcome, 0 for a bad one, NaN where it is not observed."""
        if self.outcome not in roster.columns:
            return np.full(len(roster), np.nan)
        values = pd.to_numeric(roster[self.outcome], errors="coerce").to_numpy(dtype=np.float64)
        strange = int((~np.isin(values, (0.0, 1.0)) & ~roster[self.outcome].isna().to_numpy()).sum())
        if strange:
            raise _refused(
                "roster",
                f"{strange} values of '{self.outcome}' other than 0 and 1",
                "0, 1 or nothing",
                "Declare a binary outcome for the adaptation.",
            )
        return values if self.better == "higher" else 1.0 - values


def _refused(where: str, found: str, expected: str, remedy: str) -> DesignRefused:
    return DesignRefused(where=where, found=found, expected=expected, remedy=remedy)
