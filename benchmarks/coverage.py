"""How often the default interval of a cluster trial holds the truth, with few clusters of unequal size.

    python -m benchmarks.coverage [--draws 10000] [--seed 1]

Simulated trials of 10, 20 and 40 clusters whose sizes vary by a coefficient of variation of about 0.6
(lognormal, at least 4), half or a quarter of them treated, with an ICC of 0.05 or 0.20; mean outcomes
with normal clusters and people, and binary ones with beta-distributed risks analysed as they are (risk
difference). Every trial draws its sizes, arms and outcomes afresh. Beside the default (CR2 with
Satterthwaite's df) stands what it replaces: CR1 as Stata computes it, with clusters - 1 df.

The Monte Carlo error of a coverage of 0.95 is 0.0022 at 10,000 draws and 0.0049 at 2,000.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.inference.cluster_totals import Differences, differences
from evaluation.inference.least_squares import Bools, Floats

Kind = Literal["mean", "binary"]
LEVEL = 0.95
MEAN_SIZE, SPREAD, SMALLEST = 20.0, 0.55, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A kind of trial; `effect` is added to the mean or the risk of treated clusters."""

    kind: Kind
    clusters: int
    treated: int
    icc: float
    effect: float


def worlds() -> list[World]:
    """Every combination that the table shows."""
    kinds: tuple[tuple[Kind, float], ...] = (("mean", 0.3), ("binary", -0.1))
    return [
        World(kind=kind, clusters=g, treated=max(2, int(g * share)), icc=icc, effect=effect)
        for kind, effect in kinds
        for g in (10, 20, 40)
        for share in (0.5, 0.25)
        for icc in (0.05, 0.2)
    ]


def simulate(world: World, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats, Bools]:
    """(draws, clusters) totals, sizes and arms."""
    shape = (draws, world.clusters)
    drift = -(SPREAD**2) / 2
    sizes = np.maximum(SMALLEST, np.round(MEAN_SIZE * rng.lognormal(drift, SPREAD, shape)))
    treated = rng.permuted(np.broadcast_to(np.arange(world.clusters) < world.treated, shape), axis=1)
    if world.kind == "mean":
        place = np.sqrt(world.icc) * rng.normal(size=shape)
        people = np.sqrt((1 - world.icc) * sizes) * rng.normal(size=shape)
        return sizes * (world.effect * treated + place) + people, sizes, treated
    risk = 0.4 + world.effect * treated
    strength = 1 / world.icc - 1  # a beta with this sum of parameters has this ICC
    cluster_risk = rng.beta(risk * strength, (1 - risk) * strength)
    return rng.binomial(sizes.astype(np.int64), cluster_risk).astype(np.float64), sizes, treated


def stata(totals: Floats, sizes: Floats, treated: Bools) -> Differences:
    """CR1 with Stata's factor, G/(G-1) (n-1)/(n-2), and G - 1 degrees of freedom."""
    count = totals.shape[1]
    people = sizes.sum(axis=1)
    value, variance = np.zeros(len(totals)), np.zeros(len(totals))
    for sign, arm in ((1.0, treated), (-1.0, ~treated)):
        n = np.where(arm, sizes, 0.0).sum(axis=1, keepdims=True)
        mean = np.where(arm, totals, 0.0).sum(axis=1, keepdims=True) / n
        value += sign * mean[:, 0]
        variance += np.sum(np.where(arm, totals - sizes * mean, 0.0) ** 2, axis=1) / n[:, 0] ** 2
    factor = count / (count - 1) * (people - 1) / (people - 2)
    return Differences(value=value, variance=factor * variance, df=np.full(len(totals), count - 1.0))


def coverage(world: World, draws: int, rng: np.random.Generator) -> dict[str, float]:
    """Shares of draws whose interval holds the truth, the mean df, and the SE over the true SD."""
    totals, sizes, treated = simulate(world, draws, rng)
    ours, theirs = differences(totals, sizes, treated), stata(totals, sizes, treated)
    return {
        "cr2": float(ours.covers(world.effect, LEVEL).mean()),
        "cr1": float(theirs.covers(world.effect, LEVEL).mean()),
        "df": float(ours.df.mean()),
        "ratio": float(np.sqrt(ours.variance.mean()) / ours.value.std()),
        "bias": float(ours.value.mean() - world.effect),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.coverage", description=__doc__)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    print(f"{asked.draws} draws a row; coverage of {LEVEL:.0%} intervals")
    print(f"{'outcome':8}{'clusters':>9}{'treated':>8}{'ICC':>6}{'CR2':>8}{'df':>7}{'CR1':>8}{'SE/SD':>7}")
    for world in worlds():
        row = coverage(world, asked.draws, rng)
        print(
            f"{world.kind:8}{world.clusters:9d}{world.treated:8d}{world.icc:6.2f}"
            f"{row['cr2']:8.3f}{row['df']:7.1f}{row['cr1']:8.3f}{row['ratio']:7.2f}"
        )


if __name__ == "__main__":
    main()
