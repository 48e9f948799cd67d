"""CR2 and Satterthwaite's df on a panel of states (clubSandwich 0.5.8), and CR3 against leave-one-out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.inference.cluster_robust import ClusterVariance, clustered
from evaluation.inference.least_squares import Floats, fit, indicators, project

# Tolerances of the case: the referee works with the whole design of 51 state columns.
ERROR, DF = 1e-7, 1e-4


@pytest.fixture(scope="module")
def panel(golden: Any) -> pd.DataFrame:
    case = golden("clubsandwich_mortality_rates")
    data = pd.read_csv(case.folder / "data.csv")
    return data.dropna(subset=["mrate", "legal", "beertaxa"])


@pytest.mark.parametrize("kind", ["CR1", "CR2"])
@pytest.mark.parametrize("absorb", ["state", "year"])
def test_state_panel(kind: ClusterVariance, absorb: str, panel: pd.DataFrame, golden: Any) -> None:
    """States absorbed (each within one cluster) or years absorbed (each across all clusters): the same."""
    expected = golden("clubsandwich_mortality_rates").expected[kind]
    other = "year" if absorb == "state" else "state"
    codes = panel[other].to_numpy(np.int64)
    marks, _ = indicators(codes, reference=int(codes[0]))
    design = np.hstack([panel[["legal", "beertaxa"]].to_numpy(float), marks])
    regression = fit(panel["mrate"].to_numpy(), project(design, absorb=panel[absorb].to_numpy(np.int64)))
    contrasts = np.eye(2, len(regression.coefficients))
    found = clustered(regression.projection, regression.residuals, panel["state"].to_numpy(), kind, contrasts)
    assert_allclose(regression.coefficients[:2], expected["beta"], rtol=1e-9)
    assert_allclose(np.sqrt(np.diag(found.covariance)[:2]), expected["SE"], rtol=ERROR)
    assert_allclose(found.df, expected["df_Satt"], rtol=DF)


def whole(
    design: Floats, weight: Floats, cluster: Any, residuals: Floats, kind: str
) -> tuple[Floats, Floats]:
    """The definition, with every n by n matrix formed: covariance and df of every coefficient."""
    m = np.linalg.inv(design.T @ (weight[:, None] * design))
    keep = np.eye(len(design)) - design @ m @ (design * weight[:, None]).T
    meat = np.zeros_like(m)
    columns = []
    for g in np.unique(cluster):
        i = np.flatnonzero(cluster == g)
        if kind == "CR2":
            values, vectors = np.linalg.eigh(keep[i] @ keep[i].T)
            scale = np.where(values > 1e-10, 1 / np.sqrt(np.where(values > 1e-10, values, 1)), 0)
            adjustment = (vectors * scale) @ vectors.T
        elif kind == "CR3":
            adjustment = np.linalg.inv(keep[np.ix_(i, i)])
        else:
            adjustment = np.eye(len(i))
        score = (design[i] * weight[i, None]).T @ adjustment @ residuals[i]
        meat += np.outer(score, score)
        columns.append(keep[i].T @ adjustment.T @ (design[i] * weight[i, None]) @ m)
    a = np.stack(columns)  # (G, n, k)
    p = np.einsum("gnk,hnk->kgh", a, a)
    return m @ meat @ m, np.trace(p, axis1=1, axis2=2) ** 2 / np.sum(p**2, axis=(1, 2))


@pytest.mark.parametrize("kind", ["CR0", "CR2", "CR3"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("factor", ["none", "across", "inside", "mixed"])
def test_the_fast_way_is_the_definition(kind: ClusterVariance, weighted: bool, factor: str) -> None:
    """No factor, levels that run across clusters, levels inside them, and some of each."""
    rng = np.random.default_rng(4)
    sizes = rng.integers(4, 16, 9)
    cluster = np.repeat(np.arange(9), sizes)
    n = len(cluster)
    if factor == "inside" and kind == "CR3":
        pytest.skip("a level inside a cluster cannot be fitted when that cluster is left out")
    level = {
        "none": None,
        "across": rng.integers(0, 4, n),
        "inside": cluster * 2 + rng.integers(0, 2, n),
        "mixed": np.where(cluster < 4, cluster, 4 + rng.integers(0, 3, n)),
    }[factor]
    if factor == "mixed" and kind == "CR3":
        pytest.skip("a level inside a cluster cannot be fitted when that cluster is left out")
    columns = np.column_stack(
        [rng.normal(size=n), rng.normal(size=n) + cluster / 5, cluster % 2 + 0.1 * rng.normal(size=n)]
    )
    weight = rng.uniform(0.5, 2.0, n) if weighted else np.ones(n)
    outcome = columns @ [1.0, -1.0, 0.5] + rng.normal(size=9)[cluster] + rng.normal(size=n)
    order = rng.permutation(n)
    columns, weight, outcome, cluster = columns[order], weight[order], outcome[order], cluster[order]
    level = None if level is None else level[order]
    marks = np.ones((n, 1)) if level is None else indicators(level)[0]
    full = np.hstack([columns, marks])
    regression = fit(
        outcome,
        project(full if level is None else columns, weight=weight if weighted else None, absorb=level),
    )
    covariance, df = whole(full, weight, cluster, regression.residuals, kind)
    found = clustered(
        regression.projection, regression.residuals, cluster, kind, np.eye(len(regression.coefficients))
    )
    assert_allclose(found.covariance[:3, :3], covariance[:3, :3], rtol=1e-8, atol=1e-12)
    assert_allclose(found.df[:3], df[:3], rtol=1e-7)


def test_cr3_is_the_cluster_jackknife() -> None:
    """Leaving out each cluster and squaring what moves, about the full estimate; with weights too."""
    rng = np.random.default_rng(8)
    cluster = np.repeat(np.arange(8), rng.integers(3, 9, 8))
    n = len(cluster)
    design = np.column_stack([np.ones(n), rng.normal(size=n), cluster % 2])
    weight = rng.uniform(0.5, 2.0, n)
    outcome = rng.normal(size=n) + rng.normal(size=8)[cluster]
    regression = fit(outcome, project(design, weight=weight))
    left_out = np.array(
        [
            fit(
                outcome[cluster != g], project(design[cluster != g], weight=weight[cluster != g])
            ).coefficients
            for g in range(8)
        ]
    )
    gaps = left_out - regression.coefficients
    found = clustered(regression.projection, regression.residuals, cluster, "CR3")
    assert_allclose(found.covariance, gaps.T @ gaps, rtol=1e-9)
