"""Regressions of counts and yes-or-no outcomes on a cluster trial, against R's glm, MASS, sandwich and clubSandwich."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import sqrtm

from evaluation.inference.estimating import Equations, solve, solve_negative_binomial
from evaluation.inference.small_sample_gee import between_within, robust

HERE = Path(__file__).parent
R: dict[str, Any] = json.loads((HERE / "gee.json").read_text())
DATA = pd.read_csv(HERE / "gee.csv")
CLUSTERS = np.flatnonzero(np.append(True, np.diff(DATA["cluster"]) != 0))
PEOPLE = np.arange(len(DATA))
X = np.column_stack([np.ones(len(DATA)), DATA["arm"], DATA["age"]]).astype(float)
UNIT = np.eye(3)
# R's glm stops at a relative change of 1e-8 in the deviance, which leaves about 1e-6 in standard errors.
GLM = 5e-6


def fitted(key: str, starts: np.ndarray, working: Any = "independence", columns: np.ndarray = X) -> Equations:
    if key == "poisson":
        offset = np.log(DATA["exposure"].to_numpy(float))
        return solve(
            DATA["count"].to_numpy(float),
            columns,
            family="poisson",
            starts=starts,
            offset=offset,
            working=working,
        )
    return solve(DATA["binary"].to_numpy(float), columns, family="binomial", starts=starts, working=working)


def errors(equations: Equations, correction: Any) -> tuple[np.ndarray, np.ndarray]:
    pairs = [robust(equations, UNIT[j], correction) for j in range(3)]
    return np.sqrt([float(v) for v, _ in pairs]), np.array([float(df) for _, df in pairs])


@pytest.mark.parametrize("key", ["poisson", "logit"])
def test_coefficients_and_robust_errors_of_people_match_sandwich(key: str) -> None:
    equations = fitted(key, PEOPLE)
    assert_allclose(equations.coefficient, R[key]["coef"], rtol=1e-8)
    expected = np.array(R[key]["HC"])
    for ours, column in (("CR0", 0), ("CR2", 2), ("CR3", 3)):
        assert_allclose(errors(equations, ours)[0], expected[:, column], rtol=GLM)
    rows, k = X.shape
    assert_allclose(errors(equations, "CR0")[0] * np.sqrt(rows / (rows - k)), expected[:, 1], rtol=GLM)


@pytest.mark.parametrize("key", ["poisson", "logit"])
@pytest.mark.parametrize("correction", ["CR0", "CR3"])
def test_errors_by_cluster_and_their_degrees_match_clubsandwich(key: str, correction: str) -> None:
    error, freedom = errors(fitted(key, CLUSTERS), correction)
    assert_allclose(error, R[key][correction]["se"], rtol=GLM)
    assert_allclose(freedom, R[key][correction]["df"], rtol=GLM)


@pytest.mark.parametrize("key", ["poisson", "logit"])
def test_cr2_differs_from_clubsandwich_only_by_the_choice_of_square_root(key: str) -> None:
    """Both make CR2 unbiased under the working model, with different roots of I - H within a cluster.

    Ours is Kauermann & Carroll's (I - H)^{-1/2}; clubSandwich takes a symmetric root after scaling by working
    variances. They are the same where those are constant in a cluster (the arm alone, no exposure),
    and within one per cent where a covariate makes them vary.
    """
    error, freedom = errors(fitted(key, CLUSTERS), "CR2")
    assert_allclose(error, R[key]["CR2"]["se"], rtol=0.015)
    assert_allclose(freedom, R[key]["CR2"]["df"], rtol=0.002)
    bare = solve(DATA["binary"].to_numpy(float), X[:, :2], family="binomial", starts=CLUSTERS)
    variance, degrees = robust(bare, np.array([0.0, 1.0]), "CR2")
    assert_allclose(float(variance) ** 0.5, R["logit_arm_alone"]["CR2"]["se"][1], rtol=GLM)
    assert_allclose(float(degrees), R["logit_arm_alone"]["CR2"]["df"][1], rtol=GLM)


def test_dispersion_and_model_errors_match_quasipoisson() -> None:
    equations = fitted("poisson", PEOPLE)
    assert_allclose(equations.dispersion, R["poisson"]["phi"], rtol=GLM)
    assert_allclose(np.sqrt(np.diag(equations.bread)), R["poisson"]["model_se"], rtol=GLM)


def test_negative_binomial_matches_glm_nb() -> None:
    ours = solve_negative_binomial(
        DATA["count"].to_numpy(float),
        X,
        starts=PEOPLE,
        offset=np.log(DATA["exposure"].to_numpy(float)),
        working="independence",
    )
    expected = R["negative_binomial"]
    assert_allclose(ours.coefficient, expected["coef"], rtol=1e-6)
    assert_allclose(1 / ours.shape, expected["theta"], rtol=1e-6)
    assert_allclose(np.sqrt(np.diag(ours.bread)), expected["se"], rtol=1e-6)


def test_counts_without_overdispersion_are_poisson() -> None:
    y = np.tile([1.0, 2.0, 1.0, 2.0], 20)
    x = np.ones((80, 1))
    ours = solve_negative_binomial(y, x, starts=np.arange(80), offset=None, working="independence")
    assert ours.shape == 0.0
    assert_allclose(np.exp(ours.coefficient[0]), 1.5, rtol=1e-10)


@pytest.mark.parametrize("key", ["poisson", "binomial"])
def test_exchangeable_equations_match_statsmodels(key: str) -> None:
    """statsmodels takes the same moments (n - k, pairs - k); geepack divides by n, so it is a near check only."""
    import statsmodels.api as sm

    equations = fitted(key, CLUSTERS, "exchangeable")
    family = sm.families.Poisson() if key == "poisson" else sm.families.Binomial()
    peer = sm.GEE(
        DATA["count" if key == "poisson" else "binary"].to_numpy(float),
        X,
        groups=DATA["cluster"],
        family=family,
        cov_struct=sm.cov_struct.Exchangeable(),
        offset=np.log(DATA["exposure"].to_numpy(float)) if key == "poisson" else None,
    ).fit(ctol=1e-12, maxiter=200, cov_type="bias_reduced")
    assert_allclose(equations.coefficient, peer.params, rtol=1e-8)
    assert_allclose(equations.correlation, peer.cov_struct.dep_params, rtol=1e-8)
    assert_allclose(errors(equations, "CR0")[0], np.sqrt(np.diag(peer.cov_robust)), rtol=1e-8)
    assert_allclose(errors(equations, "CR3")[0], peer.bse, rtol=1e-8)  # Mancl & DeRouen
    assert_allclose(equations.coefficient, R[f"gee_{key}"]["coef"], rtol=0.02)
    assert_allclose(errors(equations, "CR0")[0], R[f"gee_{key}"]["se"], rtol=0.002)


def test_a_batch_of_trials_is_solved_as_each_would_be() -> None:
    rng = np.random.default_rng(4)
    y = rng.poisson(2.0, (5, len(DATA))).astype(float)
    x = np.broadcast_to(X, (5, *X.shape))
    many = solve(y, x, family="poisson", starts=CLUSTERS, working="exchangeable")
    variance, freedom = robust(many, UNIT[1], "FG")
    for r in range(5):
        one = solve(y[r], X, family="poisson", starts=CLUSTERS, working="exchangeable")
        alone, degrees = robust(one, UNIT[1], "FG")
        assert_allclose(many.coefficient[r], one.coefficient, rtol=1e-7, atol=1e-9)
        assert_allclose([variance[r], freedom[r]], [alone, degrees], rtol=1e-6)


def test_between_within_counts_columns_that_vary_only_between_clusters() -> None:
    assert between_within(X, CLUSTERS) == 12 - 2


def test_fay_graubard_and_kauermann_carroll_by_their_papers_formulas() -> None:
    """Written out cluster by cluster with full matrices, from the papers, for the exchangeable logistic model."""
    equations = fitted("logit", CLUSTERS, "exchangeable")
    mu = 1 / (1 + np.exp(-X @ equations.coefficient))
    rho = float(equations.correlation)
    slope = mu * (1 - mu)
    pieces = []
    for rows in np.split(np.arange(len(X)), CLUSTERS[1:]):
        n = len(rows)
        scale = np.diag(np.sqrt(slope[rows]))
        working = scale @ ((1 - rho) * np.eye(n) + rho * np.ones((n, n))) @ scale
        d = slope[rows, None] * X[rows]
        inverse = np.linalg.inv(working)
        pieces.append((d, inverse, DATA["binary"].to_numpy(float)[rows] - mu[rows]))
    bread = np.linalg.inv(sum(d.T @ inverse @ d for d, inverse, _ in pieces))
    graubard, carroll = np.zeros((3, 3)), np.zeros((3, 3))
    for d, inverse, residual in pieces:
        score = d.T @ inverse @ residual
        leverage = np.diag(d.T @ inverse @ d @ bread)
        adjusted = score / np.sqrt(1 - np.minimum(0.75, leverage))  # Fay & Graubard 2001, section 2.3
        graubard += np.outer(adjusted, adjusted)
        hat = d @ bread @ d.T @ inverse
        root = np.real(sqrtm(np.linalg.inv(np.eye(len(residual)) - hat)))  # Kauermann & Carroll 2001
        adjusted = d.T @ inverse @ root @ residual
        carroll += np.outer(adjusted, adjusted)
    assert_allclose(errors(equations, "FG")[0], np.sqrt(np.diag(bread @ graubard @ bread)), rtol=1e-8)
    assert_allclose(errors(equations, "CR2")[0], np.sqrt(np.diag(bread @ carroll @ bread)), rtol=1e-6)


def test_fay_graubard_caps_a_cluster_that_is_nearly_all_there_is() -> None:
    cluster = np.append(np.zeros(90, dtype=int), np.arange(1, 11))
    x = np.column_stack([np.ones(100), cluster > 0]).astype(float)
    y = np.random.default_rng(1).normal(size=100) + cluster
    equations = solve(y, x, family="gaussian", starts=np.flatnonzero(np.diff(cluster, prepend=-1)))
    variance, _ = robust(equations, np.array([1.0, 0.0]), "FG")
    # The first cluster is all of the reference group: its share is 1, capped at 3/4, and its score is zero.
    assert np.isfinite(variance) and variance < 1e-12 + float(
        robust(equations, np.array([0.0, 1.0]), "FG")[0]
    )
