"""The rows with everything the analysis needs: unbiased only if what is missing left at random.

A complete-case analysis of a trial is unbiased when, within arms and given the covariates adjusted
for, the people without outcomes are like those with them (White, Horton, Carpenter & Pocock 2011,
Strategy for intention to treat analysis in randomised trials with missing outcome data, BMJ 342,
d40). The sensitivity rows ask what happens when they are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluation.estimate import Estimate, Estimator, EstimatorRefused
from evaluation.sample import Bools, Sample
from experiments.estimand import Estimand

ALWAYS = ("outcome", "covariates", "exposure", "weight", "entry")
"""Parts of a sample that no analysis can use with a gap; the others only where an estimator needs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteCase:
    """Analyse the rows with an outcome and every covariate; no choices."""

    kinds: ClassVar = frozenset({"mean", "binary", "count", "time", "recurrent"})

    def __call__(
        self, sample: Sample, estimator: Estimator, estimand: Estimand, rng: np.random.Generator
    ) -> Estimate:
        """The estimator's answer on the complete rows."""
        return estimator(complete_case(sample, estimator.needs), estimand, rng)


def complete_case(sample: Sample, needs: frozenset[str] = frozenset()) -> Sample:
    """The rows with no gap in outcome, covariates, exposure, weight or entry, nor in what is needed.

    `needs` are an estimator's: `received` and `baseline` count only where they are asked for.
    Refuses where an arm has no row left.
    """
    kept = sample.keep(complete_rows(sample, needs))
    check_arms(kept)
    return kept


def complete_rows(sample: Sample, needs: frozenset[str] = frozenset()) -> Bools:
    """(n,) True where nothing that the analysis uses is missing."""
    complete = np.ones(len(sample.outcome), dtype=bool)
    for part in (*ALWAYS, *sorted(needs & {"received", "baseline"})):
        values = getattr(sample, part)
        if values is not None:
            gaps = np.isnan(values)
            complete &= ~(gaps.any(axis=1) if gaps.ndim == 2 else gaps)
    return complete


def check_arms(sample: Sample) -> None:
    """Refuse a sample in which an arm has nobody."""
    for code, name in enumerate(sample.arms):
        if not np.any(sample.arm == code):
            raise EstimatorRefused(
                where=f"arms.{name}",
                found="no rows with an outcome and every covariate",
                expected="people to compare in both arms",
                remedy="Report that arm's outcome as lost; `manski_bounds` states what can still be said "
                "where each arm has at least one outcome.",
            )
