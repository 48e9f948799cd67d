"""Rows in order of cluster, and what must be true of clusters drawn whole to two arms.

With one cluster in an arm nothing shows how much clusters differ, and with a cluster in both arms
it was not the cluster that was drawn: both are refused. Where the sample has no clusters, each
person is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.estimate import EstimatorRefused
from evaluation.inference.treatment_columns import both_arms
from evaluation.sample import Sample

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """`order` (n,) sorts rows by cluster; `starts` (G,) is where each begins in that order; `arm` (G,)."""

    order: Ints
    starts: Ints
    sizes: Ints
    arm: Ints
    clustered: bool

    @property
    def clusters(self) -> int:
        """G."""
        return len(self.starts)


def by_cluster(sample: Sample, *, arms_cross: bool = False) -> Layout:
    """The layout of `sample`; `arms_cross` allows a cluster in both arms (crossover, stepped wedge)."""
    both_arms(sample)
    clustered = sample.cluster is not None
    group = sample.cluster if sample.cluster is not None else sample.person
    # Within clusters by person and period, so that sums run in one order however the rows came.
    tie = np.zeros(len(group)) if sample.period is None else sample.period
    order = np.lexsort((sample.outcome, tie, sample.person, group))
    ordered = group[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(np.append(starts, len(ordered)))
    arm = sample.arm[order]
    first = arm[starts]
    mixed = np.add.reduceat((arm != np.repeat(first, sizes)).astype(np.int64), starts) > 0
    if clustered and not arms_cross and mixed.any():
        raise EstimatorRefused(
            where="cluster",
            found=f"{int(mixed.sum())} clusters with people in both arms",
            expected="every cluster whole in one arm",
            remedy="Where people were drawn within clusters, declare the design `multi_site`; otherwise "
            "give people the arm that their cluster was drawn to.",
        )
    if clustered and not arms_cross:
        for code, name in enumerate(sample.arms):
            if int((first == code).sum()) < 2:
                raise EstimatorRefused(
                    where=f"arms.{name}",
                    found="one cluster",
                    expected="at least two clusters in each arm",
                    remedy="With one cluster the arm cannot be told from the place: no analysis of these "
                    "rows alone can, so describe the two places and claim no effect.",
                )
    return Layout(order=order, starts=starts, sizes=sizes, arm=first, clustered=clustered)
