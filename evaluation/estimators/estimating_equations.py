"""Generalised estimating equations for a cluster trial: a population-averaged effect with small-sample inference.

    g(E[y]) = intercept + b arm + blocks + x c (+ log exposure),    correlation of people in a cluster as `working` says

The mean model is identity for means, logistic for yes-or-no outcomes (standardised to a risk difference, risk ratio or odds
ratio over the people in the trial, so all are marginal) and log for counts. `working: exchangeable` gives large
clusters less weight than people's numbers would, for precision; `independence` weights people equally and is the
choice where effects may go with cluster size. The variance is robust to either being wrong.

With 10 to 40 unequal clusters use `variance: FG` and `df: satterthwaite` (94 to 96% at 95 in simulation), or CR3, which
errs on the long side; CR0 and the normal quantile are refused below 100 clusters (`benchmarks/coverage_counts.py`).

References: Liang & Zeger (1986), Biometrika 73, 13-22; Mancl & DeRouen (2001), Biometrics 57, 126-134; Kauermann & Carroll (2001), JASA
96, 1387-1396; Fay & Graubard (2001), Biometrics 57, 1198-1206; Li & Redden (2015), Statistics in Medicine 34, 281-296. Checked
against statsmodels and geepack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference.arm_model import (
    ArmModel,
    Freedom,
    check_variance,
    contrast_error,
    fit_arm_model,
)
from evaluation.inference.binary_rows import check_binary
from evaluation.inference.cluster_layout import by_cluster
from evaluation.inference.count_rows import check_counts
from evaluation.inference.estimating import Family
from evaluation.inference.row_weights import rows_with_weight
from evaluation.inference.served_designs import CLUSTERS
from evaluation.inference.standardise import effect, standardise
from evaluation.inference.wald import wald
from evaluation.sample import Floats, Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES

SERVED: dict[str, tuple[Family, tuple[str, ...]]] = {
    "mean": ("gaussian", ("mean_difference",)),
    "binary": ("binomial", ("risk_difference", "risk_ratio", "odds_ratio")),
    "count": ("poisson", ("rate_ratio",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatingEquations:
    """Choices: the working correlation, the variance, the degrees of freedom, the level."""

    working: Literal["independence", "exchangeable"]
    variance: Literal["CR0", "CR1", "CR2", "CR3", "FG"]
    df: Freedom
    level: float

    designs: ClassVar[frozenset[str]] = CLUSTERS | {"multi_site"}
    kinds: ClassVar[frozenset[str]] = frozenset(SERVED)
    scales: ClassVar[frozenset[str]] = frozenset(scale for _, scales in SERVED.values() for scale in scales)
    needs: ClassVar[frozenset[str]] = frozenset({"cluster"})

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The effect on `estimand.scale` of `sample.arms[1]` against `sample.arms[0]`."""
        sample = rows_with_weight(sample)
        scale = estimand.scale
        family = _family(sample, scale)
        layout = by_cluster(sample)
        check_variance(self.variance, self.df, layout)
        model = fit_arm_model(sample, family, working=self.working, exposure=True)
        if not bool(model.equations.solved):
            raise EstimatorRefused(
                where="outcome",
                found="equations without a solution (events separated by the arm or a covariate, or a fit that runs away)",
                expected="both outcomes among people alike in arm and covariates",
                remedy="Use `cluster_means`, which fits nothing within clusters, or drop the covariate.",
            )
        ratio = scale in RATIO_SCALES
        value, contrast = _effect(model, scale)
        error, freedom = contrast_error(model, contrast, self.variance, self.df)
        interval, p = wald(value, error, level=self.level, df=freedom, ratio=ratio)
        return Estimate(
            estimand="",
            estimator="estimating_equations",
            scale=scale,
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit=scale.replace("_", " ") if ratio else sample.unit,
            units_used=sample.people,
            df=freedom,
            clusters_used=layout.clusters,
            extra={
                "working_correlation": float(model.equations.correlation),
                "dispersion": float(model.equations.dispersion),
                "cluster_size_variation": float(layout.sizes.std() / layout.sizes.mean()),
            },
        )


def _effect(model: ArmModel, scale: str) -> tuple[float, Floats]:
    """(value, gradient in the coefficients, of the log for ratios)."""
    if scale in ("risk_difference", "risk_ratio", "odds_ratio"):
        one, slope_one = standardise(model, 1.0)
        zero, slope_zero = standardise(model, 0.0)
        return effect(scale, one, zero, slope_one, slope_zero)
    contrast = np.zeros(model.columns.shape[1])
    contrast[1] = 1.0
    coefficient = float(model.equations.coefficient[1])
    return (float(np.exp(coefficient)) if scale == "rate_ratio" else coefficient), contrast


def _family(sample: Sample, scale: str) -> Family:
    family, scales = SERVED.get(sample.kind, ("gaussian", ()))
    if scale not in scales or sample.cluster is None:
        raise EstimatorRefused(
            where="cluster" if sample.cluster is None else "scale",
            found="a design without clusters"
            if sample.cluster is None
            else f"{scale} of a {sample.kind} outcome",
            expected="clusters, and one of: " + (", ".join(scales) or "a mean, binary or count outcome"),
            remedy="Use `difference_in_means`, `marginal_standardisation` or `rate_ratio` for people drawn one by one.",
        )
    if sample.kind == "count":
        check_counts(sample)
    if sample.kind == "binary":
        check_binary(sample, scale)
    return family
