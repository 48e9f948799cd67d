"""One coefficient's variance and degrees of freedom, under any of the conventions by name.

HC0 to HC3: df = n - p. HC2_BM: HC2 with Bell & McCaffrey's df, each row a cluster of its own.
CR0, CR1, CR1S: df = clusters - 1. CR2, CR3: Satterthwaite's df.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.inference.cluster_robust import clustered
from evaluation.inference.heteroskedastic import row_covariance
from evaluation.inference.least_squares import Fit, Ints
from evaluation.inference.trial_structure import check_clusters
from evaluation.sample import Sample

Variance = Literal["HC0", "HC1", "HC2", "HC2_BM", "HC3", "CR0", "CR1", "CR1S", "CR2", "CR3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Robust:
    """The variance of one coefficient and the degrees of freedom of its t."""

    variance: float
    df: float


def robust(regression: Fit, kind: Variance, cluster: Ints | None, at: int) -> Robust:
    """The variance of the coefficient at position `at` among those kept."""
    p = regression.projection
    one = np.zeros((1, len(regression.coefficients)))
    one[0, at] = 1.0
    if kind == "HC2_BM":
        rows = np.arange(len(p.rows))
        found = clustered(p, regression.residuals, rows, "CR2", contrasts=one)
        return Robust(variance=float(found.covariance[at, at]), df=float(found.df[0]))
    if kind == "HC0" or kind == "HC1" or kind == "HC2" or kind == "HC3":
        covariance = row_covariance(p, regression.residuals, kind)
        return Robust(variance=float(covariance[at, at]), df=float(p.residual_df))
    assert cluster is not None
    small = kind in ("CR2", "CR3")
    found = clustered(p, regression.residuals, cluster, kind, contrasts=one if small else None)
    return Robust(
        variance=float(found.covariance[at, at]),
        df=float(found.df[0]) if small else float(found.clusters - 1),
    )


def clusters_of(sample: Sample, kind: Variance) -> Ints | None:
    """The clusters that a variance is to allow for, refusing the wrong kind for the design."""
    if kind.startswith("CR"):
        return check_clusters(sample)
    if sample.cluster is not None:
        raise EstimatorRefused(
            where="variance",
            found=f"'{kind}' for clusters drawn whole",
            expected="a variance that lets people of one cluster depend on each other",
            remedy="Write `variance: CR2`.",
        )
    return None
