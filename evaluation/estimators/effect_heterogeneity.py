"""Do effects vary with what was known at baseline: an interacted model, as exploration only.

    y = alpha + tau arm + x_c' beta + arm x_c' delta + blocks + u,   x_c = x - mean(x)

tau, the value, is the average effect (Lin's estimator). delta says how the effect changes with each
covariate; `extra` holds each delta with its Holm-adjusted p-value, and the joint test that all are
zero. The model sees straight lines only, and looking at many covariates finds something by chance:
the results are published as exploratory, whatever the registration. A causal forest would see other
shapes; none is offered here, because no implementation is among the project's dependencies.

References: Lin (2013), Annals of Applied Statistics 7(1), 295-318; Imbens & Rubin (2015), Causal
Inference, section 7.5; Ding, Feller & Miratrix (2019), JASA 114, 304-317.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference import student
from evaluation.inference.corrections import corrected
from evaluation.inference.interaction import effects, joint_test
from evaluation.inference.least_squares import fit, project
from evaluation.inference.robust import Variance, clusters_of
from evaluation.inference.served_designs import CLUSTERS, PEOPLE
from evaluation.inference.trial_structure import check_serves
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectHeterogeneity:
    """The covariates are the analysis's own; `variance` and `level` as in `adjusted_difference`."""

    variance: Variance
    level: float

    designs: ClassVar[frozenset[str]] = PEOPLE | CLUSTERS
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary", "count"})
    scales: ClassVar[frozenset[str]] = frozenset({"mean_difference", "risk_difference"})
    needs: ClassVar[frozenset[str]] = frozenset({"covariates"})

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The average effect, and in `extra` how it changes with each covariate."""
        check_serves(sample, estimand, self.kinds, self.scales)
        if sample.covariates is None or sample.covariates.shape[1] == 0:
            raise EstimatorRefused(
                where="covariates",
                found="none",
                expected="the baseline covariates that effects may vary with",
                remedy="List them under the analysis, or use `difference_in_means`.",
            )
        cluster = clusters_of(sample, self.variance)
        z = sample.treated.astype(np.float64)[:, None]
        centred = sample.covariates - np.average(sample.covariates, axis=0, weights=sample.weight)
        projection = project(
            np.hstack([z, z * centred, np.ones_like(z), centred]), weight=sample.weight, absorb=sample.block
        )
        regression = fit(sample.outcome, projection)
        k = centred.shape[1]
        at = [projection.position(i) for i in range(1 + k)]
        contrasts = np.zeros((1 + k, len(regression.coefficients)))
        contrasts[np.arange(1 + k), at] = 1.0
        found = effects(regression, contrasts, self.variance, cluster)
        deltas = effects(regression, contrasts[1:], self.variance, cluster)
        joint = joint_test(deltas)
        value, error, df = float(found.value[0]), float(found.error[0]), float(found.df[0])
        student.check_variance(error, df, float(np.abs(sample.outcome).max(initial=0.0)))
        p = np.array(
            [student.p_value(*row) for row in zip(deltas.value, deltas.error, deltas.df, strict=True)]
        )
        rows: list[dict[str, Any]] = []
        for i, adjusted in enumerate(corrected(p, "holm")):
            change, spread, freedom = (float(a[i]) for a in (deltas.value, deltas.error, deltas.df))
            interval = student.interval(change, spread, freedom, self.level)
            rows.append(
                {
                    "covariate": sample.covariate_names[i],
                    "change_in_effect_per_unit": change,
                    "standard_error": spread,
                    "low": interval.low,
                    "high": interval.high,
                    "p_value": float(p[i]),
                    "p_value_holm": float(adjusted),
                }
            )
        return Estimate(
            estimand="",
            estimator="effect_heterogeneity",
            scale=estimand.scale,
            value=value,
            standard_error=error,
            interval=student.interval(value, error, df, self.level),
            p_value=student.p_value(value, error, df),
            df=df,
            unit=sample.unit,
            units_used=sample.people,
            clusters_used=sample.clusters,
            extra={
                "exploratory": True,
                "variance": self.variance,
                "interactions": rows,
                "joint_test": {
                    "question": "Does the effect change with none of the covariates?",
                    "f": joint.f,
                    "numerator_df": joint.numerator_df,
                    "denominator_df": joint.denominator_df,
                    "p_value": joint.p,
                },
            },
        )
