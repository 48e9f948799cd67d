"""Many uniform random subsets of a fixed size at once: the inner loop of drawing and re-drawing.

Each row starts as independent random bits, so that given how many are set every set of that many is
equally likely; then units chosen at random are set, or cleared, until the row holds the wanted
number. Both steps treat units alike, so all subsets of that size are equally likely. A row needs
about sqrt(n) corrections, where shuffling it would need n random numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int8]


def draw_subsets(n: int, units: int, size: int, rng: np.random.Generator) -> Codes:
    """(n, units) of 0 and 1; each row is an independent, uniformly random subset of `size` units."""
    if not 0 <= size <= units:
        raise ValueError(f"size={size} is not between 0 and the {units} units")
    if size in (0, units):
        return np.full((n, units), size // max(units, 1), dtype=np.int8)
    out = _bits(n * units, size / units, rng).reshape(n, units)
    missing = size - out.sum(axis=1, dtype=np.int64)
    flat = out.reshape(-1)
    for value, lacking in ((1, missing), (0, -missing)):
        row = np.flatnonzero(lacking > 0)
        start, left = row * units, lacking[row]
        while len(start):
            place = start + rng.integers(0, units, len(start))
            left = left - (flat[place] != value)
            flat[place] = value
            unfinished = left > 0
            start, left = start[unfinished], left[unfinished]
    return out


def _bits(n: int, share: float, rng: np.random.Generator) -> Codes:
    """(n,) independent bits, each set with a probability near `share`: the corrections do the rest."""
    if share == 0.5:
        packed = np.frombuffer(rng.bytes((n + 7) // 8), dtype=np.uint8)
        return np.unpackbits(packed, count=n).view(np.int8)
    threshold = min(max(round(share * 256), 1), 255)
    return (np.frombuffer(rng.bytes(n), dtype=np.uint8) < threshold).view(np.int8)
