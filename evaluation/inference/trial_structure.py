"""Does the sample hold what its design promises: both arms, clusters in one arm, blocks with both?"""

from __future__ import annotations

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.inference.least_squares import Bools, Floats, Ints
from evaluation.sample import Sample
from experiments.estimand import Estimand

INSTEAD = {
    "count": "`rate_ratio`",
    "time": "`proportional_hazards`",
    "recurrent": "`recurrent_events`",
    "mean": "`difference_in_means`",
    "binary": "`difference_in_means`",
}


def check_serves(sample: Sample, estimand: Estimand, kinds: frozenset[str], scales: frozenset[str]) -> None:
    """Refuse an outcome of a kind, or a scale, that an estimator does not serve."""
    if sample.kind not in kinds:
        raise EstimatorRefused(
            where="outcome.kind",
            found=f"a {sample.kind} outcome",
            expected=f"one of: {', '.join(sorted(kinds))}",
            remedy=f"For a {sample.kind} outcome use {INSTEAD[sample.kind]}.",
        )
    if estimand.scale not in scales:
        raise EstimatorRefused(
            where="estimand.scale",
            found=f"'{estimand.scale}'",
            expected=f"one of: {', '.join(sorted(scales))}",
            remedy="Ask on a scale that this estimator serves, or choose another estimator.",
        )


def check_arms(sample: Sample, *, least: int = 2) -> None:
    """Each arm needs `least` rows, or clusters where clusters were drawn."""
    treated = sample.treated
    what = "people" if sample.cluster is None else "clusters"
    for name, inside in zip(sample.arms, (~treated, treated), strict=True):
        held = int(inside.sum()) if sample.cluster is None else len(np.unique(sample.cluster[inside]))
        if held < least:
            raise EstimatorRefused(
                where=f"arm.{name}",
                found=f"{held} {what if held != 1 else what.replace('people', 'person').rstrip('s')} "
                "with an outcome",
                expected=f"{least} or more, for a variance between them",
                remedy="Use `randomisation_test`, which rests on the draw alone, or report the numbers without "
                "an interval.",
            )


def check_clusters(sample: Sample) -> Ints:
    """The clusters, every one of them wholly in one arm."""
    if sample.cluster is None:
        raise EstimatorRefused(
            where="sample.cluster",
            found="no clusters",
            expected="the clusters that were drawn together",
            remedy="Name the cluster column in the design, or choose a variance for people drawn one by one (HC2).",
        )
    split = straddling(sample.cluster, sample.treated)
    if split:
        raise EstimatorRefused(
            where="sample.cluster",
            found=f"{split} clusters with people in both arms",
            expected="each cluster wholly in one arm",
            remedy="If people moved, analyse them in the arm their cluster was drawn to; if people were "
            "drawn within clusters, declare the clusters as blocks or sites.",
        )
    return sample.cluster


def straddling(group: Ints, treated: Bools) -> int:
    """How many groups have rows in both arms."""
    _, codes = np.unique(group, return_inverse=True)
    some = np.bincount(codes, weights=treated.astype(np.float64)) > 0
    other = np.bincount(codes, weights=(~treated).astype(np.float64)) > 0
    return int(np.count_nonzero(some & other))


def per_arm(group: Ints, unit: Ints, treated: Bools) -> tuple[Ints, Ints, Ints]:
    """Labels of the groups, and how many different units each holds in the reference and other arm."""
    labels, codes = np.unique(group, return_inverse=True)
    pairs = np.unique(np.column_stack([codes, treated.astype(np.int64), unit]), axis=0)
    held = np.zeros((len(labels), 2), dtype=np.int64)
    np.add.at(held, (pairs[:, 0], pairs[:, 1]), 1)
    return labels, held[:, 0], held[:, 1]


def positive_weights(sample: Sample) -> tuple[Sample, Floats | None]:
    """The rows whose weight is above zero, and those weights; refuses negative or missing ones."""
    if sample.weight is None:
        return sample, None
    if not np.all(np.isfinite(sample.weight)) or np.any(sample.weight < 0):
        raise EstimatorRefused(
            where="sample.weight",
            found=f"{int(np.count_nonzero(~(sample.weight >= 0)))} negative or missing weights",
            expected="weights of zero or more",
            remedy="Check how the weights were made.",
        )
    kept = sample.keep(sample.weight > 0)
    return kept, kept.weight
