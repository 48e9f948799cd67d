"""Ratio of the rates of a repeated event, by Andersen & Gill's model with robust errors.

    rate(t | arm, x) = rate_s(t) exp(b arm + x c),        value = exp(b)

Each row is one stretch (entry, exit] of a person's follow-up, ending in an event or not. With errors summed over a
person's rows (or over clusters) this is Lin, Wei, Yang & Ying's proportional-rates model: it does not assume that a
person's events are independent of one another, only that the ratio of rates is constant and that
censoring is independent of the rate. The mean cumulative function (events per person by a time) is reported by
arm at the end of shared follow-up, with its interval. With clusters use `CR3`, which holds its level with few of them; `cluster`, the plain sandwich,
is refused below 100.

References: Andersen & Gill (1982), Annals of Statistics 10, 1100-1120; Lin, Wei, Yang & Ying (2000), JRSS B 62, 711-730; Lawless & Nadeau
(1995), Technometrics 37, 158-168. Checked against R's survival 3.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference.cluster_layout import by_cluster
from evaluation.inference.cox import Cox, cluster_sums, fit, risk_sets, robust_variance
from evaluation.inference.row_weights import rows_with_weight
from evaluation.inference.served_designs import CLUSTERS, PEOPLE
from evaluation.inference.small_sample_gee import robust_from_sums
from evaluation.inference.survival import mean_cumulative, time_rows
from evaluation.inference.treatment_columns import treatment_columns
from evaluation.inference.wald import wald
from evaluation.sample import Bools, Floats, Sample
from experiments.estimand import Estimand

MANY_CLUSTERS = 100
FEWEST_DEGREES = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentEvents:
    """Choices: what errors are summed over, the handling of tied times, the level."""

    variance: Literal["robust", "cluster", "CR3"]
    ties: Literal["efron", "breslow"]
    level: float

    designs: ClassVar[frozenset[str]] = PEOPLE | CLUSTERS
    kinds: ClassVar[frozenset[str]] = frozenset({"recurrent"})
    scales: ClassVar[frozenset[str]] = frozenset({"rate_ratio"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The rate of events in `sample.arms[1]` over that in `sample.arms[0]`."""
        sample = rows_with_weight(sample)
        x, _ = treatment_columns(sample)
        time, event, entry = time_rows(sample)
        _check(sample, time, event, entry)
        clusters = self._clusters(sample)
        at = risk_sets(time, event, ties=self.ties, entry=entry, strata=sample.block, weight=sample.weight)
        fitted = fit(x, at, ties=self.ties)
        error, df = self._error(fitted, sample, clusters)
        value = float(np.exp(fitted.coefficient[0]))
        interval, p = wald(value, error, level=self.level, df=df, ratio=True)
        return Estimate(
            estimand="",
            estimator="recurrent_events",
            scale="rate_ratio",
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit="ratio of rates",
            units_used=sample.people,
            df=df,
            clusters_used=clusters,
            extra={
                "log_rate_ratio": float(fitted.coefficient[0]),
                "model_standard_error": float(np.sqrt(fitted.model_variance[0, 0])),
                "mean_cumulative": _cumulative(sample, time, event, entry, self.level),
            },
        )

    def _error(self, fitted: Cox, sample: Sample, clusters: int | None) -> tuple[float, float | None]:
        if sample.cluster is None or clusters is None:
            return float(np.sqrt(robust_variance(fitted, sample.person)[0, 0])), None
        if self.variance == "cluster":
            return float(np.sqrt(robust_variance(fitted, sample.cluster)[0, 0])), float(clusters - 2)
        information, score = cluster_sums(fitted, sample.cluster)
        arm = np.eye(len(fitted.coefficient))[0]
        variance, satterthwaite = robust_from_sums(information, score, fitted.model_variance, arm, "CR3")
        df = min(float(satterthwaite), float(clusters - 2))
        if df < FEWEST_DEGREES:
            raise EstimatorRefused(
                where="variance",
                found=f"{df:.1f} degrees of freedom from {clusters} clusters",
                expected=f"at least {FEWEST_DEGREES:.0f}",
                remedy="Count the events and use `cluster_means` with the rate ratio.",
            )
        return float(np.sqrt(variance)), df

    def _clusters(self, sample: Sample) -> int | None:
        count = None if sample.cluster is None else len(np.unique(sample.cluster))
        if (count is None) != (self.variance == "robust"):
            raise EstimatorRefused(
                where="variance",
                found=self.variance,
                expected="CR3 or cluster where clusters were drawn, robust where people were",
                remedy=f"Write `variance: {'robust' if count is None else 'CR3'}`.",
            )
        if count is not None and self.variance == "cluster" and count < MANY_CLUSTERS:
            raise EstimatorRefused(
                where="variance",
                found=f"{count} clusters",
                expected=f"at least {MANY_CLUSTERS} for the sandwich without a correction",
                remedy="Use `variance: CR3`, or count the events and use `cluster_means`.",
            )
        if count is not None:
            by_cluster(sample)
        return count


def _check(sample: Sample, time: Floats, event: Bools, entry: Floats) -> None:
    if sample.kind != "recurrent":
        raise EstimatorRefused(
            where="kind",
            found=f"a {sample.kind} outcome",
            expected="repeated events, one row per stretch of follow-up",
            remedy="Use `proportional_hazards` for a first event and `rate_ratio` for counts.",
        )
    order = np.lexsort((entry, sample.person))
    same = sample.person[order][1:] == sample.person[order][:-1]
    overlap = int(np.count_nonzero(same & (entry[order][1:] < time[order][:-1])))
    if overlap:
        raise EstimatorRefused(
            where="entry",
            found=f"{overlap} stretches that begin before the same person's last one ends",
            expected="stretches that follow one another",
            remedy="Cut each person's follow-up at their events, without overlap.",
        )
    for code, name in enumerate(sample.arms):
        if not event[sample.arm == code].any():
            raise EstimatorRefused(
                where=f"arms.{name}",
                found="no events",
                expected="at least one event in each arm",
                remedy="A ratio has no estimate here: report the counts, or ask for a rate difference.",
            )


def _cumulative(
    sample: Sample, time: Floats, event: Bools, entry: Floats, level: float
) -> list[dict[str, Any]]:
    horizon = min(float(time[sample.arm == code].max()) for code in (0, 1))
    rows = []
    for code, name in enumerate(sample.arms):
        inside = sample.arm == code
        times, mean, low, high = mean_cumulative(
            time[inside], event[inside], entry[inside], sample.person[inside], level
        )
        last = int(np.searchsorted(times, horizon, side="right")) - 1
        if last < 0:
            rows.append({"arm": name, "time": horizon, "mean": 0.0, "low": None, "high": None})
            continue
        rows.append(
            {
                "arm": name,
                "time": horizon,
                "mean": float(mean[last]),
                "low": float(low[last]),
                "high": float(high[last]),
            }
        )
    return rows
