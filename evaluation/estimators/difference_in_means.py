"""Difference in mean outcome between two arms, with the variance that the draw itself licenses.

The estimate, variance and degrees of freedom follow the design, as written out in
`evaluation/inference/stratified_difference.py`: plain, blocked (and multi-site), matched pairs, and
for clusters each of these with whole clusters as the units. For a binary outcome the value is the
risk difference, for a mean outcome the difference in means, in the outcome's own unit. Every block
counts by its share of people, so the estimand is the average effect among the people of the trial.

`variance: neyman` serves people drawn one by one (conservative, and exact HC2 when unblocked);
`variance: CR2` serves clusters drawn whole (Bell & McCaffrey), and is the one to write for them.
Under rerandomisation Neyman's variance is conservative (Li, Ding & Rubin 2018, PNAS 115, 9157-9162).

Assumes that outcomes missing or not, one person's outcome does not depend on another's arm (another
cluster's, for clusters), and that those without an outcome may be left aside. Needs two units of each
arm in each block, or exactly one of each (pairs); a pair that lost a member is left out and counted.

Reference: Neyman (1923); Imbens & Rubin (2015), Causal Inference for Statistics, Social, and
Biomedical Sciences, chapters 6, 9 and 10. Checked against estimatr 1.0.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference import stratified_difference as arithmetic
from evaluation.inference import student
from evaluation.inference.trial_structure import (
    check_arms,
    check_clusters,
    check_serves,
    per_arm,
    positive_weights,
)
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceInMeans:
    """The choices: the variance, and the level of the interval."""

    variance: Literal["neyman", "CR2"]
    level: float

    designs: ClassVar[frozenset[str]] = frozenset(
        {
            "simple",
            "complete",
            "blocked",
            "clustered",
            "blocked_clusters",
            "matched_pairs",
            "multi_site",
            "wait_list",
            "encouragement",
            "rerandomised",
            "sequential_blocks",
        }
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary"})
    scales: ClassVar[frozenset[str]] = frozenset({"mean_difference", "risk_difference"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """Estimate `estimand` from `sample`, in the outcome's own unit."""
        check_serves(sample, estimand, self.kinds, self.scales)
        self._check_variance(sample)
        kept, weight = positive_weights(sample)
        check_arms(kept)
        kept, dropped, paired = _blocks(kept)
        weight = kept.weight
        y, z, block, cluster = kept.outcome, kept.treated, kept.block, kept.cluster
        if block is not None and paired:
            found = arithmetic.in_pairs(y, z, block, weight)
        elif block is not None:
            found = arithmetic.in_blocks(y, z, block, cluster, weight)
        elif cluster is not None:
            found = arithmetic.by_cluster(y, z, cluster, weight)
        elif weight is not None:
            found = arithmetic.weighted(y, z, weight)
        else:
            found = arithmetic.plain(y, z)
        error = sqrt(found.variance)
        student.check_variance(error, found.df, float(np.abs(y).max(initial=0.0)))
        extra: dict[str, Any] = {
            "variance": self.variance,
            "unit_of_draw": "person" if cluster is None else "cluster",
            "blocks": None if block is None else len(np.unique(block)),
            "pairs_left_out": dropped,
            "arm_means": {
                name: float(np.average(y[arm], weights=None if weight is None else weight[arm]))
                for name, arm in zip(kept.arms, (~z, z), strict=True)
            },
        }
        return Estimate(
            estimand="",
            estimator="difference_in_means",
            scale=estimand.scale,
            value=found.value,
            standard_error=error,
            interval=student.interval(found.value, error, found.df, self.level),
            p_value=student.p_value(found.value, error, found.df),
            df=found.df,
            unit=sample.unit,
            units_used=kept.people,
            clusters_used=kept.clusters,
            extra=extra,
        )

    def _check_variance(self, sample: Sample) -> None:
        if sample.cluster is not None:
            check_clusters(sample)
        if (sample.cluster is None) == (self.variance == "CR2"):
            drawn = "people drawn one by one" if sample.cluster is None else "clusters drawn whole"
            raise EstimatorRefused(
                where="variance",
                found=f"'{self.variance}' for {drawn}",
                expected="'neyman' for people, 'CR2' for clusters",
                remedy=f"Write `variance: {'neyman' if sample.cluster is None else 'CR2'}`.",
            )


def _blocks(sample: Sample) -> tuple[Sample, int, bool]:
    """The rows in blocks that can be used, how many pairs fell out, and whether blocks are pairs."""
    if sample.block is None:
        return sample, 0, False
    unit = sample.person if sample.cluster is None else sample.cluster
    labels, reference, other = per_arm(sample.block, unit, sample.treated)
    most = max(int(reference.max()), int(other.max()))
    declared = sample.design is not None and sample.design.scheme == "matched_pairs"
    if most == 1 or declared:
        if most > 1:
            raise _thin(
                int(np.count_nonzero((reference > 1) | (other > 1))), "more than one unit of an arm", "pairs"
            )
        whole = (reference == 1) & (other == 1)
        if int(whole.sum()) < 2:
            raise _thin(int(whole.sum()), "both members measured", "pairs, and two or more are needed")
        kept = sample.keep(np.isin(sample.block, labels[whole]))
        return kept, int(np.count_nonzero(~whole)), True
    thin = int(np.count_nonzero((reference < 2) | (other < 2)))
    if thin:
        raise _thin(thin, "fewer than two units of an arm", "blocks")
    return sample, 0, False


def _thin(count: int, what: str, of: str) -> EstimatorRefused:
    return EstimatorRefused(
        where="sample.block",
        found=f"{count} {of.split(',')[0]} with {what}",
        expected="two or more of each arm in every block, or exactly one of each in every pair",
        remedy="Use `analysis_of_covariance`, which absorbs the blocks, or `randomisation_test`; or merge thin "
        "blocks in the design before the draw.",
    )
