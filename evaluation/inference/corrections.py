"""Adjusted p-values for several questions asked at once.

For m ordered p-values p_(1) <= ... <= p_(m), the adjusted p-value of a question is the smallest
level at which the procedure rejects it:

    Bonferroni            min(1, m p)
    Holm                  max_{j <= i} min(1, (m - j + 1) p_(j))
    Hochberg              min_{j >= i} min(1, (m - j + 1) p_(j))
    Benjamini-Hochberg    min_{j >= i} min(1, m p_(j) / j)
    Benjamini-Yekutieli   min_{j >= i} min(1, m c p_(j) / j),  c = sum_{j <= m} 1 / j
    Hommel                the closed test whose members are Simes tests (Wright 1992, figure 2)

Bonferroni and Holm control the family-wise error whatever the dependence; Hochberg and Hommel under
independence or positive dependence; Benjamini-Hochberg controls the false discovery rate under the
same, and Benjamini-Yekutieli whatever the dependence.

References: Holm (1979), Scandinavian Journal of Statistics 6; Hochberg (1988), Biometrika 75;
Hommel (1988), Biometrika 75; Wright (1992), Biometrics 48, 1005-1013; Benjamini & Hochberg (1995),
JRSS B 57; Benjamini & Yekutieli (2001), Annals of Statistics 29. Checked against R's p.adjust.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from data_contracts.refusal import Refusal
from evaluation.sample import Floats

Correction = Literal[
    "none", "bonferroni", "holm", "hochberg", "hommel", "benjamini_hochberg", "benjamini_yekutieli"
]


class FamilyRefused(Refusal):
    """A family of questions that cannot be judged together."""


def corrected(p: Floats, method: Correction) -> Floats:
    """(m,) adjusted p-values in the order of `p`; every p must be known and lie in [0, 1]."""
    p = np.asarray(p, dtype=np.float64)
    wrong = int(np.count_nonzero(~((p >= 0) & (p <= 1))))
    if wrong:
        raise FamilyRefused(
            where="p_values",
            found=f"{wrong} of {len(p)} missing or outside 0 to 1",
            expected="a p-value for every question of the family",
            remedy="Take the question out of the family, or name an analysis that gives it a p-value.",
        )
    m = len(p)
    if method == "none" or m < 2:
        return p.copy()
    if method == "bonferroni":
        return np.asarray(np.minimum(1.0, m * p), dtype=np.float64)
    order = np.argsort(p, kind="stable")
    ranked = p[order]
    rank = np.arange(1, m + 1)
    if method == "holm":
        adjusted = np.maximum.accumulate((m - rank + 1) * ranked)
    elif method == "hochberg":
        adjusted = _running_minimum((m - rank + 1) * ranked)
    elif method == "benjamini_hochberg":
        adjusted = _running_minimum(m * ranked / rank)
    elif method == "benjamini_yekutieli":
        adjusted = _running_minimum(float((1.0 / rank).sum()) * m * ranked / rank)
    else:
        adjusted = _hommel(ranked)
    out = np.empty(m)
    out[order] = np.minimum(1.0, adjusted)
    return out


def _running_minimum(values: Floats) -> Floats:
    return np.asarray(np.minimum.accumulate(values[::-1])[::-1], dtype=np.float64)


def _hommel(ranked: Floats) -> Floats:
    """Over subsets of size s the smallest Simes p-value that a member's adjusted p must reach."""
    m = len(ranked)
    rank = np.arange(1, m + 1)
    adjusted = np.full(m, float((m * ranked / rank).min()))
    for size in range(m - 1, 1, -1):
        head = m - size + 1
        simes = float((size * ranked[head:] / np.arange(2, size + 1)).min())
        candidate = np.minimum(size * ranked, simes)
        candidate[head:] = candidate[head - 1]
        adjusted = np.maximum(adjusted, candidate)
    return np.asarray(np.maximum(adjusted, ranked), dtype=np.float64)
