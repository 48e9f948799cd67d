"""CR2 with Satterthwaite's df against CR1, with 500 absorbed clusters and 100,000 rows.

Each figure is the whole regression: absorbing, factorising, fitting, and the variance of six
coefficients. CR2 includes the degrees of freedom of all six. Rows come in no order. The second pair
has weights, the third absorbs 12 periods that run across all clusters. The last figure sets CR1 here
beside linearmodels' `AbsorbingLS`, so that the yardstick is not a slow one.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from evaluation.inference.cluster_robust import ClusterVariance, clustered
from evaluation.inference.least_squares import Floats, Ints, fit, project

ROWS, CLUSTERS, COLUMNS, PERIODS, REPEATS = 100_000, 500, 6, 12, 9


def data() -> tuple[Floats, Floats, Ints, Ints, Floats]:
    """Outcome, design, clusters, periods and weights."""
    rng = np.random.default_rng(3)
    cluster = rng.integers(0, CLUSTERS, ROWS)
    period = rng.integers(0, PERIODS, ROWS)
    design = rng.normal(size=(ROWS, COLUMNS)) + rng.normal(size=(CLUSTERS, COLUMNS))[cluster]
    outcome = design.sum(axis=1) + rng.normal(size=CLUSTERS)[cluster] + rng.normal(size=ROWS)
    return outcome, design, cluster, period, rng.uniform(0.5, 2.0, ROWS)


def regression(
    kind: ClusterVariance, outcome: Floats, design: Floats, cluster: Ints, absorb: Ints, weight: Floats | None
) -> None:
    """From arrays to variances, and for CR2 to degrees of freedom."""
    fitted = fit(outcome, project(design, weight=weight, absorb=absorb))
    contrasts = np.eye(COLUMNS) if kind == "CR2" else None
    clustered(fitted.projection, fitted.residuals, cluster, kind, contrasts)


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several calls, the first not counted."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def peak(work: Callable[[], object]) -> float:
    """Largest memory in use during a call, in megabytes, beyond what was there before it."""
    tracemalloc.start()
    work()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size / 1e6


def entry(name: str, ours: float, peer: str, theirs: float, target: float, note: str) -> dict[str, Any]:
    """One row of the list; `ratio` is ours over theirs."""
    return {
        "name": name,
        "ours_seconds": ours,
        "peer": peer,
        "peer_seconds": theirs,
        "ratio": ours / theirs,
        "target": target,
        "note": note,
    }


def run() -> list[dict[str, Any]]:
    """Time and memory of CR2 over CR1, and CR1 over linearmodels."""
    outcome, design, cluster, period, weight = data()
    rows: list[dict[str, Any]] = []
    for what, absorb, w, target in (
        ("500 absorbed clusters", cluster, None, 2.0),
        ("500 absorbed clusters, weighted", cluster, weight, 4.0),
        ("12 absorbed periods across 500 clusters", period, None, 3.0),
    ):
        work = {
            kind: (
                lambda kind=kind, absorb=absorb, w=w: regression(kind, outcome, design, cluster, absorb, w)
            )
            for kind in ("CR1", "CR2")
        }
        one, two = fastest(work["CR1"]), fastest(work["CR2"])
        low, high = peak(work["CR1"]), peak(work["CR2"])
        rows.append(
            entry(
                f"CR2 with df, {what}, 100,000 rows",
                two,
                "CR1 here",
                one,
                target,
                f"memory {high:.0f} MB over {low:.0f} MB, ratio {high / low:.2f}",
            )
        )
    from linearmodels.iv.absorbing import AbsorbingLS

    table = pd.DataFrame(design, columns=[f"x{j}" for j in range(COLUMNS)])
    labels = pd.DataFrame({"cluster": pd.Categorical(cluster)})

    def theirs() -> object:
        return AbsorbingLS(outcome, table, absorb=labels).fit(cov_type="clustered", clusters=cluster).cov

    def ours() -> None:
        regression("CR1", outcome, design, cluster, cluster, None)

    rows.append(
        entry(
            "CR1, 500 absorbed clusters, 100,000 rows",
            fastest(ours),
            "linearmodels AbsorbingLS",
            fastest(theirs),
            1.0,
            "the yardstick of the figures above",
        )
    )
    return rows
