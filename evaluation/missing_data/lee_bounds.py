"""Lee's bounds: the effect among people whose outcome would be seen whichever arm they were in.

The arm that lost fewer is trimmed until both arms keep the same share; the people trimmed are taken
first for its highest outcomes and then for its lowest. Assumes random assignment, and that treatment
either keeps people in view or drives them out of it, the same way for everybody. The bounds are not on
the effect for everyone randomised, and a study that reports them says so.

Reference: Lee (2009), Review of Economic Studies 76, 1071-1102; arithmetic and interval in
`evaluation/partial_identification/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluation.estimate import Estimate, Estimator, EstimatorRefused, check_level
from evaluation.partial_identification.bounds import bounds_estimate
from evaluation.partial_identification.even_chances import check_even_chances
from evaluation.partial_identification.trimming import trimming_bounds
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class LeeBounds:
    """`level` of the interval round the bounds."""

    level: float

    kinds: ClassVar = frozenset({"mean", "binary"})

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(
        self, sample: Sample, estimator: Estimator, estimand: Estimand, rng: np.random.Generator
    ) -> Estimate:
        """The bounds on a difference in means or risks; the analysis's estimator is not used."""
        if estimand.scale not in ("mean_difference", "risk_difference"):
            raise EstimatorRefused(
                where="missing.lee_bounds",
                found=f"the scale '{estimand.scale}'",
                expected="mean_difference or risk_difference",
                remedy="Use manski_bounds, which goes through the analysis's own estimator.",
            )
        check_even_chances(
            sample,
            where="missing.lee_bounds",
            remedy="Use manski_bounds, which goes through the analysis's own estimator.",
        )
        for code, name in enumerate(sample.arms):
            inside = sample.arm == code
            units = sample.person if sample.cluster is None else sample.cluster
            if len(np.unique(units[inside & sample.observed])) < 2:
                raise EstimatorRefused(
                    where=f"missing.lee_bounds (arm {name})",
                    found="fewer than two people, or clusters, with an outcome",
                    expected="at least two in each arm",
                    remedy="Use manski_bounds.",
                )
        found = trimming_bounds(sample.outcome, sample.treated, sample.cluster)
        return bounds_estimate(
            found.bounds,
            sample,
            scale=estimand.scale,
            level=self.level,
            estimator="lee_bounds",
            units_used=int(sample.observed.sum()),
            handling={
                "method": "lee_bounds",
                "population": "people whose outcome would be seen in either arm",
                "trimmed_arm": None if found.arm is None else sample.arms[found.arm],
                "trimmed_share": found.share,
                "seen": dict(zip(sample.arms, found.seen, strict=True)),
            },
        )
