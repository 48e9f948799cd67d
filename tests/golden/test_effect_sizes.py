"""Effect sizes against lme4 1.1 and metafor 3.8 on generated trials (effect_sizes.R beside this file)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.effects.trial_effect_sizes import designs, trial_effect_sizes
from evaluation.effects.variance_components import reml
from evaluation.estimators.hedges_g import HedgesG
from evaluation.sample import Sample
from experiments.estimand import Estimand

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "effect_sizes.json").read_text())["expected"]

# Both optimisers reach the same criterion to 1e-10; it is flat there, so that variances agree to about
# the square root of that, and everything built on them likewise.
CRITERION, COMPONENT = 1e-9, 5e-6


class SitesDesign:
    """Stands for the design's name alone; these models ask nothing else of it."""

    scheme = "multi_site"


def trial(name: str, *, covariates: bool) -> Sample:
    data = pd.read_csv(HERE / f"effect_sizes_{name}.csv")
    group: dict[str, Any] = (
        {"cluster": data["school"].to_numpy()}
        if name == "clusters"
        else {"block": data["site"].to_numpy(), "design": SitesDesign()}
    )
    return Sample(
        outcome=data["y"].to_numpy(),
        arm=data["z"].to_numpy(),
        arms=("usual", "offered"),
        unit="points",
        kind="mean",
        person=np.arange(len(data)),
        covariates=data[["x"]].to_numpy() if covariates else None,
        covariate_names=("x",) if covariates else (),
        **group,
    )


@pytest.mark.parametrize("model", ["empty", "unconditional", "conditional"])
@pytest.mark.parametrize("name", ["cluster", "site"])
def test_variance_components(name: str, model: Any) -> None:
    sample = trial(f"{name}s", covariates=True)
    expected = EXPECTED[name][model]
    design = designs(sample)[model]
    random = np.ones((len(sample.outcome), 1))
    if name == "site" and model != "empty":
        random = np.column_stack([random, sample.arm])
    group = sample.cluster if name == "cluster" else sample.block
    assert group is not None
    fitted = reml(sample.outcome, design, random, group)
    assert_allclose(fitted.criterion, expected["criterion"], rtol=CRITERION)
    assert_allclose(fitted.coefficients, np.atleast_1d(expected["beta"]), rtol=COMPONENT)
    assert_allclose(np.sqrt(np.diag(fitted.covariance)), np.atleast_1d(expected["se"]), rtol=COMPONENT)
    assert_allclose(fitted.residual, expected["residual"], rtol=COMPONENT)
    entries = np.atleast_1d(expected["covariance"])
    mine = fitted.random[[0, 1, 0], [0, 1, 1]] if len(entries) == 3 else fitted.random[0]
    assert_allclose(mine, entries, rtol=COMPONENT)


@pytest.mark.parametrize(
    ("name", "covariates", "key"),
    [
        ("clusters", True, "cluster"),
        ("clusters", False, "cluster_unadjusted"),
        ("sites", True, "site"),
    ],
)
def test_every_labelled_g(name: str, covariates: bool, key: str) -> None:
    """Against formulas that form the N by N matrices, on lme4's components."""
    found = trial_effect_sizes(trial(name, covariates=covariates), 0.95)
    expected = EXPECTED["g"][key]
    assert {f"{s.spread} {s.standardiser}" for s in found.sizes} == set(expected)
    for size in found.sizes:
        theirs = expected[f"{size.spread} {size.standardiser}"]
        assert_allclose(size.value, theirs["g"], rtol=COMPONENT)
        assert_allclose(size.standard_error, theirs["se"], rtol=COMPONENT)
        if "df" in theirs:
            assert_allclose([size.df, size.sd], [theirs["df"], theirs["sd"]], rtol=COMPONENT)


def test_icc_and_its_profile_interval() -> None:
    found = trial_effect_sizes(trial("clusters", covariates=False), 0.95)
    model = EXPECTED["cluster"]["unconditional"]
    assert_allclose(found.icc, model["between"] / (model["between"] + model["residual"]), rtol=COMPONENT)
    assert_allclose([found.icc_low, found.icc_high], EXPECTED["cluster"]["icc_interval"], rtol=COMPONENT)


def test_an_individual_trial_is_metafors_smd() -> None:
    """The same rows as if people had been drawn one by one (escalc, measure SMD, vtype LS2)."""
    sample = trial("clusters", covariates=False).keep(
        np.arange(len(trial("clusters", covariates=False).outcome))
    )
    people = Sample(
        outcome=sample.outcome,
        arm=sample.arm,
        arms=sample.arms,
        unit="points",
        kind="mean",
        person=sample.person,
    )
    found = trial_effect_sizes(people, 0.95).find("total", "unconditional")
    assert found is not None
    assert_allclose(found.value, EXPECTED["individual"]["g"], rtol=1e-10)
    assert_allclose(found.standard_error**2, EXPECTED["individual"]["variance"], rtol=1e-10)


def test_the_study_marks_one_and_shows_the_others() -> None:
    ask = Estimand(
        outcome="y",
        contrast=("offered", "usual"),
        population="everyone",
        scale="standardised_mean_difference",
        intercurrent={},
    )
    estimator = HedgesG(spread="total", standardiser="unconditional", power=0.8, level=0.95)
    estimate = estimator(trial("clusters", covariates=True), ask, np.random.default_rng())
    assert_allclose(estimate.value, EXPECTED["g"]["cluster"]["total unconditional"]["g"], rtol=COMPONENT)
    labels = [estimate.extra["label"], *(other["label"] for other in estimate.extra["others"])]
    assert len(set(labels)) == 6
    assert all(part in labels[0] for part in ("unconditional", "total SD", "covariate-adjusted"))
