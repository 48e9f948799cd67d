"""Sequences made of permuted blocks of randomly chosen sizes: the arithmetic.

Blocks follow one another; each has a size s drawn with equal chance from the declared sizes, holds
every arm in its exact share, and is shuffled; the last is cut where recruitment ends. Let u_t be the
chance that a block starts at position t (from 0): u_0 = 1 and u_t = mean over s of u_{t - s}. Then

    P(i and j in one block of size s)  = (1 / sizes) sum of u_t over t <= i < j < t + s
    P(i has k and j has l)             = sum_s P(one block of s) c_sk (c_sl - 1{k = l}) / (s (s - 1))
                                         + (1 - sum_s P(one block of s)) f_k f_l

Reference: Rosenberger & Lachin (2016), Randomization in Clinical Trials, 2nd edition, section 3.4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.draw_space import Codes

Floats = NDArray[np.float64]
Counts = dict[int, tuple[int, ...]]
"""For each block size, the places of every arm."""

CELLS = 4_000_000
MOST_STATES = 20_000


def sequences(length: int, counts: Counts, n: int, rng: np.random.Generator) -> Codes:
    """(n, length) arms, in the order of recruitment."""
    sizes = np.array(sorted(counts))
    widest = int(sizes.max())
    blocks = -(-length // int(sizes.min()))
    pattern = np.zeros((len(sizes), widest), dtype=np.int8)
    for row, size in enumerate(sizes):
        pattern[row, :size] = np.repeat(np.arange(len(counts[int(size)])), counts[int(size)])
    out = np.empty((n, length), dtype=np.int8)
    step = max(1, CELLS // (blocks * widest))
    for first in range(0, n, step):
        rows = min(step, n - first)
        which = rng.integers(0, len(sizes), size=(rows, blocks))
        size = sizes[which]
        key = rng.random((rows, blocks, widest))
        inside = np.arange(widest) < size[:, :, None]
        key[~inside] = 2.0
        shuffled = np.take_along_axis(pattern[which], np.argsort(key, axis=2), axis=2)
        start = np.cumsum(size, axis=1) - size
        used = inside & (start[:, :, None] + np.arange(widest) < length)
        out[first : first + rows] = shuffled[used].reshape(rows, length)
    return out


def same_block(length: int, counts: Counts) -> dict[int, Floats]:
    """For each size, (length, length) chance that two positions share a block of that size."""
    sizes = sorted(counts)
    starts = np.zeros(length)
    starts[0] = 1.0
    for t in range(1, length):
        starts[t] = sum(starts[t - s] for s in sizes if s <= t) / len(sizes)
    total = np.concatenate([[0.0], np.cumsum(starts)])
    first, second = (
        np.minimum.outer(np.arange(length), np.arange(length)),
        np.maximum.outer(np.arange(length), np.arange(length)),
    )
    found: dict[int, Floats] = {}
    for size in sizes:
        lowest = np.clip(second - size + 1, 0, None)
        window = total[first + 1] - total[np.minimum(lowest, first + 1)]
        found[size] = window / len(sizes)
    return found


def number_of_sequences(length: int, counts: Counts) -> int | None:
    """How many different sequences can occur; None where the count itself would be too long.

    Different block sizes can give the same sequence, so positions are read one at a time, keeping
    every way in which the blocks so far could have been cut.
    """
    fresh = frozenset((size, places) for size, places in counts.items())
    arms = len(next(iter(counts.values())))
    state: dict[frozenset[tuple[int, tuple[int, ...]]], int] = {fresh: 1}
    for _ in range(length):
        after: dict[frozenset[tuple[int, tuple[int, ...]]], int] = {}
        for readings, ways in state.items():
            for arm in range(arms):
                reached: set[tuple[int, tuple[int, ...]]] = set()
                for size, left in readings:
                    if left[arm]:
                        rest = tuple(c - (k == arm) for k, c in enumerate(left))
                        reached |= {(size, rest)} if any(rest) else fresh
                if reached:
                    key = frozenset(reached)
                    after[key] = after.get(key, 0) + ways
        state = after
        if len(state) > MOST_STATES:
            return None
    return sum(state.values())
