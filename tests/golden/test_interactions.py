"""Subgroup effects, their differences and joint test against estimatr's lm_robust (HC2, CR2).

`interactions.R` in this folder made the numbers.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.estimate import Estimate
from evaluation.estimators.effect_heterogeneity import EffectHeterogeneity
from evaluation.estimators.subgroup_effects import SubgroupEffects
from evaluation.sample import Sample
from experiments.designs.clustered import Clustered
from experiments.designs.complete import Complete
from experiments.estimand import Estimand
from redrawn_trials import HALVES, drawn_sample

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "interactions.json").read_text())
TABLE = pd.read_csv(HERE / "interactions.csv")
NAMES = ("asian", "black", "white")
# The same formulas on the same rows; R writes 15 digits, and its CR2 inverts a matrix ours does not.
RTOL = 1e-8
ESTIMAND = Estimand(
    outcome="y", contrast=("treated", "control"), population="all", scale="mean_difference", intercurrent={}
)


def sample_of(kind: str) -> Sample:
    design = Complete(arms=HALVES) if kind == "person" else Clustered(arms=HALVES, cluster="cluster")
    return drawn_sample(
        design, TABLE, TABLE[f"z_{kind}"], TABLE[f"y_{kind}"],
        covariates=TABLE[["x"]].to_numpy(), group=TABLE["group"].map(NAMES.index).to_numpy(np.int64),
    )  # fmt: skip


def with_names(sample: Sample) -> Sample:
    return replace(sample, group_names=NAMES, covariate_names=("x",))


def estimate(kind: str, compared: str) -> Estimate:
    estimator = SubgroupEffects(
        compared=compared, reference="white", variance="HC2" if kind == "person" else "CR2", level=0.95
    )
    return estimator(with_names(sample_of(kind)), ESTIMAND, np.random.default_rng(0))


@pytest.mark.parametrize("kind", ["person", "cluster"])
def test_each_groups_effect_matches(kind: str) -> None:
    rows = {row["group"]: row for row in estimate(kind, "black").extra["groups"]}
    for name in NAMES:
        expected = EXPECTED[kind]["own"][f"group{name}:z"]
        found = rows[name]
        assert_allclose(
            [found["value"], found["standard_error"], found["df"]],
            [expected["value"], expected["se"], expected["df"]],
            rtol=RTOL,
        )


@pytest.mark.parametrize("kind", ["person", "cluster"])
@pytest.mark.parametrize("compared", ["asian", "black"])
def test_differences_between_groups_match(kind: str, compared: str) -> None:
    found = estimate(kind, compared)
    expected = EXPECTED[kind]["differences"][f"z:group{compared}"]
    assert_allclose(
        [found.value, found.standard_error, found.df],
        [expected["value"], expected["se"], expected["df"]],
        rtol=RTOL,
    )
    assert_allclose(found.extra["joint_test"]["f"], EXPECTED[kind]["joint_f"], rtol=RTOL)
    assert found.extra["joint_test"]["numerator_df"] == 2


@pytest.mark.parametrize("kind", ["person", "cluster"])
def test_effects_that_change_with_a_covariate_match(kind: str) -> None:
    estimator: Any = EffectHeterogeneity(variance="HC2" if kind == "person" else "CR2", level=0.95)
    found = estimator(with_names(sample_of(kind)), ESTIMAND, np.random.default_rng(0))
    average, change = EXPECTED[kind]["slope"]["z"], EXPECTED[kind]["slope"]["z:xc"]
    row = found.extra["interactions"][0]
    assert_allclose([found.value, found.standard_error], [average["value"], average["se"]], rtol=RTOL)
    assert_allclose(
        [row["change_in_effect_per_unit"], row["standard_error"]], [change["value"], change["se"]], rtol=RTOL
    )
    assert found.extra["exploratory"] is True
    assert row["p_value"] == pytest.approx(found.extra["joint_test"]["p_value"])
