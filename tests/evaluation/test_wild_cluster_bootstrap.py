"""Wild cluster bootstrap: against regressions run draw by draw, by coverage, and on unfit samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from data_contracts.refusal import Refusal
from evaluation.estimators.wild_cluster_bootstrap import WildClusterBootstrap
from evaluation.inference.wild_bootstrap import (
    bootstrap_coefficients,
    cluster_scores,
    draw_multipliers,
    wild_bootstrap,
)
from experiments.estimand import Estimand
from plugin_worlds import mean_clustered, mean_complete
from plugin_worlds.places import cluster_sample

ESTIMAND = Estimand(
    outcome="y", contrast=("mentoring", "usual"), population="all", scale="mean_difference", intercurrent={}
)


@pytest.fixture
def rows() -> Any:
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(8), [3, 9, 4, 12, 5, 6, 10, 3])
    n = len(cluster)
    x = (cluster % 2).astype(float)
    others = np.column_stack([np.ones(n), rng.normal(size=n), rng.normal(size=8)[cluster]])
    y = 0.5 * x + others @ [1.0, 0.4, 0.2] + rng.normal(size=8)[cluster] + rng.normal(size=n)
    return y, x, others, cluster, rng


def by_regression(y: Any, x: Any, others: Any, cluster: Any, weight: Any) -> tuple[float, float]:
    """(coefficient of x, its CR1 variance) by least squares, the long way."""
    design = np.column_stack([x, others])
    root = np.sqrt(weight)[:, None]
    bread = np.linalg.inv((design * root).T @ (design * root))
    beta = bread @ design.T @ (weight * y)
    residual = weight * (y - design @ beta)
    meat = sum(
        np.outer(s, s)
        for g in np.unique(cluster)
        if (s := design[cluster == g].T @ residual[cluster == g]) is not None
    )
    n, k, groups = len(y), design.shape[1], len(np.unique(cluster))
    scale = groups / (groups - 1) * (n - 1) / (n - k)
    return float(beta[0]), float((scale * bread @ meat @ bread)[0, 0])


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("hypothesis", [0.0, 0.7])
def test_a_draw_is_a_regression_on_remade_outcomes(
    rows: Any, restricted: bool, weighted: bool, hypothesis: float
) -> None:
    y, x, others, cluster, rng = rows
    weight = rng.uniform(0.5, 2, len(y)) if weighted else np.ones(len(y))
    scores = cluster_scores(y, x, others, cluster, weight if weighted else None)
    v = draw_multipliers("webb", 5, 8, rng)
    found = bootstrap_coefficients(scores, v, restricted=restricted)
    root = np.sqrt(weight)[:, None]
    design = np.column_stack([x, others])
    beta = np.linalg.lstsq(design * root, y * root[:, 0], rcond=None)[0]
    if restricted:
        gamma = np.linalg.lstsq(others * root, (y - hypothesis * x) * root[:, 0], rcond=None)[0]
        fitted, centre = hypothesis * x + others @ gamma, hypothesis
    else:
        fitted, centre = design @ beta, beta[0]
    for b in range(5):
        remade = fitted + v[b][cluster] * (y - fitted)
        again, variance = by_regression(remade, x, others, cluster, weight)
        assert_allclose(found.difference(hypothesis)[b], again - centre, atol=1e-10)
        assert_allclose(found.variance(hypothesis)[b], variance, rtol=1e-8)


def test_multipliers_have_mean_zero_and_variance_one() -> None:
    for kind in ("rademacher", "webb"):
        v = draw_multipliers(kind, 20_000, 10, np.random.default_rng(1))  # type: ignore[arg-type]
        assert abs(v.mean()) < 4 / np.sqrt(v.size)
        assert abs((v**2).mean() - 1) < 4 * 0.41 / np.sqrt(v.size) + 1e-12
        assert len(np.unique(np.round(v, 9))) == {"rademacher": 2, "webb": 6}[kind]


def test_a_column_that_repeats_another_changes_nothing(rows: Any) -> None:
    y, x, others, cluster, _ = rows
    options: dict[str, Any] = {
        "multiplier": "rademacher", "restricted": True, "convention": "inclusive", "redraws": 999, "level": 0.95,
    }  # fmt: skip
    first = wild_bootstrap(y, x, others, cluster, rng=np.random.default_rng(0), **options)
    doubled = np.column_stack([others, others[:, 1] * 2, np.zeros(len(y))])
    second = wild_bootstrap(y, x, doubled, cluster, rng=np.random.default_rng(0), **options)
    assert_allclose([second.t, second.p, second.low], [first.t, first.p, first.low], rtol=1e-8)


@pytest.mark.parametrize("clusters", [10, 20])
def test_intervals_cover_with_few_clusters_of_unequal_size(clusters: int) -> None:
    runs, rng = 250, np.random.default_rng(14)
    estimator = WildClusterBootstrap(
        multiplier="rademacher" if clusters == 10 else "webb", restricted=True, p_value="inclusive",
        redraws=399 if clusters == 20 else 1_024, level=0.95,
    )  # fmt: skip

    def outcome(arm: Any, place: Any) -> Any:
        return 0.8 * place + rng.normal(size=len(arm)) - 1.0 * arm

    covered = 0
    for _ in range(runs):
        sample = cluster_sample(rng, outcome, unit="points", kind="mean", clusters=clusters)
        interval = estimator(sample, ESTIMAND, rng).interval
        assert interval is not None
        covered += interval.low <= -1.0 <= interval.high
    assert covered / runs >= 0.95 - 3.5 * np.sqrt(0.05 * 0.95 / runs)


def test_unfit_samples_are_refused_with_what_to_use() -> None:
    rng = np.random.default_rng(1)
    estimator = WildClusterBootstrap(
        multiplier="webb", restricted=True, p_value="inclusive", redraws=999, level=0.95
    )
    sample, _ = mean_clustered.make(rng)
    two_treated = sample.keep(
        (sample.arm == 0) | (sample.cluster <= np.sort(sample.cluster[sample.treated])[0])
    )
    with pytest.raises(Refusal, match="randomisation_test"):
        estimator(two_treated, ESTIMAND, rng)
    people, _ = mean_complete.make(rng)
    with pytest.raises(Refusal, match="difference_in_means"):
        estimator(people, ESTIMAND, rng)
    with pytest.raises(Refusal, match="redraws"):
        WildClusterBootstrap(multiplier="webb", restricted=True, p_value="inclusive", redraws=9, level=0.95)
