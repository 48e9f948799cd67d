"""What an estimator and a check return: one shape, whoever computed it and however."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from data_contracts.refusal import Refusal
from evaluation.sample import Sample
from experiments.estimand import Estimand


class EstimatorRefused(Refusal):
    """An estimator asked for what the design, the outcome or these data do not license."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """`kind` says how to read it: a confidence interval, or a credible interval of a posterior."""

    low: float
    high: float
    level: float
    kind: Literal["confidence", "credible"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number with its uncertainty.

    `value` and `interval` are on the estimand's scale (ratios are ratios, not logs). `standard_error`
    is on the same scale for differences, and of the log for ratio scales. `df` is the t distribution's
    degrees of freedom behind the interval; None where the normal or a re-draw distribution was used.
    What does not apply is None. `extra` holds an estimator's own published numbers, by name, JSON-ready.
    `draws` are posterior draws on the estimand's scale, (draws,), kept out of the findings' JSON.
    """

    estimand: str
    estimator: str
    scale: str
    value: float
    standard_error: float | None
    interval: Interval | None
    p_value: float | None
    unit: str
    units_used: int
    df: float | None = None
    clusters_used: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    draws: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A diagnostic's answer. What could not be computed is `not assessed`, never `met`."""

    name: str
    question: str
    verdict: Literal["met", "not met", "not assessed"]
    statistic: float | None
    note: str
    rows: tuple[Mapping[str, Any], ...] = ()
    """A table behind the verdict, one mapping per row, JSON-ready."""


class Estimator(Protocol):
    """The promise of a file in `evaluation/estimators/`: a frozen dataclass of choices, then a call.

    Fields are the choices that a study must write (level, variance, ...), with no defaults for the
    scientific ones. `designs` are the schemes served; `kinds` the outcome kinds; `scales` the scales.
    `needs` names parts of the sample that must be there (cluster, block, exposure, received, period).
    """

    designs: ClassVar[frozenset[str]]
    kinds: ClassVar[frozenset[str]]
    scales: ClassVar[frozenset[str]]
    needs: ClassVar[frozenset[str]]

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """Estimate `estimand`; deterministic estimators ignore `rng`."""
        ...


def check_level(level: float) -> None:
    """Refuse a level that is not a proportion such as 0.95."""
    if not 0.5 <= level < 1:
        raise EstimatorRefused(
            where="level",
            found=str(level),
            expected="a proportion of at least 0.5 and below 1",
            remedy="Write 0.95, not 95.",
        )
