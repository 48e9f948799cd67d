"""Rows as the Bayesian models take them: refused where not independent, and in one order whatever came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.inference.treatment_columns import both_arms
from evaluation.inference.trial_structure import check_arms, check_clusters
from evaluation.partial_identification.even_chances import check_even_chances
from evaluation.sample import Floats, Ints, Sample

PEOPLE = frozenset({"simple", "complete", "blocked", "sequential_blocks", "rerandomised", "wait_list"})
"""Schemes in which people are drawn one by one and all may have the same chance, which is checked."""
CLUSTERS = frozenset({"clustered", "blocked_clusters"})
"""Schemes in which whole clusters are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """(n,) arrays sorted by cluster, arm, outcome, exposure and covariates; `covariates` (n, k) in SDs about means."""

    outcome: Floats
    arm: Ints
    exposure: Floats
    covariates: Floats
    names: tuple[str, ...]
    cluster: Ints | None


def people_by_covariates(sample: Sample, exposure: Floats, *, adjusts: bool) -> People:
    """The rows of a sample, sorted so that the sampler's path does not hang on their order."""
    n = len(sample.outcome)
    x = np.empty((n, 0))
    names: tuple[str, ...] = ()
    if adjusts and sample.covariates is not None and sample.covariates.shape[1]:
        raw = sample.covariates
        spread = raw.std(axis=0)
        flat = [name for name, s in zip(sample.covariate_names, spread, strict=True) if s <= 0]
        if flat:
            raise EstimatorRefused(
                where="covariates",
                found=f"the same value for everybody in {', '.join(flat)}",
                expected="covariates that vary",
                remedy="Remove them from the analysis: they can explain nothing.",
            )
        # Sums in sorted order: the mean of shuffled rows differs in its last bit.
        ordered = np.sort(raw, axis=0)
        x, names = (raw - ordered.mean(axis=0)) / ordered.std(axis=0), sample.covariate_names
    keys = (*x.T[::-1], exposure, sample.outcome, sample.arm)
    order = np.lexsort(keys if sample.cluster is None else (*keys, sample.cluster))
    return People(
        outcome=sample.outcome[order],
        arm=sample.arm[order],
        exposure=exposure[order],
        covariates=x[order],
        names=names,
        cluster=None if sample.cluster is None else sample.cluster[order],
    )


def check_independent(sample: Sample) -> None:
    """Refuse clusters, weights, several rows for one person, uneven chances and an empty arm."""
    if sample.cluster is not None:
        raise EstimatorRefused(
            where="design",
            found="people in clusters",
            expected="people randomised one by one",
            remedy="Use `bayes_clustered_binary` or `bayes_clustered_mean`, which let clusters differ.",
        )
    check_counted_once(sample)
    both_arms(sample)
    if sample.block is not None:
        check_even_chances(
            sample, where="design", remedy="Use `difference_in_means`, which weighs blocks by their people."
        )


def check_whole_clusters(sample: Sample) -> Ints:
    """The clusters, each wholly in one arm and two or more in each; refuses weights and uneven chances."""
    cluster = check_clusters(sample)
    check_counted_once(sample)
    check_arms(sample)
    if sample.block is not None:
        check_even_chances(
            sample, where="design", remedy="Use `difference_in_means`, which weighs blocks by their people."
        )
    return cluster


def check_counted_once(sample: Sample) -> None:
    """Refuse weights, and several rows for one person."""
    if sample.weight is not None:
        raise EstimatorRefused(
            where="weight",
            found="weights",
            expected="none: a likelihood counts each person once",
            remedy="Use an estimator that is not Bayesian, or impute what is missing.",
        )
    if len(np.unique(sample.person)) < len(sample.person):
        raise EstimatorRefused(
            where="person",
            found="several rows for some people",
            expected="one row per person",
            remedy="Sum each person's counts and exposure, or use an estimator for repeated outcomes.",
        )


def ranges(draws: Floats, level: float) -> dict[str, Any]:
    """Posterior mean and equal-tailed interval of one quantity."""
    low, high = np.quantile(draws, ((1 - level) / 2, (1 + level) / 2))
    return {"mean": float(draws.mean()), "low": float(low), "high": float(high)}
