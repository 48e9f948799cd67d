"""Difference in mean time free of the event, up to a stated horizon.

    RMST_a(h) = area under arm a's Kaplan-Meier curve from 0 to h,    value = RMST_1(h) - RMST_0(h)

In the unit of time: "so many more weeks without re-arrest, in the first year". No hazards need be proportional. Assumes
censoring independent of the event within an arm. The horizon must lie inside both arms' follow-up.

`variance: greenwood` is for people drawn one by one. `cluster` sums people's influence on their arm's area over
clusters, with G_a / (G_a - 1) per arm and Student's t on Satterthwaite's degrees (each arm's G_a - 1), as a two-sample t-test of
clusters would. Late entry is served by greenwood alone. Blocks and covariates are not used.

References: Royston & Parmar (2013), BMC Medical Research Methodology 13, 152; Andersen, Hansen & Klein (2004), Lifetime Data
Analysis 10, 335-350 (influence); Uno et al. (2014), J. Clin. Oncol. 32, 2380-2385. Checked against R's survival.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference.cluster_layout import by_cluster
from evaluation.inference.row_weights import without_weights
from evaluation.inference.survival import (
    Steps,
    kaplan_meier,
    log_rank,
    quantile,
    restricted_mean,
    restricted_mean_influence,
    time_rows,
)
from evaluation.inference.wald import wald
from evaluation.sample import Bools, Floats, Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictedMeanSurvival:
    """Choices: the horizon in the outcome's unit of time, the variance, the level."""

    horizon: float
    variance: Literal["greenwood", "cluster"]
    level: float

    designs: ClassVar[frozenset[str]] = frozenset(
        {"simple", "complete", "blocked", "clustered", "wait_list", "encouragement"}
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"time"})
    scales: ClassVar[frozenset[str]] = frozenset({"rmst_difference"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)
        if not self.horizon > 0:
            raise EstimatorRefused(
                where="horizon",
                found=str(self.horizon),
                expected="a time above zero",
                remedy="Write the end of the window over which time free of the event is averaged.",
            )

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """RMST of `sample.arms[1]` minus RMST of `sample.arms[0]`."""
        without_weights(sample, "proportional_hazards")
        layout = by_cluster(sample)
        time, event, entry = time_rows(sample)
        self._check(sample)
        steps = []
        for code, name in enumerate(sample.arms):
            inside = sample.arm == code
            late = None if sample.entry is None else entry[inside]
            curve = kaplan_meier(time[inside], event[inside], late)
            self._reached(curve, name)
            steps.append(curve)
        means, variances = zip(*(restricted_mean(curve, self.horizon) for curve in steps), strict=True)
        df: float | None = None
        if self.variance == "cluster":
            variances, df = self._by_cluster(sample, time, event)
        value = means[1] - means[0]
        error = float(np.sqrt(sum(variances)))
        interval, p = wald(value, error, level=self.level, df=df, ratio=False)
        return Estimate(
            estimand="",
            estimator="restricted_mean_survival",
            scale="rmst_difference",
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit=sample.unit,
            units_used=sample.people,
            df=df,
            clusters_used=layout.clusters if layout.clustered else None,
            extra=self._published(sample, means, variances, steps, time, event, entry),
        )

    def _check(self, sample: Sample) -> None:
        if sample.covariates is not None and sample.covariates.shape[1]:
            raise EstimatorRefused(
                where="covariates",
                found=f"{sample.covariates.shape[1]} covariates",
                expected="none: areas under curves are compared as they are",
                remedy="Remove them here, and adjust in `proportional_hazards`.",
            )
        clustered = sample.cluster is not None
        if clustered != (self.variance == "cluster"):
            raise EstimatorRefused(
                where="variance",
                found=self.variance,
                expected="cluster where clusters were drawn, greenwood where people were",
                remedy=f"Write `variance: {'cluster' if clustered else 'greenwood'}`.",
            )
        if clustered and sample.entry is not None:
            raise EstimatorRefused(
                where="entry",
                found="late entry in a clustered design",
                expected="follow-up from allocation",
                remedy="Use `proportional_hazards` with `variance: cluster`.",
            )

    def _reached(self, curve: Steps, name: str) -> None:
        if curve.time[-1] < self.horizon and curve.survival[-1] > 0:
            raise EstimatorRefused(
                where="horizon",
                found=f"a horizon beyond the last follow-up of the arm '{name}'",
                expected="a horizon that somebody in each arm was followed to",
                remedy="Use a shorter horizon, fixed before the outcomes are seen.",
            )

    def _by_cluster(self, sample: Sample, time: Floats, event: Bools) -> tuple[tuple[float, float], float]:
        assert sample.cluster is not None
        parts, freedom = [], []
        for code in (0, 1):
            inside = sample.arm == code
            influence = restricted_mean_influence(time[inside], event[inside], self.horizon)
            _, group = np.unique(sample.cluster[inside], return_inverse=True)
            total = np.bincount(group, weights=influence)
            parts.append(float((total**2).sum()) * len(total) / (len(total) - 1))
            freedom.append(len(total) - 1)
        df = sum(parts) ** 2 / sum(part**2 / free for part, free in zip(parts, freedom, strict=True))
        return (parts[0], parts[1]), float(df)

    def _published(
        self,
        sample: Sample,
        means: tuple[float, ...],
        variances: tuple[float, ...],
        steps: list[Steps],
        time: Floats,
        event: Bools,
        entry: Floats,
    ) -> dict[str, Any]:
        arms = [
            {
                "arm": name,
                "restricted_mean": means[code],
                "standard_error": float(np.sqrt(variances[code])),
                "median": quantile(steps[code], 0.5),
            }
            for code, name in enumerate(sample.arms)
        ]
        out: dict[str, Any] = {"horizon": self.horizon, "arms": arms, "ratio": means[1] / means[0]}
        if sample.cluster is None:
            statistic, p = log_rank(time, event, sample.arm, None if sample.entry is None else entry)
            out["log_rank"] = {"statistic": statistic, "df": 1, "p_value": p}
        return out
