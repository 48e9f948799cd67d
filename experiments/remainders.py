"""How many places each arm gets when the shares do not divide the units, and with what probability.

With N units and exact shares f_k, arm k takes floor(N f_k) places. The R places left over go to
arms at random, at most one more each, by systematic sampling of the remainders r_k = N f_k -
floor(N f_k) in random order of arms, so that arm k gets N f_k places on average and every unit's
chance of arm k is exactly f_k. All of it is integer arithmetic: no chance is rounded.

Reference: Madow (1949), Ann. Math. Stat. 20, 333-354 (systematic sampling, unequal probabilities).
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import combinations, pairwise, permutations
from math import lcm

import numpy as np
from numpy.typing import NDArray

from experiments.roster import DesignRefused

Ints = NDArray[np.int64]
Shares = tuple[Fraction, ...]
Law = tuple[tuple[tuple[int, ...], Fraction], ...]
"""The possible numbers of places per arm, each with its probability."""

MOST_ORDERS = 8
"""Unequal remainders of more arms than this have too many orders to list exactly."""


def whole_and_left(units: int, shares: Shares) -> tuple[list[int], list[Fraction]]:
    """The whole places of each arm, and the remainders that the left-over places are drawn by."""
    exact = [units * share for share in shares]
    whole = [int(part) for part in exact]
    return whole, [part - floor for part, floor in zip(exact, whole, strict=True)]


def places(units: int, shares: Shares, n: int, rng: np.random.Generator) -> Ints:
    """(n, arms) places in each arm, for n independent draws of the left-over places."""
    whole, left = whole_and_left(units, shares)
    counts = np.tile(np.array(whole, dtype=np.int64), (n, 1))
    if not any(left):
        return counts
    ticks = _denominator(left)
    parts = np.array([int(part * ticks) for part in left], dtype=np.int64)
    order = np.argsort(rng.random((n, len(shares))), axis=1)
    upper = np.cumsum(parts[order], axis=1)
    start = rng.integers(1, ticks + 1, size=(n, 1))
    passed = (upper - start + ticks) // ticks
    extra = np.empty_like(passed)
    np.put_along_axis(extra, order, np.diff(passed, axis=1, prepend=0), axis=1)
    return counts + extra


@lru_cache(maxsize=4096)
def law(units: int, shares: Shares) -> Law:
    """Every possible vector of places with its exact probability; the probabilities sum to one."""
    whole, left = whole_and_left(units, shares)
    over = int(sum(left))
    holders = [k for k, part in enumerate(left) if part]
    if over == 0:
        return ((tuple(whole), Fraction(1)),)
    chosen: dict[tuple[int, ...], Fraction] = {}
    if over == 1:
        chosen = {(k,): left[k] for k in holders}
    elif over == len(holders) - 1:
        chosen = {tuple(j for j in holders if j != k): 1 - left[k] for k in holders}
    elif len({left[k] for k in holders}) == 1:
        sets = list(combinations(holders, over))
        chosen = dict.fromkeys(sets, Fraction(1, len(sets)))
    else:
        chosen = _systematic(tuple(left[k] for k in holders), tuple(holders))
    return tuple(
        (tuple(w + (k in extra) for k, w in enumerate(whole)), probability)
        for extra, probability in sorted(chosen.items())
    )


def mean_products(units: int, shares: Shares) -> NDArray[np.float64]:
    """(arms, arms) expected value of c_k c_l over the law of the places c."""
    total = np.zeros((len(shares), len(shares)))
    for counts, probability in law(units, shares):
        c = np.array(counts, dtype=np.float64)
        total += float(probability) * np.outer(c, c)
    return total


def _systematic(left: Shares, holders: tuple[int, ...]) -> dict[tuple[int, ...], Fraction]:
    """Inclusion sets of systematic sampling over all orders of the arms, with their probabilities."""
    if len(holders) > MOST_ORDERS:
        raise DesignRefused(
            where="arms",
            found=f"{len(holders)} arms with unequal remainders",
            expected=f"at most {MOST_ORDERS}, to list the ways of placing the left-over units",
            remedy="Simulate with `draw_many`, or choose shares that divide the units.",
        )
    ticks = _denominator(list(left))
    orders = list(permutations(range(len(holders))))
    chosen: dict[tuple[int, ...], Fraction] = {}
    for order in orders:
        upper = np.cumsum([int(left[k] * ticks) for k in order])
        edges = sorted({0, ticks, *(int(u % ticks) for u in upper)})
        for low, high in pairwise(edges):
            passed = np.diff((upper - high + ticks) // ticks, prepend=0)
            kept = tuple(sorted(holders[k] for k, hit in zip(order, passed, strict=True) if hit))
            chosen[kept] = chosen.get(kept, Fraction(0)) + Fraction(high - low, ticks * len(orders))
    return chosen


def _denominator(parts: list[Fraction]) -> int:
    ticks = lcm(*(part.denominator for part in parts))
    if ticks * (len(parts) + 1) >= 2**62:
        raise DesignRefused(
            where="arms",
            found="shares whose common denominator does not fit in 62 bits",
            expected="shares such as 1/3 or 0.125",
            remedy="Write the shares with fewer digits.",
        )
    return ticks
