"""Fixed places within strata, every arrangement equally likely: the draw that most designs share.

Units (people, clusters, or cells of a place and a period) lie in strata. Within a stratum of N units
the places c_1..c_K of the K options are set (`experiments/remainders.py`), and the stratum's
arrangements of those places are equally likely; strata are independent. Hence, with shares f,

    P(unit i has option k)              = f_k
    P(i has k and j has l)              = E[c_k (c_l - 1{k = l})] / (N (N - 1))   same stratum
                                        = f_ik f_jl                               different strata
    number of draws                     = product over strata of sum over c of N! / (c_1! ... c_K!)

Reference: Imbens & Rubin (2015), Causal Inference for Statistics, Social, and Biomedical Sciences,
sections 4.4 and 9.3; Aronow & Middleton (2013), J. Causal Inference 1, 135-154 (joint chances).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from experiments.draw_space import Codes, EveryDraw
from experiments.remainders import Shares, law, mean_products, places, whole_and_left
from experiments.roster import DesignRefused
from experiments.subsets import draw_subsets

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """`stratum` is (units,) from 0; `shares` gives each stratum's exact share of every option."""

    stratum: Ints
    shares: tuple[Shares, ...]

    @property
    def options(self) -> int:
        """How many options there are."""
        return len(self.shares[0])

    @property
    def sizes(self) -> Ints:
        """(strata,) units in each stratum."""
        return np.bincount(self.stratum, minlength=len(self.shares)).astype(np.int64)


def draw(plan: Plan, n: int, rng: np.random.Generator) -> Codes:
    """(n, units) options: strata of the same size and shares are filled and shuffled together."""
    out = np.empty((n, len(plan.stratum)), dtype=np.int8)
    for members, shares in _alike(plan):
        strata, size = members.shape
        drawn = _arrangements(size, shares, n * strata, rng).reshape(n, strata * size)
        columns = members.ravel()
        if (np.diff(columns) == 1).all():
            out[:, columns[0] : columns[-1] + 1] = drawn
        else:
            out[:, columns] = drawn
    return out


def chance(plan: Plan) -> Floats:
    """(units, options) probability of each option."""
    table = np.array([[float(share) for share in shares] for shares in plan.shares])
    return np.asarray(table[plan.stratum])


def joint(plan: Plan, option: int, other: int) -> Floats:
    """(units, units) probability of `option` in i and `other` in j; the diagonal is one unit's own."""
    own = chance(plan)
    table = np.outer(own[:, option], own[:, other])
    for members, shares in _alike(plan):
        size = members.shape[1]
        product = mean_products(size, shares)[option, other]
        mean = size * float(shares[option])
        inside = (product - (mean if option == other else 0.0)) / (size * (size - 1)) if size > 1 else 0.0
        for stratum in members:
            table[np.ix_(stratum, stratum)] = inside
    np.fill_diagonal(table, own[:, option] if option == other else 0.0)
    return table


def number(plan: Plan) -> int:
    """How many different arrangements have a chance above zero, exactly."""
    return prod(_ways(members.shape[1], shares) ** len(members) for members, shares in _alike(plan))


def every(plan: Plan, limit: int) -> EveryDraw:
    """All arrangements with their probabilities, where there are at most `limit`."""
    total = number(plan)
    if total > limit:
        raise DesignRefused(
            where="limit",
            found=f"{total} possible draws",
            expected=f"at most {limit}",
            remedy="Use `draw_many`, or raise the limit.",
        )
    codes = np.zeros((1, len(plan.stratum)), dtype=np.int8)
    probability = np.ones(1)
    for members, shares in _alike(plan):
        block, chances = _every_arrangement(members.shape[1], shares)
        for stratum in members:
            codes = np.repeat(codes, len(block), axis=0)
            codes[:, stratum] = np.tile(block, (len(probability), 1))
            probability = np.repeat(probability, len(block)) * np.tile(chances, len(probability))
    return EveryDraw(codes=codes, probability=probability)


def inexact_strata(plan: Plan) -> int:
    """How many strata cannot meet their shares exactly and draw their left-over places."""
    return sum(
        len(members) for members, shares in _alike(plan) if any(whole_and_left(members.shape[1], shares)[1])
    )


def _alike(plan: Plan) -> Iterator[tuple[Ints, Shares]]:
    """Strata with the same size and shares: (strata, size) unit positions, and the shares."""
    order = np.argsort(plan.stratum, kind="stable").astype(np.int64)
    sizes = plan.sizes
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    groups: dict[tuple[int, Shares], list[int]] = {}
    for stratum, shares in enumerate(plan.shares):
        if sizes[stratum]:
            groups.setdefault((int(sizes[stratum]), shares), []).append(stratum)
    for (size, shares), strata in groups.items():
        yield order[start[strata][:, None] + np.arange(size)], shares


def _arrangements(size: int, shares: Shares, n: int, rng: np.random.Generator) -> Codes:
    """(n, size) shuffled options; two options are a random subset, which needs no shuffle."""
    whole, left = whole_and_left(size, shares)
    if len(shares) == 2:
        if not any(left):
            return draw_subsets(n, size, whole[1], rng)
        more = places(size, shares, n, rng)[:, 1] > whole[1]
        out = np.empty((n, size), dtype=np.int8)
        out[more] = draw_subsets(int(more.sum()), size, whole[1] + 1, rng)
        out[~more] = draw_subsets(int((~more).sum()), size, whole[1], rng)
        return out
    if not any(left):
        row = np.repeat(np.arange(len(shares), dtype=np.int8), whole)
        return np.asarray(rng.permuted(np.broadcast_to(row, (n, size)), axis=1))
    ordered = np.zeros((n, size), dtype=np.int8)
    position = np.arange(size)
    for edge in np.cumsum(places(size, shares, n, rng), axis=1)[:, :-1].T:
        ordered += position >= edge[:, None]
    return np.asarray(rng.permuted(ordered, axis=1, out=ordered))


def _ways(size: int, shares: Shares) -> int:
    return sum(_multinomial(counts) for counts, probability in law(size, shares) if probability)


def _multinomial(counts: tuple[int, ...]) -> int:
    total, ways = 0, 1
    for count in counts:
        total += count
        ways *= comb(total, count)
    return ways


def _every_arrangement(size: int, shares: Shares) -> tuple[Codes, Floats]:
    blocks: list[Codes] = []
    chances: list[Floats] = []
    for counts, probability in law(size, shares):
        block = np.array(list(_words(tuple(range(size)), counts, size)), dtype=np.int8).reshape(-1, size)
        blocks.append(block)
        chances.append(np.full(len(block), float(probability / Fraction(len(block)))))
    return np.concatenate(blocks), np.concatenate(chances)


def _words(free: tuple[int, ...], counts: tuple[int, ...], size: int) -> Iterator[NDArray[np.int8]]:
    """Arrangements of the options 0, 1, ... with these counts, on the free positions."""
    last = len(counts) - 1
    if last == 0:
        yield np.zeros(size, dtype=np.int8)
        return
    for held in combinations(free, counts[last]):
        rest = tuple(p for p in free if p not in held)
        for word in _words(rest, counts[:last], size):
            word[list(held)] = last
            yield word
