"""Every assignment that keeps the numbers of each arm in each stratum, where there are few of them.

In designs that fill fixed places inside strata (complete, blocked, paired, clustered ...), all
arrangements of the observed arms inside strata are equally likely given how many units of the
stratum were in each arm. Listing them all makes the test exact. Arrangement number i is read in
mixed radix: digit s picks the s-th stratum's subset, in lexicographic order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import comb, prod

import numpy as np

from evaluation.inference.drawn_units import DrawnUnits
from evaluation.sample import Bools


def arrangements(units: DrawnUnits) -> int:
    """How many assignments keep every stratum's numbers, as an exact integer."""
    return prod(comb(n, m) for n, m in _numbers(units))


def enumerate_assignments(units: DrawnUnits, chunk: int) -> Iterator[Bools]:
    """All of them, (up to `chunk`, J) at a time."""
    tables = [_subsets(n, m) for n, m in _numbers(units)]
    total = prod(len(table) for table in tables)
    for start in range(0, total, chunk):
        rest = np.arange(start, min(start + chunk, total))
        parts = []
        for table in reversed(tables):
            rest, digit = np.divmod(rest, len(table))
            parts.append(table[digit])
        yield np.concatenate(parts[::-1], axis=1)


def _numbers(units: DrawnUnits) -> list[tuple[int, int]]:
    size = np.diff(units.edges)
    treated = np.add.reduceat(units.treated.astype(np.int64), units.edges[:-1])
    return [(int(n), int(m)) for n, m in zip(size, treated, strict=True)]


def _subsets(n: int, m: int) -> Bools:
    """(C(n, m), n) each row True in one subset of m of n places."""
    chosen = np.array(list(combinations(range(n), m)), dtype=np.int64).reshape(-1, m)
    table = np.zeros((len(chosen), n), dtype=np.bool_)
    table[np.arange(len(chosen))[:, None], chosen] = True
    return table
