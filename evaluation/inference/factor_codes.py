"""Codes 0..L-1 of a factor's labels in order, in linear time where labels are small integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

# A table of labels up to this many times the rows is cheaper than sorting the rows.
SPARSE = 8


def factor_codes(labels: Ints) -> tuple[Ints, int]:
    """(n,) codes and how many different labels there are."""
    if len(labels) and np.issubdtype(labels.dtype, np.integer):
        low, high = int(labels.min()), int(labels.max())
        if high - low < SPARSE * len(labels):
            held = np.zeros(high - low + 1, dtype=bool)
            held[labels - low] = True
            number = np.cumsum(held) - 1
            return number[labels - low], int(number[-1]) + 1
    found, codes = np.unique(labels, return_inverse=True)
    return codes.astype(np.int64), len(found)


def cluster_order(codes: Ints, count: int) -> Ints | None:
    """A stable order that brings codes together; None where they are together already."""
    if not np.any(codes[1:] < codes[:-1]):
        return None
    # Sixteen-bit keys are sorted by radix, in linear time.
    return np.argsort(codes.astype(np.uint16) if count <= 2**16 else codes, kind="stable")
