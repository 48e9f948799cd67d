"""How far apart arms are on covariates, for many assignments at once.

With n_k people in arm k, means xbar_k, overall mean xbar and covariance S of the people,

    mahalanobis    M = sum_k n_k (xbar_k - xbar)' S^-1 (xbar_k - xbar)
    per covariate  D = max over covariates and pairs of arms of |xbar_ak - xbar_bk| / sd_a

M for two arms is Morgan & Rubin's n_1 n_0 / n times the squared distance of the means. Units may be
clusters: sums and numbers of people are what enters. An assignment that leaves an arm empty is
infinitely unbalanced.

Reference: Morgan & Rubin (2012), Annals of Statistics 40, 1263-1282, equation 2.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiments.draw_space import Codes

Floats = NDArray[np.float64]
Criterion = Literal["mahalanobis", "per covariate"]


def standardised(values: Floats, criterion: Criterion) -> Floats:
    """(rows, k) centred, then whitened for `mahalanobis` or divided by standard deviations."""
    centred = values - values.mean(axis=0)
    if criterion == "per covariate":
        return np.asarray(centred / centred.std(axis=0, ddof=1))
    size, axes = np.linalg.eigh(np.atleast_2d(np.cov(centred, rowvar=False)))
    kept = size > size.max() * 1e-10
    return np.asarray(centred @ axes[:, kept] / np.sqrt(size[kept]))


def imbalance(codes: Codes, sums: Floats, people: Floats, arms: int, criterion: Criterion) -> Floats:
    """(n,) imbalance of assignments (n, units); `sums` (units, k) of standardised values."""
    means = np.empty((arms, len(codes), sums.shape[1]))
    number = np.empty((arms, len(codes)))
    for arm in range(arms):
        inside = (codes == arm).astype(np.float64)
        number[arm] = inside @ people
        with np.errstate(divide="ignore", invalid="ignore"):
            means[arm] = (inside @ sums) / number[arm][:, None]
    if criterion == "mahalanobis":
        found = (number * (means**2).sum(axis=2)).sum(axis=0)
    else:
        found = (means.max(axis=0) - means.min(axis=0)).max(axis=1)
    return np.where((number > 0).all(axis=0), found, np.inf)
