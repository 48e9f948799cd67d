"""Designs that fix the places of every arm within strata: the class they extend.

A design says which rows are drawn together and in which strata (`layout`), with which shares; this
class draws, counts and states chances for all of them (`experiments/plan_of_places.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from experiments import plan_of_places
from experiments.design import Codes, Design, DesignRefused, Floats, Ints
from experiments.draw_space import DrawCount, EveryDraw, JointChance
from experiments.plan_of_places import Plan
from experiments.remainders import Shares
from experiments.roster import DrawnUnits, Strata, check_roster, drawn_units, strata

MOST_JOINT = 12_000
"""Rows beyond which a matrix of all pairs would not fit in a gigabyte."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """What is drawn and how it reaches the rows.

    `plan` says what the drawn units can be given; `unit` is the drawn unit of every row (None where
    rows are drawn). What is drawn is an arm, unless `lookup` (options, rows) gives the arm that each
    option means for each row: an option is then a whole sequence over periods, and `options` names
    the options under the heading `heading`.
    """

    plan: Plan
    unit: Ints | None
    lookup: Codes | None = None
    heading: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratified(Design):
    """Fixed places within strata."""

    def layout(self, roster: pd.DataFrame) -> Layout:
        """Which rows are drawn together, in which strata, with which shares."""
        raise NotImplementedError

    def draw_many(self, roster: pd.DataFrame, n: int, rng: np.random.Generator) -> Codes:
        """(n, units) codes: each stratum's places are filled, then shuffled, in each draw."""
        layout = self.layout(roster)
        return _to_arms(_to_rows(plan_of_places.draw(layout.plan, n, rng), layout.unit), layout.lookup)

    def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
        """A unit's chance of an arm is the share, in its stratum, of the options that mean that arm."""
        layout = self.layout(roster)
        table = plan_of_places.chance(layout.plan)
        table = table if layout.unit is None else table[layout.unit]
        if layout.lookup is not None:
            arms = np.arange(len(self.arms))
            means = layout.lookup[:, :, None] == arms
            table = np.einsum("os,soa->oa", table, means)
        return self._table(table, roster)

    def joint_chance(
        self,
        roster: pd.DataFrame,
        arm: str,
        other: str,
        *,
        rng: np.random.Generator | None = None,
        draws: int | None = None,
    ) -> JointChance:
        """Closed form: hypergeometric within a stratum, independent between strata."""
        del rng, draws
        check_pairs(roster)
        layout = self.layout(roster)
        first, second = self.code(arm), self.code(other)
        if layout.lookup is None:
            table = _spread(plan_of_places.joint(layout.plan, first, second), layout.unit)
            return JointChance(table=table, how="closed form", draws=None)
        table = np.zeros((len(roster), len(roster)))
        for option, mine in enumerate(layout.lookup == first):
            for another, theirs in enumerate(layout.lookup == second):
                if mine.any() and theirs.any():
                    pair = _spread(plan_of_places.joint(layout.plan, option, another), layout.unit)
                    table += pair * np.outer(mine, theirs)
        return JointChance(table=table, how="closed form", draws=None)

    def number_of_draws(self, roster: pd.DataFrame) -> DrawCount:
        """Product over strata of the multinomial coefficients."""
        return DrawCount(number=plan_of_places.number(self.layout(roster).plan), how="closed form")

    def every_draw(self, roster: pd.DataFrame, limit: int) -> EveryDraw:
        """All arrangements, strata varying in turn."""
        layout = self.layout(roster)
        found = plan_of_places.every(layout.plan, limit)
        codes = _to_arms(_to_rows(found.codes, layout.unit), layout.lookup)
        return EveryDraw(codes=codes, probability=found.probability)

    def how_shares_are_met(self, roster: pd.DataFrame) -> str:
        """A sentence for the report: whether the shares divide the units, and what is done if not."""
        plan = self.layout(roster).plan
        inexact = plan_of_places.inexact_strata(plan)
        occupied = int(np.count_nonzero(plan.sizes))
        if inexact == 0:
            return f"The shares divide the units exactly in all {occupied} strata."
        return (
            f"In {inexact} of {occupied} strata the shares do not divide the units: the whole parts are "
            "placed, and the places left over go to arms at random, at most one more each, so that every "
            "unit's chance is exactly its arm's share."
        )

    def _draw_one(self, roster: pd.DataFrame, rng: np.random.Generator) -> tuple[Codes, pd.DataFrame | None]:
        layout = self.layout(roster)
        drawn = _to_rows(plan_of_places.draw(layout.plan, 1, rng), layout.unit)
        detail = None
        if layout.lookup is not None:
            names = np.array(layout.options, dtype=object)[drawn[0]]
            detail = pd.DataFrame({layout.heading: pd.Series(names, index=roster.index, dtype="str")})
        return _to_arms(drawn, layout.lookup)[0], detail


def lay_out(
    roster: pd.DataFrame, *, cluster: str | None, block_by: tuple[str, ...]
) -> tuple[Strata, DrawnUnits]:
    """The roster's strata and drawn units, checked."""
    check_roster(roster, *block_by, *((cluster,) if cluster else ()))
    found = strata(roster, block_by)
    return found, drawn_units(roster, cluster, found.code)


