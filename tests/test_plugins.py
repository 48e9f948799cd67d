"""Every estimator and check is held to its folder's promises the day its file lands.

Each plug-in has an example in `tests/plugin_examples/`; a plug-in without one fails here.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_contracts.catalogue import find, names
from data_contracts.declared import build
from data_contracts.safe_yaml import read_yaml
from evaluation.estimate import Check, Estimate
from evaluation.sample import Sample
from evaluation.serves import check_sample
from experiments.design import Design
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES

EXAMPLES = Path(__file__).parent / "plugin_examples"
ESTIMATORS = names("evaluation.estimators")
CHECKS = names("evaluation.checks")


def example(folder: str, name: str) -> dict[str, Any]:
    path = EXAMPLES / folder / f"{name}.yaml"
    assert path.is_file(), f"{name} has no example: add {path.relative_to(EXAMPLES.parent)}"
    return dict(read_yaml(path))


def world(name: str, rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    made = importlib.import_module(f"plugin_worlds.{name}").make(rng)
    return made  # type: ignore[no-any-return]


def made(folder: str, name: str, options: dict[str, Any]) -> Any:
    return build(find(folder, name), options, path=name)


def ask(scale: str, sample: Sample) -> Estimand:
    return Estimand(
        outcome="y",
        contrast=(sample.arms[1], sample.arms[0]),
        population="everyone randomised",
        scale=scale,  # type: ignore[arg-type]
        intercurrent={},
    )


def settings(name: str) -> tuple[dict[str, Any], Any, list[tuple[str, str]]]:
    spec = example("estimators", name)
    estimator = made("evaluation.estimators", name, spec["options"])
    pairs = [
        (w, s)
        for w, scales in spec["worlds"].items()
        for s in ([scales] if isinstance(scales, str) else scales)
    ]
    return spec, estimator, pairs


def close(a: float | None, b: float | None, tolerance: float = 1e-6) -> bool:
    if a is None or b is None:
        return a is b
    return bool(np.isclose(a, b, rtol=tolerance, atol=tolerance))


@cache
def simulated(name: str) -> list[tuple[str, str, list[Estimate], float]]:
    """(world, scale, estimates of fresh samples, truth) for each pair of an estimator's example."""
    spec, estimator, pairs = settings(name)
    rng = np.random.default_rng(20260701)
    out = []
    for world_name, scale in pairs:
        estimates, truth = [], float("nan")
        for _ in range(spec.get("runs", 200)):
            sample, truths = world(world_name, rng)
            truth = truths[scale]
            estimates.append(estimator(sample, ask(scale, sample), rng))
        out.append((world_name, scale, estimates, truth))
    return out


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_says_what_it_serves_and_where_it_comes_from(name: str) -> None:
    cls = find("evaluation.estimators", name)
    module = inspect.getdoc(importlib.import_module(cls.__module__)) or ""
    assert "Reference" in module, f"{name} cites nothing"
    for promise in ("designs", "kinds", "scales", "needs"):
        assert isinstance(getattr(cls, promise), frozenset), f"{name}.{promise}"
    known = set(names("experiments.designs"))
    assert cls.designs <= known, f"{name} serves designs that do not exist: {cls.designs - known}"
    assert all(f.name not in ("covariates", "estimand", "missing", "role") for f in fields(cls))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_recovers_the_truth_and_its_interval_covers(name: str) -> None:
    """Bias within 4 Monte Carlo errors (on the log of ratios); coverage no lower than 4 below its level."""
    for world_name, scale, estimates, truth in simulated(name):
        values = np.array([e.value for e in estimates])
        target = truth
        if scale in RATIO_SCALES:
            values, target = np.log(values), np.log(truth)
        error = values.std(ddof=1) / np.sqrt(len(values))
        allowed = 4 * error + example("estimators", name).get("small_sample_bias", 0.0) * values.std(ddof=1)
        assert abs(values.mean() - target) <= allowed, f"{name} is off in {world_name} on {scale}"
        with_interval = [e for e in estimates if e.interval is not None]
        if not with_interval:
            continue
        covered = np.mean([e.interval.low <= truth <= e.interval.high for e in with_interval if e.interval])
        level = with_interval[0].interval.level  # type: ignore[union-attr]
        floor = level - 4 * np.sqrt(level * (1 - level) / len(with_interval))
        assert covered >= floor, f"{name} covers {covered:.3f} in {world_name} on {scale}"


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_ignores_the_order_of_rows(name: str) -> None:
    spec, estimator, pairs = settings(name)
    world_name, scale = pairs[0]
    sample, _ = world(world_name, np.random.default_rng(5))
    shuffled = sample.keep(np.random.default_rng(6).permutation(len(sample.outcome)))
    first = estimator(sample, ask(scale, sample), np.random.default_rng(7))
    second = estimator(shuffled, ask(scale, shuffled), np.random.default_rng(7))
    tolerance = spec.get("order_tolerance", 1e-6)
    assert close(first.value, second.value, tolerance)
    assert close(first.standard_error, second.standard_error, max(tolerance, 1e-5))


