"""Random-intercept models on a generated cluster trial, against lme4 and lmerTest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.inference.random_intercept import fit_random_intercept, satterthwaite
from evaluation.inference.random_intercept_glm import fit_random_intercept_glm

HERE = Path(__file__).parent
R: dict[str, Any] = json.loads((HERE / "gee.json").read_text())
DATA = pd.read_csv(HERE / "gee.csv")
STARTS = np.flatnonzero(np.append(True, np.diff(DATA["cluster"]) != 0))
X = np.column_stack([np.ones(len(DATA)), DATA["arm"], DATA["age"]]).astype(float)


def test_the_linear_model_matches_lmer_and_lmertest() -> None:
    ours = fit_random_intercept(DATA["score"].to_numpy(float), X, STARTS)
    expected = R["mixed"]
    # lmer's optimiser stops at about 1e-7 in the variance ratio.
    assert_allclose(ours.coefficient, expected["coef"], rtol=1e-7)
    assert_allclose(np.sqrt(np.diag(ours.variance)), expected["se"], rtol=1e-6)
    assert_allclose([ours.between, ours.within], [expected["between"], expected["within"]], rtol=1e-6)
    assert_allclose(ours.log_likelihood, expected["reml"], rtol=1e-10)
    # Both differentiate the likelihood numerically: five digits.
    degrees = [satterthwaite(ours, row) for row in np.eye(3)]
    assert_allclose(np.array(degrees, dtype=float), expected["df_satterthwaite"], rtol=5e-5)


@pytest.mark.parametrize("family", ["poisson", "binomial"])
def test_generalised_models_match_glmer_with_25_nodes(family: Any) -> None:
    count = family == "poisson"
    ours = fit_random_intercept_glm(
        DATA["count" if count else "binary"].to_numpy(float),
        X,
        STARTS,
        family=family,
        offset=np.log(DATA["exposure"].to_numpy(float)) if count else None,
        nodes=25,
    )
    expected = R[f"glmm_{family}"]
    # glmer's optimiser leaves about 1e-5; its numerical Hessian is coarse for the uncentred intercept and age.
    assert_allclose(ours.coefficient, expected["coef"], rtol=2e-5)
    assert_allclose(ours.sd, expected["sd"], rtol=5e-5)
    assert_allclose(np.sqrt(ours.variance[1, 1]), expected["se"][1], rtol=2e-5)
    assert_allclose(np.sqrt(np.diag(ours.variance)), expected["se"], rtol=2e-3)


def test_negative_binomial_model_is_near_glmer_nb_and_likelier() -> None:
    """glmer.nb alternates between theta and the rest and stops short of the joint maximum of the same likelihood."""
    ours = fit_random_intercept_glm(
        DATA["count"].to_numpy(float),
        X,
        STARTS,
        family="negative_binomial",
        offset=np.log(DATA["exposure"].to_numpy(float)),
        nodes=1,
    )
    expected = R["glmm_negative_binomial"]
    assert_allclose(ours.coefficient, expected["coef"], rtol=0.025)
    assert_allclose(1 / ours.shape, expected["theta"], rtol=0.01)
    assert_allclose(ours.sd, expected["sd"], rtol=0.02)
    assert expected["loglik"] <= ours.log_likelihood <= expected["loglik"] + 0.02


def test_a_singular_fit_is_the_model_without_the_intercepts() -> None:
    """Clusters made more alike than chance would: least squares, and no failure."""
    rng = np.random.default_rng(2)
    y = np.tile([1.0, 3.0, 5.0, 7.0], 10) + 0.001 * rng.normal(size=40)
    arm = np.repeat([0.0, 1.0], 20)
    x = np.column_stack([np.ones(40), arm])
    ours = fit_random_intercept(y, x, np.arange(0, 40, 4))
    assert ours.singular and ours.between == 0.0
    assert_allclose(ours.coefficient, np.linalg.lstsq(x, y)[0], atol=1e-12)
    assert satterthwaite(ours, np.array([0.0, 1.0])) is None
    binary = np.tile([0.0, 1.0], 20)
    glm = fit_random_intercept_glm(binary, x, np.arange(0, 40, 4), family="binomial", offset=None, nodes=9)
    assert glm.singular and glm.sd == 0.0 and glm.solved
