"""Subgroup effects: every group shown, thin ones without an effect, and the interaction as the answer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evaluation.estimate import Estimate, EstimatorRefused
from evaluation.estimators.effect_heterogeneity import EffectHeterogeneity
from evaluation.estimators.subgroup_effects import SubgroupEffects
from evaluation.sample import Sample
from experiments.estimand import Estimand
from plugin_worlds import mean_complete, people_in_groups

ESTIMAND = Estimand(
    outcome="y", contrast=("mentoring", "usual"), population="all", scale="mean_difference", intercurrent={}
)


def ask(sample: Sample, **choices: Any) -> Estimate:
    options: dict[str, Any] = {
        "compared": "first", "reference": "third", "variance": "HC2", "level": 0.95, **choices,
    }  # fmt: skip
    return SubgroupEffects(**options)(sample, ESTIMAND, np.random.default_rng(0))


@pytest.fixture
def sample() -> Sample:
    return people_in_groups.make(np.random.default_rng(3))[0]


def test_groups_without_covariates_are_differences_in_means(sample: Sample) -> None:
    bare = replace(sample, covariates=None, covariate_names=())
    found = ask(bare)
    effects = {}
    for code, name in enumerate(bare.group_names):
        y, z = bare.outcome[bare.group == code], bare.arm[bare.group == code]
        effects[name] = y[z == 1].mean() - y[z == 0].mean()
        row = next(r for r in found.extra["groups"] if r["group"] == name)
        assert row["value"] == pytest.approx(effects[name])
        variance = sum(y[z == k].var(ddof=1) / (z == k).sum() for k in (0, 1))
        assert row["standard_error"] == pytest.approx(np.sqrt(variance))
    assert found.value == pytest.approx(effects["first"] - effects["third"])


def test_everybody_is_counted_and_the_answer_is_json(sample: Sample) -> None:
    found = json.loads(json.dumps(ask(sample).extra))
    people = sum(b["people"] for row in found["groups"] for b in row["behind"])
    assert people == len(sample.outcome)


def test_a_thin_group_is_shown_without_an_effect(sample: Sample) -> None:
    one = np.flatnonzero((sample.group == 1) & (sample.arm == 1))[1:]
    thin = sample.keep(np.setdiff1d(np.arange(len(sample.outcome)), one))
    found = ask(thin)
    row = next(r for r in found.extra["groups"] if r["group"] == "second")
    assert row["value"] is None and row["p_value"] is None
    assert {b["arm"]: b["people"] for b in row["behind"]}["mentoring"] == 1
    assert found.extra["joint_test"]["numerator_df"] == 1
    assert found.extra["joint_test"]["p_value"] == pytest.approx(found.p_value)
    with pytest.raises(EstimatorRefused, match="fewer than 2 people or clusters of 'second'"):
        ask(thin, compared="second")


@pytest.mark.parametrize(
    ("choices", "match"),
    [
        ({"compared": "fourth"}, "one of: first, second, third"),
        ({"compared": "third"}, "two different groups"),
    ],
)
def test_groups_that_cannot_be_compared_are_refused(sample: Sample, choices: Any, match: str) -> None:
    with pytest.raises(EstimatorRefused, match=match):
        ask(sample, **choices)


def test_an_analysis_without_groups_is_refused() -> None:
    with pytest.raises(EstimatorRefused, match="subgroup: COLUMN"):
        ask(mean_complete.make(np.random.default_rng(1))[0])


def test_no_difference_between_groups_is_found_as_often_as_the_level() -> None:
    """The joint test over three groups whose effects are equal, at 400 trials."""
    runs, rng = 400, np.random.default_rng(12)
    rejected = 0
    for _ in range(runs):
        sample = people_in_groups.make(rng)[0]
        level = sample.outcome - people_in_groups.EFFECT[sample.group] * sample.arm
        rejected += ask(replace(sample, outcome=level)).extra["joint_test"]["p_value"] <= 0.05
    assert abs(rejected / runs - 0.05) <= 3.5 * np.sqrt(0.05 * 0.95 / runs)


def test_heterogeneity_is_exploratory_and_corrected_for_looking() -> None:
    sample = mean_complete.make(np.random.default_rng(1))[0]
    wider = replace(
        sample,
        covariates=np.column_stack([sample.covariates, np.random.default_rng(2).normal(size=(200, 2))]),
        covariate_names=("baseline", "noise", "more noise"),
    )
    found = EffectHeterogeneity(variance="HC2", level=0.95)(wider, ESTIMAND, np.random.default_rng(0))
    assert found.extra["exploratory"] is True
    rows = found.extra["interactions"]
    assert [r["covariate"] for r in rows] == ["baseline", "noise", "more noise"]
    assert all(r["p_value_holm"] >= r["p_value"] for r in rows)
    with pytest.raises(EstimatorRefused, match="baseline covariates"):
        EffectHeterogeneity(variance="HC2", level=0.95)(
            replace(sample, covariates=None), ESTIMAND, np.random.default_rng(0)
        )
