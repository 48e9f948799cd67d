"""Ratio of rates where many people have no event for a reason of their own: zero-inflated or hurdle models.

    value = sum_i m_i(1) / sum_i m_i(0),    m_i(a) the mean count of person i with the arm set to a

averaged over everybody in the trial, so that it is the same quantity as `rate_ratio` estimates: all events over all time at
risk. `zeros: inflated` mixes people never at risk with a count; `hurdle` separates having any event from how many. The arm and covariates
enter both parts; so does the log of exposure in the part of zeros, where exposure varies. What the model adds is in
`extra`: the chance of any event and the mean among those with one, by arm. It leans on the law of counts; `rate_ratio` does not.

Errors by the delta method, from the sandwich over people (`variance: robust`), the information (`model`) or the sandwich over
clusters (`cluster`; for 100 or more, fewer are refused).

References: Lambert (1992), Technometrics 34, 1-14; Mullahy (1986), J. Econometrics 33, 341-365; Albert, Wang & Nelson (2014), Statistics in
Medicine 33, 4143-4160 (overall effects of zero-inflated models). Checked against R's pscl 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference.arm_model import MANY_CLUSTERS, block_columns
from evaluation.inference.cluster_layout import Layout, by_cluster
from evaluation.inference.count_rows import arm_rates, check_counts, exposure_of
from evaluation.inference.estimating import segment_sum
from evaluation.inference.served_designs import CLUSTERS, PEOPLE
from evaluation.inference.treatment_columns import treatment_columns
from evaluation.inference.wald import wald
from evaluation.inference.zero_models import ZeroModel, any_event, expected, fit_zero_model
from evaluation.sample import Floats, Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroHeavyRateRatio:
    """Choices: what makes the zeros, the law of counts, the variance, the level."""

    zeros: Literal["inflated", "hurdle"]
    law: Literal["poisson", "negative_binomial"]
    variance: Literal["model", "robust", "cluster"]
    level: float

    designs: ClassVar[frozenset[str]] = PEOPLE | CLUSTERS
    kinds: ClassVar[frozenset[str]] = frozenset({"count"})
    scales: ClassVar[frozenset[str]] = frozenset({"rate_ratio"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The rate in `sample.arms[1]` over that in `sample.arms[0]`."""
        check_counts(sample)
        layout = by_cluster(sample)
        self._check(sample, layout)
        x, z, offset = _columns(sample, layout)
        y = sample.outcome[layout.order]
        fitted = fit_zero_model(y, x, z, offset=offset, zeros=self.zeros, law=self.law)
        if not fitted.solved:
            raise EstimatorRefused(
                where="zeros",
                found="a part of zeros that these counts do not identify (its chances run to 0 or 1)",
                expected="more or fewer zeros than the law of counts has by itself",
                remedy="Use `rate_ratio` with `model: negative_binomial`, which needs no separate zeros.",
            )
        covariance = self._covariance(fitted, layout)

        def log_ratio(theta: Floats) -> float:
            one, zero = (self._total(theta, x, z, offset, arm) for arm in (1.0, 0.0))
            return float(np.log(one / zero))

        step = 1e-5 * np.maximum(1.0, np.abs(fitted.theta))
        slope = np.array(
            [
                (log_ratio(fitted.theta + u) - log_ratio(fitted.theta - u)) / (2 * h)
                for u, h in zip(np.diag(step), step, strict=True)
            ]
        )
        value, error = float(np.exp(log_ratio(fitted.theta))), float(np.sqrt(slope @ covariance @ slope))
        df = float(layout.clusters - 2) if self.variance == "cluster" else None
        interval, p = wald(value, error, level=self.level, df=df, ratio=True)
        return Estimate(
            estimand="",
            estimator="zero_heavy_rate_ratio",
            scale="rate_ratio",
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit="ratio of rates",
            units_used=sample.people,
            df=df,
            clusters_used=layout.clusters if layout.clustered else None,
            extra={
                "log_likelihood": fitted.log_likelihood,
                "rates": arm_rates(sample),
                "parts": self._parts(sample, fitted, x, z, offset),
            },
        )

    def _check(self, sample: Sample, layout: Layout) -> None:
        if layout.clustered != (self.variance == "cluster"):
            raise EstimatorRefused(
                where="variance",
                found=self.variance,
                expected="cluster where clusters were drawn, robust or model where people were",
                remedy=f"Write `variance: {'cluster' if layout.clustered else 'robust'}`.",
            )
        if layout.clustered and layout.clusters < MANY_CLUSTERS:
            raise EstimatorRefused(
                where="variance",
                found=f"{layout.clusters} clusters",
                expected=f"at least {MANY_CLUSTERS}",
                remedy="Use `rate_ratio` with `variance: FG`, right about the ratio whatever makes the zeros.",
            )
        if sample.weight is not None or not (sample.outcome == 0).any():
            weighted = sample.weight is not None
            raise EstimatorRefused(
                where="weight" if weighted else "outcome",
                found="weights" if weighted else "nobody without an event",
                expected="no weights" if weighted else "people with no event",
                remedy="Use `rate_ratio`.",
            )

    def _covariance(self, fitted: ZeroModel, layout: Layout) -> Floats:
        if self.variance == "model":
            return fitted.bread
        scores, n = fitted.scores, layout.clusters
        if layout.clustered or len(scores) != n:
            scores = segment_sum(scores, layout.starts, 0)
        meat = scores.T @ scores * n / (n - 1)
        return np.asarray(fitted.bread @ meat @ fitted.bread)

    def _total(self, theta: Floats, x: Floats, z: Floats, offset: Floats, arm: float) -> float:
        x, z = x.copy(), z.copy()
        x[:, 1] = z[:, 1] = arm
        return float(expected(theta, x, z, offset, self.zeros, self.law).sum())

    def _parts(
        self, sample: Sample, fitted: ZeroModel, x: Floats, z: Floats, offset: Floats
    ) -> list[dict[str, Any]]:
        rows = []
        for code, name in enumerate(sample.arms):
            x, z = x.copy(), z.copy()
            x[:, 1] = z[:, 1] = code
            chance = any_event(fitted.theta, x, z, offset, self.zeros, self.law)
            mean = expected(fitted.theta, x, z, offset, self.zeros, self.law)
            rows.append(
                {
                    "arm": name,
                    "any_event": float(chance.mean()),
                    "events_among_those_with_one": float(mean.sum() / chance.sum()),
                }
            )
        return rows


def _columns(sample: Sample, layout: Layout) -> tuple[Floats, Floats, Floats]:
    """(columns of the count part, of the part of zeros, log exposure), in the layout's order."""
    columns, _ = treatment_columns(sample)
    x = np.hstack([np.ones((len(columns), 1)), columns, block_columns(sample)])[layout.order]
    offset = np.log(exposure_of(sample)[layout.order])
    z = x if np.ptp(offset) == 0 else np.hstack([x, offset[:, None]])
    return x, z, offset
