"""Rerandomisation: draw until the arms are balanced on covariates, by a rule written beforehand.

A base draw (complete, within blocks, of people or clusters) is accepted when its imbalance is at most
a threshold, and drawn again otherwise. `mahalanobis` accepts the share `acceptance` of base draws: the
threshold is that quantile of M, over all base draws where there are at most 20,000 of them, else over
`chance_draws` of them made with `chance_seed`. `per covariate` accepts where no two arms differ by
more than `limit` standard deviations in any covariate.

All accepted draws are as likely relative to one another as in the base design. Where the arms' shares
are equal the criterion does not change when arms swap names, so every chance is still exactly the
share; otherwise chances come from enumeration or from the simulation declared here, and
`chance_source` says which. Inference must respect the acceptance: `draw_many` returns accepted draws
only, so a randomisation test built on it does, while Neyman's variance is conservative.

Reference: Morgan & Rubin (2012), Annals of Statistics 40, 1263-1282; Li, Ding & Rubin (2018), PNAS
115, 9157-9162; Moulton (2004), Clinical Trials 1, 297-305 (constrained draws of clusters).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments import plan_of_places
from experiments.covariates import covariate_matrix
from experiments.design import Codes, Design, DesignRefused, Floats, Ints
from experiments.draw_space import DrawCount, EveryDraw, JointChance, Source, joint_from_draws
from experiments.imbalance import Criterion, imbalance, standardised
from experiments.plan_of_places import Plan
from experiments.roster import check_roster
from experiments.seeds import stream
from experiments.stratified import check_pairs, equal_layout

ENUMERATED = 20_000
MOST_TRIES = 2_000_000
CELLS = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rule:
    """The base plan with what its draws are judged by."""

    plan: Plan
    unit: Ints | None
    sums: Floats
    people: Floats
    listed: EveryDraw | None
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerandomised(Design):
    """Accept base draws that balance `balance_on`."""

    balance_on: tuple[str, ...]
    criterion: Criterion
    chance_draws: int
    chance_seed: int
    acceptance: float | None = None
    limit: float | None = None
    cluster: str | None = None
    block_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        asked = self.acceptance if self.criterion == "mahalanobis" else self.limit
        other = self.limit if self.criterion == "mahalanobis" else self.acceptance
        field = "acceptance" if self.criterion == "mahalanobis" else "limit"
        if asked is None or other is not None or asked <= 0 or (field == "acceptance" and asked >= 1):
            raise DesignRefused(
                where=field,
                found="nothing" if asked is None else str(asked),
                expected="`acceptance` between 0 and 1 alone for mahalanobis, `limit` above 0 alone for per covariate",
                remedy="A common choice accepts one base draw in a hundred or a thousand.",
            )
        if not self.balance_on or self.chance_draws < 1_000:
            raise DesignRefused(
                where="balance_on" if not self.balance_on else "chance_draws",
                found="no covariates" if not self.balance_on else str(self.chance_draws),
                expected="one covariate or more" if not self.balance_on else "at least 1000 draws",
                remedy="Complete the declaration.",
            )

    def draw_many(self, roster: pd.DataFrame, n: int, rng: np.random.Generator) -> Codes:
        """(n, units) accepted assignments."""
        rule = self._rule(roster)
        codes = self._accepted(rule, n, rng)
        return codes if rule.unit is None else np.take(codes, rule.unit, axis=1)

    def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
        """Shares where these are equal; otherwise shares of accepted draws, enumerated or simulated."""
        rule = self._rule(roster)
        source = self._source(rule)
        if source == "closed form":
            table = plan_of_places.chance(rule.plan)
        else:
            codes, weight = self._sample_of_draws(rule)
            table = np.stack([weight @ (codes == arm) for arm in range(len(self.arms))], axis=1)
        return self._table(table if rule.unit is None else table[rule.unit], roster)

    def chance_source(self, roster: pd.DataFrame) -> Source:
        """Closed form for equal shares; else enumeration of few draws, simulation of many."""
        return self._source(self._rule(roster))

    def joint_chance(
        self,
        roster: pd.DataFrame,
        arm: str,
        other: str,
        *,
        rng: np.random.Generator | None = None,
        draws: int | None = None,
    ) -> JointChance:
        """Enumerated where the base draws are few; else simulated with `rng`, or as declared."""
        check_pairs(roster)
        rule = self._rule(roster)
        if rule.listed is None and rng is not None and draws is not None:
            codes = self._accepted(rule, draws, rng)
            weight = np.full(draws, 1.0 / draws)
        else:
            codes, weight = self._sample_of_draws(rule)
        table = joint_from_draws(codes, weight, self.code(arm), self.code(other))
        if rule.unit is not None:
            table = table[np.ix_(rule.unit, rule.unit)]
        return JointChance(
            table=table, how="simulation" if rule.listed is None else "enumeration", draws=len(codes)
        )

    def number_of_draws(self, roster: pd.DataFrame) -> DrawCount:
        """The accepted draws, where the base draws can be enumerated."""
        listed = self._rule(roster).listed
        return DrawCount(number=None if listed is None else len(listed.codes), how="enumeration")

    def every_draw(self, roster: pd.DataFrame, limit: int) -> EveryDraw:
        """The accepted draws, where the base draws can be enumerated."""
        rule = self._rule(roster)
        if rule.listed is None or len(rule.listed.codes) > limit:
            raise DesignRefused(
                where="limit",
                found=f"{plan_of_places.number(rule.plan)} base draws",
                expected=f"at most {ENUMERATED} base draws, and at most {limit} accepted",
                remedy="Use `draw_many`.",
            )
        codes = rule.listed.codes
        return EveryDraw(
            codes=codes if rule.unit is None else np.take(codes, rule.unit, axis=1),
            probability=rule.listed.probability,
        )

    def imbalance_of(self, roster: pd.DataFrame, codes: Codes) -> Floats:
        """(n,) the criterion for assignments (n, rows) of this roster, however they were drawn."""
        check_roster(roster, *self.balance_on)
        values = covariate_matrix(roster, self.balance_on, where="balance_on")
        ones = np.ones(len(roster))
        return imbalance(codes, standardised(values, self.criterion), ones, len(self.arms), self.criterion)

    def _source(self, rule: _Rule) -> Source:
        if all(len(set(shares)) == 1 for shares in rule.plan.shares):
            return "closed form"
        return "simulation" if rule.listed is None else "enumeration"

    def _sample_of_draws(self, rule: _Rule) -> tuple[Codes, Floats]:
        """Draws and weights that stand for the accepted set: all of it, or the declared simulation."""
        if rule.listed is not None:
            return rule.listed.codes, rule.listed.probability
        rng = stream(self.chance_seed, "rerandomised", "chance")
        codes = self._accepted(rule, self.chance_draws, rng)
        return codes, np.full(len(codes), 1.0 / len(codes))

    def _rule(self, roster: pd.DataFrame) -> _Rule:
        check_roster(roster, *self.balance_on)
        layout = equal_layout(self, roster, cluster=self.cluster, block_by=self.block_by)
        values = covariate_matrix(roster, self.balance_on, where="balance_on")
        values = standardised(values, self.criterion)
        units = len(layout.plan.stratum)
        unit = np.arange(len(roster)) if layout.unit is None else layout.unit
        sums = np.zeros((units, values.shape[1]))
        np.add.at(sums, unit, values)
        people = np.bincount(unit, minlength=units).astype(np.float64)
        base = None
        if plan_of_places.number(layout.plan) <= ENUMERATED:
            base = plan_of_places.every(layout.plan, ENUMERATED)
            far = imbalance(base.codes, sums, people, len(self.arms), self.criterion)
            weight = base.probability
        elif self.criterion == "mahalanobis":
            rng = stream(self.chance_seed, "rerandomised", "threshold")
            step = max(1, CELLS // units)
            far = np.concatenate(
                [
                    imbalance(
                        plan_of_places.draw(layout.plan, min(step, self.chance_draws - done), rng),
                        sums,
                        people,
                        len(self.arms),
                        self.criterion,
                    )
                    for done in range(0, self.chance_draws, step)
                ]
            )
            weight = np.full(len(far), 1.0 / len(far))
        if self.criterion == "per covariate":
            assert self.limit is not None
            threshold = self.limit
        else:
            assert self.acceptance is not None
            order = np.argsort(far)
            reached = np.cumsum(weight[order]) >= self.acceptance - 1e-12
            threshold = float(far[order][int(np.argmax(reached))]) * (1 + 1e-9)
        listed = None
        if base is not None:
            kept = far <= threshold
            if not kept.any():
                raise self._none_accepted(len(far))
            total = base.probability[kept].sum()
            listed = EveryDraw(codes=base.codes[kept], probability=base.probability[kept] / total)
        return _Rule(
            plan=layout.plan, unit=layout.unit, sums=sums, people=people, listed=listed, threshold=threshold
        )

    def _accepted(self, rule: _Rule, n: int, rng: np.random.Generator) -> Codes:
        """(n, drawn units): base draws in batches, those at or below the threshold kept in order."""
        if rule.listed is not None:
            chosen = rng.choice(len(rule.listed.codes), size=n, p=rule.listed.probability)
            return np.asarray(rule.listed.codes[chosen])
        kept: list[Codes] = []
        held = tried = 0
        most = max(1, CELLS // len(rule.plan.stratum))
        while held < n:
            rate = max(held, 1) / tried if tried else self.acceptance or 0.1
            batch = min(max(int((n - held) / rate * 1.1) + 32, 64), most)
            codes = plan_of_places.draw(rule.plan, batch, rng)
            far = imbalance(codes, rule.sums, rule.people, len(self.arms), self.criterion)
            kept.append(codes[far <= rule.threshold])
            held += len(kept[-1])
            tried += batch
            if not held and tried >= MOST_TRIES:
                raise self._none_accepted(tried)
        return np.concatenate(kept)[:n]

    def _none_accepted(self, tried: int) -> DesignRefused:
        return DesignRefused(
            where="limit",
            found=f"none of {tried} base draws within the limit",
            expected="a criterion that some draws meet",
            remedy="Raise the limit, balance fewer covariates, or use `mahalanobis` with an acceptance share.",
        )
