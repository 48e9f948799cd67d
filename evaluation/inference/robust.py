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
from evaluation.inference.heteroskedastic import row_scores
from evaluation.inference.least_squares import Fit, Floats, Ints, Projection
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
    scores, df = robust_scores(p, regression.residuals, kind, cluster, one)
    image = scores @ (p.root.T @ one[0])
    return Robust(variance=float(image @ image), df=float(df[0]))


def robust_scores(
    projection: Projection, residuals: Floats, kind: Variance, cluster: Ints | None, contrasts: Floats
) -> tuple[Floats, Floats]:
    """Scores S with covariance root S'S root', linear in the residuals; and df of each contrast (c, k)."""
    p = projection
    asked = len(contrasts)
    if kind == "HC2_BM":
        rows = np.arange(len(p.rows))
        found = clustered(p, residuals, rows, "CR2", contrasts=contrasts)
        return found.scores, found.df
    if kind == "HC0" or kind == "HC1" or kind == "HC2" or kind == "HC3":
        return row_scores(p, residuals, kind), np.full(asked, float(p.residual_df))
    if cluster is None:
        raise EstimatorRefused(
            where="variance",
            found=f"'{kind}' without clusters",
            expected="clusters",
            remedy="Name the cluster column in the design, or write `variance: HC2`.",
        )
    small = kind in ("CR2", "CR3")
    found = clustered(p, residuals, cluster, kind, contrasts=contrasts if small else None)
    return found.scores, found.df if small else np.full(asked, float(found.clusters - 1))


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
