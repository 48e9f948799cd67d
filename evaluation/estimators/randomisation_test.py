"""Randomisation test: what the study's own random draw could have shown had treatment done nothing.

The declared assignment is drawn again many times (or listed in full where there are few), and the
observed statistic is placed among those of the re-draws. `difference` compares the difference in
means or rates itself, and tests the sharp null that nobody's outcome was changed. `studentised`
divides it by its standard error: the test of the sharp null stays exact, and in large samples it is
also a valid test of the weak null that the average effect is zero. The interval holds the constant
effects that the test does not reject: one shift for everybody on difference scales, one factor on
ratio scales. People and clusters without a measured outcome are left out on the assumption that
treatment did not decide who was measured.

The value is the difference in means (or rates, by exposure) averaged over blocks by their share of
people (or exposure); clusters count by their size; where chances of treatment differ inside blocks
each unit is weighted by the inverse of its chance. Adaptive allocation is weighted by the chances of
its own history, in every re-draw anew, and gets a test and no interval. In stepped wedges and
crossovers units are compared within periods (in crossovers after taking out each place's mean), and
the statistic's variance is between clusters. A ratio is that of the two averages.

References: Fisher (1935), The Design of Experiments; Rosenbaum (2002), Observational Studies, 2.6,
on intervals by inversion; Wu & Ding (2021), Randomization tests for weak null hypotheses, JASA
116(536), 1898-1913; Phipson & Smyth (2010) on p-values from drawn assignments.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, Interval, check_level
from evaluation.inference.randomisation_test import RandomisationResult, redraw_test
from evaluation.inference.redraw_histogram import histogram
from evaluation.sample import Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES

_SHIFT = "Each end of the interval supposes one shift, the same for every unit."
_FACTOR = "Each end of the interval supposes one factor, the same for every unit."
_WHOLE = (
    " No single one can hold for outcomes that are whole numbers, so the interval is a large-sample one"
    " for the average effect and not an exact one."
)
_ONLY_SHARP = (
    " With the unstudentised difference the interval rests on that supposition and may mislead where "
    "effects differ between people and the arms differ in size."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomisationTest:
    """`redraws` assignments are drawn, or all are listed where there are no more than that."""

    statistic: Literal["difference", "studentised"]
    redraws: int
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
            "stepped_wedge",
            "crossover",
            "wait_list",
            "encouragement",
            "rerandomised",
            "minimised",
            "adaptive",
            "factorial",
            "sequential_blocks",
        }
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary", "count"})
    scales: ClassVar[frozenset[str]] = frozenset(
        {"mean_difference", "risk_difference", "risk_ratio", "rate_difference", "rate_ratio"}
    )
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)
        fewest = round(2 / (1 - self.level)) - 1
        if self.redraws < fewest:
            raise EstimatorRefused(
                where="redraws",
                found=str(self.redraws),
                expected=f"at least {fewest} for a level of {self.level:g}",
                remedy="Ask for some thousands: 9999 or 19999 keep the Monte Carlo error small.",
            )

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The effect, the p-value of no effect, and the constant effects that are not rejected."""
        if sample.kind not in self.kinds:
            raise EstimatorRefused(
                where="outcome.kind",
                found=sample.kind,
                expected="mean, binary or count",
                remedy="Name `log_rank_by_redraws` or `proportional_hazards` for a time to an event.",
            )
        ratio = estimand.scale in RATIO_SCALES
        result = redraw_test(
            sample,
            statistic=self.statistic,
            redraws=self.redraws,
            level=self.level,
            rng=rng,
            ratio=ratio,
            rate=estimand.scale.startswith("rate_") and sample.exposure is not None,
        )
        low, high = result.low, result.high
        if estimand.scale == "risk_difference":
            low, high = max(low, -1.0), min(high, 1.0)
        bounded = isfinite(low) and isfinite(high)
        return Estimate(
            estimand="",
            estimator="randomisation_test",
            scale=estimand.scale,
            value=result.value,
            standard_error=result.standard_error,
            interval=Interval(low=low, high=high, level=self.level, kind="confidence") if bounded else None,
            p_value=result.p,
            unit="ratio" if ratio else sample.unit,
            units_used=sample.people,
            clusters_used=sample.clusters,
            extra=self._extra(sample, result, ratio=ratio, bounded=bounded),
        )

    def _extra(
        self, sample: Sample, result: RandomisationResult, *, ratio: bool, bounded: bool
    ) -> dict[str, Any]:
        drawn = len(result.redrawn)
        assumes = _FACTOR if ratio else _SHIFT
        if sample.kind != "mean":
            assumes += _WHOLE
        if self.statistic == "difference":
            assumes += _ONLY_SHARP
        extra: dict[str, Any] = {
            "statistic": self.statistic,
            "variance": result.variance,
            "null": "weak" if self.statistic == "studentised" else "sharp",
            "exact": result.exact,
            "redraws": drawn,
            "undefined": result.undefined,
            "conditional": result.conditional,
            "observed": result.observed,
            "monte_carlo_error": 0.0 if result.exact else sqrt(result.p * (1 - result.p) / drawn),
            "assumes": assumes,
            "histogram": histogram(result),
        }
        if result.learned:
            extra["no_interval"] = (
                "The allocation learned from outcomes, so it can be drawn again under no effect alone: "
                "there is a test and no interval."
            )
            extra["null"] = "sharp"
            extra["assumes"] = "Nobody's outcome, the one learned from included, was changed by treatment."
        elif not bounded:
            extra["no_interval"] = (
                f"At this level no effect, however large, is rejected on one side: {drawn} assignments "
                "cannot give a p-value small enough."
            )
        return extra
