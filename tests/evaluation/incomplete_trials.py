"""Simulated trials with gaps, and two plain estimators to analyse them with."""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.estimate import Estimate, Interval
from evaluation.sample import Sample
from experiments.estimand import Estimand


def ask(scale: Any) -> Estimand:
    return Estimand(
        outcome="y", contrast=("mentoring", "usual"), population="everyone", scale=scale, intercurrent={}
    )


def trial(
    rng: np.random.Generator,
    kind: Any,
    *,
    clustered: bool = False,
    people: int = 300,
    loss: float = -1.2,
    slope: float = 1.0,
    missing_covariate: bool = False,
) -> Sample:
    """Loss depends on a covariate, twice as steeply in the treated arm: random given arm and covariate."""
    cluster = None
    place: Any = 0.0
    if clustered:
        sizes = rng.integers(6, 22, 24)
        cluster = np.repeat(np.arange(24), sizes)
        arm = rng.permuted(np.repeat([0, 1], 12))[cluster]
        place = 0.5 * rng.normal(size=24)[cluster]
    else:
        arm = rng.permuted(np.repeat([0, 1], people // 2))
    n = len(arm)
    x = rng.normal(size=n)
    centre = x - 0.5 * arm + place
    exposure = None
    if kind == "mean":
        y = centre + rng.normal(size=n)
    elif kind == "binary":
        y = (rng.random(n) < 1 / (1 + np.exp(-centre))).astype(float)
    else:
        exposure = rng.uniform(0.4, 1.0, n)
        y = rng.poisson(exposure * np.exp(1 + 0.5 * centre) * rng.gamma(3, 1 / 3, n)).astype(float)
    lost = rng.random(n) < 1 / (1 + np.exp(-loss - slope * x * (1 + arm)))
    if exposure is not None:
        exposure = np.where(lost, np.nan, exposure)
    if missing_covariate:
        x = np.where(rng.random(n) < 0.1, np.nan, x)
    return Sample(
        outcome=np.where(lost, np.nan, y),
        arm=arm,
        arms=("usual", "mentoring"),
        unit="points",
        kind=kind,
        person=np.arange(n),
        cluster=cluster,
        exposure=exposure,
        covariates=x[:, None],
        covariate_names=("need",),
    )


class ArmMeans:
    """Difference in means over people, or over cluster means where there are clusters; heeds weights."""

    needs: frozenset[str] = frozenset()
    designs = kinds = scales = frozenset({"any"})

    def __init__(self, heeds_weights: bool = True) -> None:
        self.heeds_weights = heeds_weights

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        y, arm = sample.outcome, sample.arm
        weight = sample.weight if self.heeds_weights else None
        if sample.cluster is not None:
            _, code = np.unique(sample.cluster, return_inverse=True)
            size = np.bincount(code)
            y, arm = np.bincount(code, y) / size, (np.bincount(code, arm) / size).round().astype(int)
            weight = None
        value = variance = 0.0
        for k, sign in ((1, 1.0), (0, -1.0)):
            w = np.ones(int(np.sum(arm == k))) if weight is None else weight[arm == k]
            mean = np.average(y[arm == k], weights=w)
            value += sign * mean
            variance += np.sum((w * (y[arm == k] - mean)) ** 2) / w.sum() ** 2 * len(w) / (len(w) - 1)
        error = float(np.sqrt(variance))
        return Estimate(
            estimand="",
            estimator="arm_means",
            scale=estimand.scale,
            value=float(value),
            standard_error=error,
            interval=Interval(
                low=value - 1.96 * error, high=value + 1.96 * error, level=0.95, kind="confidence"
            ),
            p_value=None,
            unit=sample.unit,
            units_used=len(sample.outcome),
            df=float(len(y) - 2),
        )


class LogRates:
    """Ratio of the arms' rates, with a robust error of its log."""

    needs: frozenset[str] = frozenset()
    designs = kinds = scales = frozenset({"any"})

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        assert sample.exposure is not None
        logs, variance = [], 0.0
        for k in (0, 1):
            y, time = sample.outcome[sample.arm == k], sample.exposure[sample.arm == k]
            logs.append(np.log(y.sum() / time.sum()))
            variance += np.sum((y - y.sum() / time.sum() * time) ** 2) / y.sum() ** 2
        value, error = logs[1] - logs[0], float(np.sqrt(variance))
        return Estimate(
            estimand="",
            estimator="log_rates",
            scale=estimand.scale,
            value=float(np.exp(value)),
            standard_error=error,
            interval=Interval(
                low=float(np.exp(value - 1.96 * error)),
                high=float(np.exp(value + 1.96 * error)),
                level=0.95,
                kind="confidence",
            ),
            p_value=None,
            unit=sample.unit,
            units_used=len(sample.outcome),
        )
