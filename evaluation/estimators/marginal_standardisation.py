"""Risk difference, risk ratio or odds ratio by logistic regression, averaged over the people in the trial.

    p_a = mean over people of expit(intercept + b a + blocks + x c),        a = 0, 1
    risk difference p_1 - p_0,   risk ratio p_1 / p_0,   odds ratio [p_1 / (1 - p_1)] / [p_0 / (1 - p_0)]

All three are marginal: they compare everybody offered with everybody not, so that a covariate sharpens them
and does not change what they are. Right in a trial even where the logistic curve is not the truth (the fit
balances residuals within arms). Without covariates or blocks they are the arms' raw proportions.

By the delta method: Var(f) = c'Vc, c the gradient of f (log of ratios) in the coefficients and V the variance named
by `variance` (HC0 to HC3 for people; CR2, CR3 or FG for clusters), given the covariates that the trial has; df as
named. With `variance: bootstrap`, people (or clusters, 100 or more) are drawn again within arms and blocks,
`resamples` times, and the interval is between percentiles.

`separation` says what happens where events are separated by the arm or a covariate: `refuse`, or `penalise`
(Firth's likelihood, stated in the result). Blocks of fewer than ten people are refused: too many coefficients.

References: Ge, Durham, Meyer, Xie & Thomas (2011), Drug Information Journal 45, 481-493; Steingrimsson, Hanley &
Rosenblum (2017), Contemp. Clin. Trials 54, 18-24; Davison & Hinkley (1997), section 5.3; Firth (1993).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, cast

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, Interval, check_level
from evaluation.inference.arm_model import (
    MANY_CLUSTERS,
    ArmModel,
    Freedom,
    Variance,
    check_variance,
    contrast_error,
    fit_arm_model,
)
from evaluation.inference.binary_rows import arm_risks, check_binary
from evaluation.inference.cluster_layout import Layout, by_cluster
from evaluation.inference.firth import solve_firth
from evaluation.inference.resampled_logistic import draw_counts, standardised_risks
from evaluation.inference.row_weights import rows_with_weight
from evaluation.inference.served_designs import CLUSTERS, PEOPLE
from evaluation.inference.standardise import effect, effects, standardise
from evaluation.inference.wald import wald
from evaluation.sample import Sample
from experiments.estimand import Estimand

SMALLEST_BLOCK = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginalStandardisation:
    """Choices: the variance, the degrees of freedom, what to do under separation, the level.

    `resamples` is for the bootstrap alone, and must be written with it.
    """

    variance: Variance | Literal["bootstrap"]
    df: Freedom
    separation: Literal["refuse", "penalise"]
    level: float
    resamples: int | None = None

    designs: ClassVar[frozenset[str]] = PEOPLE | CLUSTERS
    kinds: ClassVar[frozenset[str]] = frozenset({"binary"})
    scales: ClassVar[frozenset[str]] = frozenset({"risk_difference", "risk_ratio", "odds_ratio"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)
        if (self.variance == "bootstrap") != (self.resamples is not None):
            raise EstimatorRefused(
                where="resamples",
                found="nothing" if self.resamples is None else "a number without `variance: bootstrap`",
                expected="a number of resamples with the bootstrap, and none otherwise",
                remedy="Write `resamples: 5000` beside `variance: bootstrap`, or remove it.",
            )
        if self.resamples is not None and self.resamples < 999:
            raise EstimatorRefused(
                where="resamples",
                found=str(self.resamples),
                expected="at least 999, for percentiles in the tails",
                remedy="Write `resamples: 5000`.",
            )

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The effect on `estimand.scale` of `sample.arms[1]` against `sample.arms[0]`."""
        sample = rows_with_weight(sample)
        check_binary(sample, estimand.scale)
        layout = by_cluster(sample)
        if self.variance == "bootstrap":
            _check_bootstrap(layout)
        else:
            check_variance(self.variance, self.df, layout)
        _check_blocks(sample)
        model, penalised = self._fit(sample)
        risk_one, slope_one = standardise(model, 1.0)
        risk_zero, slope_zero = standardise(model, 0.0)
        value, contrast = effect(estimand.scale, risk_one, risk_zero, slope_one, slope_zero)
        ratio = estimand.scale != "risk_difference"
        freedom: float | None = None
        if self.variance == "bootstrap":
            if penalised:
                raise _separated("Use `variance: HC3` with `separation: penalise`.")
            error, interval, p = self._bootstrap(sample, layout, model, estimand.scale, rng)
        else:
            error, freedom = contrast_error(model, contrast, self.variance, self.df)
            interval, p = wald(value, error, level=self.level, df=freedom, ratio=ratio)
        return Estimate(
            estimand="",
            estimator="marginal_standardisation",
            scale=estimand.scale,
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit="ratio of risks"
            if estimand.scale == "risk_ratio"
            else "ratio of odds"
            if ratio
            else sample.unit,
            units_used=sample.people,
            df=freedom,
            clusters_used=layout.clusters if layout.clustered else None,
            extra={
                "standardised_risks": {sample.arms[1]: risk_one, sample.arms[0]: risk_zero},
                "raw": arm_risks(sample),
                "fit": "penalised likelihood (Firth), because events were separated"
                if penalised
                else "maximum likelihood",
            },
        )

    def _fit(self, sample: Sample) -> tuple[ArmModel, bool]:
        model = fit_arm_model(sample, "binomial")
        if bool(model.equations.solved):
            return model, False
        if self.separation == "refuse":
            raise _separated(
                "Write `separation: penalise`, drop the covariate, or use `difference_in_means` for the risk difference."
            )
        y = sample.outcome[model.layout.order]
        fitted = solve_firth(y, model.columns, starts=model.layout.starts, weight=model.weight)
        return replace(model, equations=fitted), True

    def _bootstrap(
        self, sample: Sample, layout: Layout, model: ArmModel, scale: str, rng: np.random.Generator
    ) -> tuple[float, Interval, float]:
        unit = np.repeat(np.arange(layout.clusters), layout.sizes)
        block = np.zeros(len(unit), dtype=np.int64) if sample.block is None else sample.block[layout.order]
        _, stratum = np.unique(
            np.column_stack([sample.arm[layout.order], block]), axis=0, return_inverse=True
        )
        counts = draw_counts(unit, stratum.ravel(), cast(int, self.resamples), rng)
        if model.weight is not None:
            counts = counts * model.weight
        one, zero = standardised_risks(sample.outcome[layout.order], model.columns, counts)
        if scale != "risk_difference" and np.minimum(zero.min(), one.min()) < 1e-6:
            raise _separated(
                "Some resamples have an arm without events, so a ratio has no bootstrap: use HC3, or a risk difference."
            )
        many = effects(scale, one, zero)
        tail = (1 - self.level) / 2
        low, high = (float(end) for end in np.quantile(many, [tail, 1 - tail]))
        null = 0.0 if scale == "risk_difference" else 1.0
        beyond = min(int((many <= null).sum()), int((many >= null).sum()))
        p = min(1.0, 2 * (beyond + 1) / (len(many) + 1))
        spread = many if scale == "risk_difference" else np.log(many)
        interval = Interval(low=low, high=high, level=self.level, kind="confidence")
        return float(spread.std(ddof=1)), interval, p


def _check_bootstrap(layout: Layout) -> None:
    if layout.clustered and layout.clusters < MANY_CLUSTERS:
        raise EstimatorRefused(
            where="variance",
            found=f"a bootstrap of {layout.clusters} clusters",
            expected=f"at least {MANY_CLUSTERS}",
            remedy="Use `variance: FG` with `df: satterthwaite`, or `cluster_means`.",
        )


def _check_blocks(sample: Sample) -> None:
    if sample.block is None:
        return
    smallest = int(np.unique(sample.block, return_counts=True)[1].min())
    if smallest < SMALLEST_BLOCK:
        raise EstimatorRefused(
            where="block",
            found=f"a block of {smallest} people",
            expected=f"blocks of at least {SMALLEST_BLOCK}, for a coefficient each",
            remedy="Use `difference_in_means`, which weights blocks and fits nothing to them.",
        )


def _separated(remedy: str) -> EstimatorRefused:
    return EstimatorRefused(
        where="outcome",
        found="events that the arm, a block or a covariate separates from non-events",
        expected="both outcomes among people alike in arm and covariates",
        remedy=remedy,
    )
