"""Many logistic regressions on the same rows with different weights, as a few matrix products.

A bootstrap replicate is a weight for every row: how often its unit was drawn. Newton's method runs on
all replicates at once: with P (R, n) the fitted risks and XX (n, k^2) the rows' outer products, the R Hessians are
(W P (1 - P)) @ XX. Units (people, or whole clusters) are drawn within strata: arms, and blocks in them.

Reference: Davison & Hinkley (1997), Bootstrap Methods and their Application, sections 3.2 and 5.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MOST_NUMBERS = 8_000_000


def draw_counts(unit: Ints, stratum: Ints, resamples: int, rng: np.random.Generator) -> Floats:
    """(resamples, n) how often each row is drawn; `unit` (n,) 0..U-1, all rows of a unit in one stratum."""
    _, first = np.unique(unit, return_index=True)
    of_unit = stratum[first]
    counts = np.empty((resamples, len(first)))
    for label in np.unique(of_unit):
        members = np.flatnonzero(of_unit == label)
        counts[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), resamples)
    return np.asarray(counts[:, unit])


def standardised_risks(y: Floats, x: Floats, weight: Floats, *, arm_column: int = 1) -> tuple[Floats, Floats]:
    """Risks with everybody in the second arm and in the first, each (R,), for weights (R, n).

    A replicate that separates has risks that tend to 0 or 1 as Newton goes on; those limits are what is used.
    """
    n, k = x.shape
    treated, untreated = x.copy(), x.copy()
    treated[:, arm_column], untreated[:, arm_column] = 1.0, 0.0
    outer = (x[:, :, None] * x[:, None, :]).reshape(n, k * k)
    one, zero = np.empty(len(weight)), np.empty(len(weight))
    step = max(1, MOST_NUMBERS // n)
    for start in range(0, len(weight), step):
        w = weight[start : start + step]
        b = np.zeros((len(w), k))
        for _ in range(40):
            p = expit(b @ x.T)
            score = (w * (y - p)) @ x
            hessian = (w * np.maximum(p * (1 - p), 1e-8)) @ outer
            move = np.linalg.solve(hessian.reshape(-1, k, k) + 1e-10 * np.eye(k), score[..., None])[..., 0]
            reach = np.abs(move @ x.T).max(axis=1)
            b += move * np.minimum(1.0, 3.0 / np.maximum(reach, 1e-300))[:, None]
            if (reach < 1e-8).all():
                break
        total = w.sum(axis=1)
        one[start : start + step] = (w * expit(b @ treated.T)).sum(axis=1) / total
        zero[start : start + step] = (w * expit(b @ untreated.T)).sum(axis=1) / total
    return one, zero
