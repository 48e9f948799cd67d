"""The default cluster interval holds the truth as often as it says, with 10, 20 and 40 unequal clusters."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluation.estimators.difference_in_means import DifferenceInMeans
from evaluation.inference.cluster_totals import differences
from evaluation.inference.stratified_difference import by_cluster
from evaluation.sample import Sample
from experiments.estimand import Estimand

# Simulated coverage of 0.95 over 4,000 trials has a Monte Carlo error of 0.0034.
DRAWS, ERROR = 4_000, 0.0034


def sizes_and_arms(clusters: int, draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Lognormal sizes of at least 4 with mean 20 and coefficient of variation 0.6; half treated."""
    sizes = np.maximum(4, np.round(20 * rng.lognormal(-0.15, 0.55, (draws, clusters))))
    half = np.broadcast_to(np.arange(clusters) < clusters // 2, (draws, clusters))
    return sizes, rng.permuted(half, axis=1)


def test_totals_give_what_the_rows_give() -> None:
    rng = np.random.default_rng(1)
    sizes, arms = sizes_and_arms(11, 5, rng)
    totals = np.empty_like(sizes)
    found = []
    for i in range(5):
        cluster = np.repeat(np.arange(11), sizes[i].astype(int))
        y = rng.normal(size=11)[cluster] + rng.normal(size=len(cluster))
        totals[i] = np.bincount(cluster, y)
        found.append(by_cluster(y, arms[i][cluster], cluster))
    batched = differences(totals, sizes, arms)
    assert_allclose(batched.value, [f.value for f in found], rtol=1e-9)
    assert_allclose(batched.variance, [f.variance for f in found], rtol=1e-9)
    assert_allclose(batched.df, [f.df for f in found], rtol=1e-9)


@pytest.mark.parametrize("clusters", [10, 20, 40])
@pytest.mark.parametrize("kind", ["mean", "binary"])
def test_coverage_of_the_default_interval(kind: str, clusters: int) -> None:
    """ICC 0.15; within 4 Monte Carlo errors and the half a percent that unequal sizes are known to cost."""
    rng = np.random.default_rng(clusters)
    sizes, arms = sizes_and_arms(clusters, DRAWS, rng)
    if kind == "mean":
        effect = 0.3
        place = 0.15**0.5 * rng.normal(size=sizes.shape)
        totals = sizes * (effect * arms + place) + (0.85 * sizes) ** 0.5 * rng.normal(size=sizes.shape)
    else:
        effect, strength = -0.1, 1 / 0.15 - 1
        risk = 0.4 + effect * arms
        totals = rng.binomial(sizes.astype(int), rng.beta(risk * strength, (1 - risk) * strength)).astype(
            float
        )
    covered = float(differences(totals, sizes, arms).covers(effect, 0.95).mean())
    assert 0.945 - 4 * ERROR <= covered <= 0.97


def test_coverage_over_redraws_of_one_population() -> None:
    """400 re-draws of fixed, unequal clusters with effects that vary: the design's own sense of coverage."""
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(16), rng.integers(5, 40, 16))
    y0 = rng.normal(size=16)[cluster] + 2 * rng.normal(size=len(cluster))
    effect = 0.5 + 0.5 * rng.normal(size=16)[cluster]
    estimator = DifferenceInMeans(variance="CR2", level=0.95)
    ask = Estimand(
        outcome="y", contrast=("b", "a"), population="all", scale="mean_difference", intercurrent={}
    )
    covered = 0
    for _ in range(400):
        arm = rng.permutation(np.arange(16) % 2)[cluster]
        trial = Sample(
            outcome=y0 + effect * arm,
            arm=arm,
            arms=("a", "b"),
            unit="points",
            kind="mean",
            person=np.arange(len(cluster)),
            cluster=cluster,
        )
        interval = estimator(trial, ask, rng).interval
        assert interval is not None
        covered += interval.low <= effect.mean() <= interval.high
    assert covered / 400 >= 0.95 - 4 * 0.0109