@pytest.mark.parametrize("name", [n for n in ESTIMATORS if (EXAMPLES / "estimators" / f"{n}.yaml").is_file()])
def test_an_estimator_rescales_with_the_unit(name: str) -> None:
    spec, estimator, pairs = settings(name)
    if not spec.get("rescales", False):
        assert any(s in RATIO_SCALES or "difference" in s for _, s in pairs)
        return
    world_name, scale = next(pair for pair in pairs if pair[1] == "mean_difference")
    sample, _ = world(world_name, np.random.default_rng(5))
    tenfold = replace(sample, outcome=sample.outcome * 10)
    first = estimator(sample, ask(scale, sample), np.random.default_rng(7))
    second = estimator(tenfold, ask(scale, tenfold), np.random.default_rng(7))
    assert close(second.value, 10 * first.value)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_changes_nothing_it_is_given_and_repeats_itself(name: str) -> None:
    _, estimator, pairs = settings(name)
    world_name, scale = pairs[0]
    sample, _ = world(world_name, np.random.default_rng(8))
    before = {
        f.name: np.copy(v) for f in fields(sample) if isinstance(v := getattr(sample, f.name), np.ndarray)
    }
    first = estimator(sample, ask(scale, sample), np.random.default_rng(9))
    second = estimator(sample, ask(scale, sample), np.random.default_rng(9))
    assert first.value == second.value and first.interval == second.interval
    for key, array in before.items():
        np.testing.assert_array_equal(array, getattr(sample, key))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_refuses_an_unfit_sample(name: str) -> None:
    """A kind of outcome that it does not serve, met face to face, is a refusal that names a way out."""
    from data_contracts.refusal import Refusal

    spec, estimator, _pairs = settings(name)
    unfit = spec.get("refuses", [])
    assert unfit, f"{name} names no world that it refuses"
    for world_name in unfit:
        sample, truths = world(world_name, np.random.default_rng(3))
        scale = next(iter(truths))
        with pytest.raises(Refusal) as refused:
            check_sample(estimator, sample, ask(scale, sample), where="here")
            estimator(sample, ask(scale, sample), np.random.default_rng(4))
        assert refused.value.remedy


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_flags_what_it_is_for_and_passes_what_is_well(name: str) -> None:
    spec = example("checks", name)
    check = made("evaluation.checks", name, spec["options"])
    assert type(check).question.endswith("?")
    rng = np.random.default_rng(11)
    for world_name, verdict, rate in (
        (spec["flags"], "not met", spec["rate"]),
        (spec["passes"], "met", spec.get("pass_rate", 0.8)),
    ):
        verdicts = []
        for _ in range(spec.get("runs", 60)):
            sample, _truth = world(world_name, rng)
            answer = check(sample, rng)
            assert isinstance(answer, Check) and answer.name == name
            verdicts.append(answer.verdict == verdict)
        assert np.mean(verdicts) >= rate - 3 * np.sqrt(rate * (1 - rate) / len(verdicts)), (
            world_name,
            np.mean(verdicts),
        )


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_that_cannot_run_is_not_assessed(name: str) -> None:
    spec = example("checks", name)
    check = made("evaluation.checks", name, spec["options"])
    sample, _ = world(spec["passes"], np.random.default_rng(12))
    nobody = sample.keep(sample.arm == 1)
    assert check(nobody, np.random.default_rng(1)).verdict == "not assessed"


@pytest.mark.parametrize("name", names("experiments.designs"))
def test_a_design_is_a_design_with_a_reference(name: str) -> None:
    cls = find("experiments.designs", name)
    assert issubclass(cls, Design)
    assert "Reference" in (inspect.getdoc(importlib.import_module(cls.__module__)) or "")
    assert cls.randomised or cls.stands_in, f"{name} was drawn by nobody and says nothing in its place"
