"""Missing outcomes, handled as the protocol says: one primary way, the others as sensitivity rows.

Each way is a file in `evaluation/missing_data/`, a frozen declaration of choices that wraps the
analysis's own estimator, so that only the handling differs between the rows. Its choices stand in
the study under `missing.options`, by the way's name:

    missing:
      primary: complete_case
      sensitivity: [multiple_imputation, manski_bounds]
      options:
        multiple_imputation: {imputations: 50, iterations: 10, auxiliary: [], scores: normal, donors: 5}
        manski_bounds: {lowest: 0, highest: 1}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np

from data_contracts import catalogue
from data_contracts.declared import build
from data_contracts.refusal import nearest
from evaluation.estimate import Estimate, Estimator, EstimatorRefused
from evaluation.missing_data.complete_case import complete_case
from evaluation.sample import Sample
from experiments.estimand import Estimand
from experiments.protocol import Missing

__all__ = ["Handling", "complete_case", "handle", "handling", "plan_missing"]

FOLDER = "evaluation.missing_data"


class Handling(Protocol):
    """The promise of a file in `evaluation/missing_data/`; `kinds` are the outcome kinds it serves."""

    kinds: ClassVar[frozenset[str]]

    def __call__(
        self, sample: Sample, estimator: Estimator, estimand: Estimand, rng: np.random.Generator
    ) -> Estimate:
        """The analysis of `sample` by `estimator`, with gaps handled this way."""
        ...


def plan_missing(missing: Missing, *, path: str) -> dict[str, Handling]:
    """Every way that an analysis names, built with its choices: fails before there are data.

    Refuses unknown names, choices left out, and options for a way that is not used.
    """
    used = (missing.primary, *missing.sensitivity)
    for name in missing.options:
        if name not in used:
            raise EstimatorRefused(
                where=f"{path}.options.{name}",
                found="options for a way of handling missing outcomes that is not used",
                expected="options only for `primary` and the names under `sensitivity`",
                remedy=nearest(name, used),
            )
    return {name: handling(name, missing.options, path=path) for name in used}


def handling(name: str, options: Mapping[str, Any], *, path: str = "missing") -> Handling:
    """The way called `name`, with its choices from `options[name]`."""
    kind = catalogue.find(FOLDER, name, where=path)
    chosen: Handling = build(kind, dict(options.get(name, {})), path=f"{path}.options.{name}")
    return chosen


def handle(
    name: str,
    sample: Sample,
    estimator: Estimator,
    estimand: Estimand,
    rng: np.random.Generator,
    options: Mapping[str, Any],
) -> Estimate:
    """`estimator`'s answer with missing outcomes handled by `name`; `options` are the analysis's."""
    way = handling(name, options)
    if sample.kind not in way.kinds:
        raise EstimatorRefused(
            where=f"missing.{name}",
            found=f"a {sample.kind} outcome",
            expected=f"one of the kinds it serves: {', '.join(sorted(way.kinds))}",
            remedy="Use complete_case, or another way that serves this kind.",
        )
    return way(sample, estimator, estimand, rng)