def equal_layout(
    design: Design, roster: pd.DataFrame, *, cluster: str | None, block_by: tuple[str, ...]
) -> Layout:
    """The arms' own shares in every stratum of people or clusters."""
    found, units = lay_out(roster, cluster=cluster, block_by=block_by)
    plan = Plan(stratum=units.stratum, shares=(design.shares,) * len(found.label))
    check_sizes(plan, unit="clusters" if cluster else "units", blocks=", ".join(block_by))
    return Layout(plan=plan, unit=None if cluster is None else units.unit)


def check_sizes(plan: Plan, *, unit: str, blocks: str) -> None:
    """Refuse strata with fewer units than arms that must be filled."""
    needed = np.array([sum(share > 0 for share in shares) for shares in plan.shares])
    small = plan.sizes < needed
    if not small.any():
        return
    where = "roster"
    if len(plan.shares) == 1:
        raise DesignRefused(
            where=where,
            found=f"{int(plan.sizes[0])} {unit if plan.sizes[0] != 1 else unit[:-1]} for {needed[0]} arms",
            expected=f"at least {needed[0]} {unit}",
            remedy="Recruit more before the draw, or use fewer arms.",
        )
    raise DesignRefused(
        where=where,
        found=(
            f"{int(small.sum())} of {len(small)} blocks ({blocks}) with fewer {unit} than arms; "
            f"the smallest has {int(plan.sizes[small].min())}"
        ),
        expected=f"at least as many {unit} in a block as it has arms",
        remedy="Merge small blocks before the draw, or block on fewer columns.",
    )


def shares_by_stratum(
    design: Design,
    found: Strata,
    sizes: Ints,
    *,
    shares: Mapping[str, Mapping[str, Fraction]],
    counts: Mapping[str, Mapping[str, int]],
) -> tuple[Shares, ...]:
    """Each stratum's exact shares: its own, or its own counts over its size, or else the arms'."""
    for named in (shares, counts):
        empty = [label for label in named if label not in found.label]
        if empty:
            raise DesignRefused(
                where="design",
                found=f"{len(empty)} of {len(named)} entries for a block that has no units in the roster",
                expected="entries for blocks that occur",
                remedy="Correct the entry's spelling, or remove the empty block.",
            )
    out: list[Shares] = []
    for label, size in zip(found.label, sizes, strict=True):
        if label in counts:
            out.append(shares_of_counts(design, counts[label], int(size), where="design.counts"))
        elif label in shares:
            out.append(shares_of_arms(design, shares[label], where="design.shares"))
        else:
            out.append(design.shares)
    return tuple(out)


def shares_of_counts(design: Design, counts: Mapping[str, int], units: int, *, where: str) -> Shares:
    """Fixed numbers per arm as exact shares; one arm left out takes the rest."""
    absent = [name for name in design.names if name not in counts]
    given = sum(counts.values())
    for name in counts:
        design.code(name)
    if (
        len(absent) > 1
        or any(c < 0 for c in counts.values())
        or given > units
        or (not absent and given != units)
    ):
        raise DesignRefused(
            where=where,
            found=f"counts that sum to {given}, with {len(absent)} arms left out, for {units} units",
            expected="a count of zero or more for every arm, summing to the units; one arm may be left "
            "out and takes the rest",
            remedy="Correct the counts, or write shares instead.",
        )
    full = {**counts, **dict.fromkeys(absent, units - given)}
    return tuple(Fraction(full[name], units) for name in design.names)


def shares_of_arms(design: Design, shares: Mapping[str, Fraction], *, where: str) -> Shares:
    """Shares written for one block, in the order of the arms; an arm left out gets nobody."""
    for name in shares:
        design.code(name)
    total = sum(shares.values(), Fraction(0))
    if total != 1 or any(share < 0 for share in shares.values()):
        raise DesignRefused(
            where=where,
            found=f"shares that sum to {total}",
            expected="exact shares of zero or more that sum to 1 in every block",
            remedy="Write shares as fractions, such as 1/3.",
        )
    return tuple(shares.get(name, Fraction(0)) for name in design.names)


def check_named(columns: tuple[str, ...], field: str) -> None:
    """Refuse an empty or repeating list of roster columns."""
    if not columns or len(set(columns)) != len(columns):
        raise DesignRefused(
            where=field,
            found=f"{len(columns)} columns, {len(set(columns))} of them different",
            expected="one roster column or more, each once",
            remedy="Name the columns, or choose a scheme that does not use them.",
        )


def check_pairs(roster: pd.DataFrame) -> None:
    """Refuse a matrix of all pairs of rows that would not fit in memory."""
    if len(roster) > MOST_JOINT:
        raise DesignRefused(
            where="roster",
            found=f"{len(roster)} rows",
            expected=f"at most {MOST_JOINT} for a matrix of all pairs",
            remedy="Ask for one row per cluster, or for one block at a time.",
        )


def _spread(table: Floats, unit: Ints | None) -> Floats:
    return table if unit is None else np.asarray(table[np.ix_(unit, unit)])


def _to_arms(options: Codes, lookup: Codes | None) -> Codes:
    """(n, rows) arms: each row's own reading of the option drawn for it."""
    if lookup is None:
        return options
    arms = np.empty_like(options)
    for option, meaning in enumerate(lookup):
        np.copyto(arms, meaning, where=options == option)
    return arms


def _to_rows(codes: Codes, unit: Ints | None) -> Codes:
    return codes if unit is None else np.take(codes, unit, axis=1)
