"""How often 95% intervals hold the truth in cluster trials of 10, 20 and 40 unequal clusters.

    python -m benchmarks.coverage_counts [--runs 2000] [--seed 1]

Cluster sizes are gamma with a coefficient of variation of about 0.65 and stay fixed over runs; arms, cluster effects and
people are drawn again in each. All runs of a setting are one batch. For counts: exposure from 0.3 to 1 year, gamma variation
between people, log-normal rates between clusters (sd 0.2 or 0.5), rate ratio 0.75. For yes-or-no outcomes: risks of 0.45 and 0.30 with cluster
effects on the risk (sd 0.07). For means: ICC of 0.1, effect 0.3. The Monte Carlo error of a coverage of 0.95 over 2,000 runs is 0.005.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from evaluation.inference.estimating import Equations, Family, segment_sum, solve
from evaluation.inference.small_sample_gee import Correction, robust

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ARM = np.array([0.0, 1.0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trials:
    """Runs of one setting: outcome, arm and exposure (runs, people); `truth` on the scale of the coefficient."""

    kind: str
    outcome: Floats
    arm: Floats
    exposure: Floats
    starts: Ints
    arm_of_cluster: Floats
    truth: float


def sizes_of(clusters: int) -> Ints:
    """Unequal sizes, about 25 people in a cluster; the same whenever they are asked."""
    drawn = np.random.default_rng(clusters).gamma(2.4, 25 / 2.4, clusters)
    return np.maximum(4, drawn.astype(np.int64))


def simulate(kind: str, clusters: int, spread: float, runs: int, rng: np.random.Generator) -> Trials:
    """Trials of one kind ("count", "binary" or "mean"), half of the clusters in each arm."""
    sizes = sizes_of(clusters)
    cluster = np.repeat(np.arange(clusters), sizes)
    half = (np.arange(clusters) < clusters // 2).astype(float)
    by_cluster = rng.permuted(np.tile(half, (runs, 1)), axis=1)
    arm = by_cluster[:, cluster]
    place = rng.normal(0, spread, (runs, clusters))[:, cluster]
    people = (runs, len(cluster))
    exposure = np.ones(people)
    if kind == "count":
        exposure = rng.uniform(0.3, 1.0, people)
        rate = np.exp(0.2 + np.log(0.75) * arm + place) * rng.gamma(1.5, 1 / 1.5, people)
        outcome, truth = rng.poisson(rate * exposure).astype(float), float(np.log(0.75))
    elif kind == "binary":
        risk = np.clip(0.45 - 0.15 * arm + place, 0.0, 1.0)
        outcome, truth = (rng.random(people) < risk).astype(float), -0.15
    else:
        outcome, truth = 0.3 * arm + place + rng.normal(0, 1, people), 0.3
    return Trials(
        kind=kind,
        outcome=outcome,
        arm=arm,
        exposure=exposure,
        starts=np.flatnonzero(np.diff(cluster, prepend=-1)),
        arm_of_cluster=by_cluster,
        truth=truth,
    )


def covered(
    fitted: Equations, trials: Trials, correction: Correction, df: str, *, logistic: bool = False
) -> tuple[float, float]:
    """(share of intervals that hold the truth, mean width) of one choice of variance and degrees of freedom."""
    if logistic:
        value, contrast = _risk_difference(fitted)
    else:
        value, contrast = fitted.coefficient[:, 1], np.broadcast_to(ARM, fitted.coefficient.shape)
    variance, satterthwaite = robust(fitted, contrast, correction)
    clusters = trials.arm_of_cluster.shape[1]
    quantile = {
        "satterthwaite": lambda: t.ppf(0.975, np.maximum(satterthwaite, 1.0)),
        "between_within": lambda: t.ppf(0.975, clusters - 2),
        "normal": lambda: norm.ppf(0.975),
    }[df]()
    reach = quantile * np.sqrt(variance)
    solved = fitted.solved
    return float(np.mean((np.abs(value - trials.truth) <= reach)[solved])), float(
        np.mean((2 * reach)[solved])
    )


def methods(trials: Trials) -> Iterator[tuple[str, Callable[[], tuple[float, float]]]]:
    """Each method's name and the work that gives its coverage and width."""
    families: dict[str, Family] = {"count": "poisson", "binary": "binomial", "mean": "gaussian"}
    x = np.stack([np.ones_like(trials.arm), trials.arm], axis=-1)
    offset = np.log(trials.exposure) if trials.kind == "count" else None
    size = segment_sum(trials.exposure, trials.starts, -1)
    summary = segment_sum(trials.outcome, trials.starts, -1) / size
    z = np.stack([np.ones_like(trials.arm_of_cluster), trials.arm_of_cluster], axis=-1)
    whole = np.arange(z.shape[1])
    between: Family = "poisson" if trials.kind == "count" else "gaussian"
    clusters = solve(summary, z, family=between, starts=whole)
    yield (
        "cluster_means, equal weights, unequal variance",
        lambda: covered(clusters, trials, "CR2", "satterthwaite"),
    )
    weighted = solve(summary, z, family=between, starts=whole, weight=size)
    yield (
        "cluster_means, weights by size, unequal variance",
        lambda: covered(weighted, trials, "CR2", "satterthwaite"),
    )
    for working in ("independence", "exchangeable"):
        fitted = solve(
            trials.outcome,
            x,
            family=families[trials.kind],
            starts=trials.starts,
            offset=offset,
            working=working,  # type: ignore[arg-type]
        )
        choices: list[tuple[Correction, str]] = [
            ("FG", "satterthwaite"),
            ("CR3", "satterthwaite"),
            ("CR2", "satterthwaite"),
            ("CR3", "between_within"),
            ("CR0", "normal"),
        ]
        for correction, df in choices:
            yield (
                f"regression, {working}, {correction}, {df}",
                lambda fitted=fitted, correction=correction, df=df: covered(  # type: ignore[misc]
                    fitted, trials, correction, df, logistic=trials.kind == "binary"
                ),
            )


def _risk_difference(fitted: Equations) -> tuple[Floats, Floats]:
    """The difference of fitted risks and its gradient, for a logistic fit on the arm alone."""
    b = fitted.coefficient
    one, zero = 1 / (1 + np.exp(-b.sum(axis=-1))), 1 / (1 + np.exp(-b[:, 0]))
    slope_one, slope_zero = one * (1 - one), zero * (1 - zero)
    return one - zero, np.stack([slope_one - slope_zero, slope_one], axis=-1)


SETTINGS = [("count", 0.2), ("count", 0.5), ("binary", 0.07), ("mean", 1 / 3)]


def table(runs: int, seed: int) -> list[dict[str, object]]:
    """One row per kind, spread, number of clusters and method."""
    rows: list[dict[str, object]] = []
    for kind, spread in SETTINGS:
        for clusters in (10, 20, 40):
            rng = np.random.default_rng([seed, clusters, round(1000 * spread)])
            trials = simulate(kind, clusters, spread, runs, rng)
            for name, work in methods(trials):
                coverage, width = work()
                rows.append(
                    {
                        "kind": kind,
                        "spread": spread,
                        "clusters": clusters,
                        "method": name,
                        "coverage": coverage,
                        "width": width,
                    }
                )
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    last = None
    for row in table(asked.runs, asked.seed):
        heading = (row["kind"], row["spread"], row["clusters"])
        if heading != last:
            print(f"\n{row['kind']}, sd between clusters {row['spread']:.2g}, {row['clusters']} clusters")
            last = heading
        print(f"  {row['method']:<52} coverage {row['coverage']:.3f}   width {row['width']:.3f}")


if __name__ == "__main__":
    main()
