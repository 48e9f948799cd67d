"""Bins of a re-draw distribution, for a figure: the statistics themselves are too many to publish."""

from __future__ import annotations

from math import isfinite

import numpy as np

from evaluation.inference.randomisation_test import RandomisationResult

_BINS = 40


def histogram(result: RandomisationResult) -> dict[str, list[float] | list[int]]:
    """`edges` (41) and `counts` (40), about zero and wide enough for the observed statistic.

    Infinite statistics (a re-draw whose arms do not vary) are left out.
    """
    finite = result.redrawn[np.isfinite(result.redrawn)]
    widest = float(np.abs(finite).max(initial=0.0))
    reach = max(widest, abs(result.observed)) if isfinite(result.observed) else widest
    counts, edges = np.histogram(finite, bins=_BINS, range=(-(reach or 1.0), reach or 1.0))
    return {"edges": [float(e) for e in edges], "counts": [int(c) for c in counts]}
