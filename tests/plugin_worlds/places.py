"""Clusters of unequal size, drawn to two arms by cluster: what the clustered worlds share."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from evaluation.sample import Sample
from experiments.design import Design, Ints, NamedArm

ARMS = (NamedArm(name="usual", share=Fraction(1, 2)), NamedArm(name="mentoring", share=Fraction(1, 2)))


def clustered_design() -> Design:
    """The scheme `clustered` on the column `school`."""
    from experiments.designs.clustered import Clustered

    return Clustered(arms=ARMS, cluster="school")


def cluster_sample(
    rng: np.random.Generator, outcome: Any, *, unit: str, kind: Any, clusters: int = 30, mean_size: int = 15
) -> Sample:
    """`outcome(arm, effect_of_cluster)` gives people's outcomes; sizes vary about `mean_size`."""
    sizes = np.maximum(3, rng.poisson(mean_size, clusters) + rng.integers(-5, 6, clusters))
    cluster: Ints = np.repeat(np.arange(clusters), sizes)
    n = len(cluster)
    design = clustered_design()
    roster = pd.DataFrame(
        {"school": [f"s{c}" for c in cluster]}, index=pd.Index([f"p{i}" for i in range(n)], name="person")
    )
    arm = design.draw_many(roster, 1, rng)[0].astype(np.int64)
    made = outcome(arm, rng.normal(size=clusters)[cluster])
    arrays = made if isinstance(made, dict) else {"outcome": made}
    return Sample(
        arm=arm,
        arms=("usual", "mentoring"),
        unit=unit,
        kind=kind,
        person=np.arange(n, dtype=np.int64),
        cluster=cluster.astype(np.int64),
        better="lower",
        design=design,
        roster=roster,
        roster_row=np.arange(n, dtype=np.int64),
        **arrays,
    )
