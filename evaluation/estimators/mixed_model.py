"""Mixed model with a random intercept per cluster, and the intraclass correlation on the scale declared.

    mean     y = x b + u_g + e, by REML                     value is a mean difference
    binary   logit P(y = 1 | u_g) = x b + u_g               value is an odds ratio within a cluster
    count    log E[y | u_g] = x b + log exposure + u_g      value is a rate ratio

u_g normal. For means `df: satterthwaite` is lmerTest's; `between_within` (clusters less columns constant in clusters) serves all three. The odds
ratio compares people in one cluster and is further from 1 than the marginal one of `marginal_standardisation`. Counts name
their law given the cluster, `poisson` or `negative_binomial`: the first is too sure of itself where people differ.

Where clusters do not differ beyond chance the variance between them is estimated as zero (a singular fit). The answer is then the
model without it, with degrees of freedom still counted in clusters, and `extra.fit` says so. Model-based: with few
clusters, and where spreads may differ by arm, prefer `cluster_means` or `estimating_equations`.

References: Raudenbush & Bryk (2002), Hierarchical Linear Models; Kuznetsova, Brockhoff & Christensen (2017), J. Stat. Software 82(13); Pinheiro &
Bates (1995), J. Comput. Graph. Stat. 4, 12-35; Li & Redden (2015), BMC Medical Research Methodology 15, 38 (between-within df). Checked
against lme4 and lmerTest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference.arm_model import block_columns
from evaluation.inference.binary_rows import check_binary
from evaluation.inference.cluster_layout import Layout, by_cluster
from evaluation.inference.count_rows import check_counts, exposure_of
from evaluation.inference.intraclass import IccScale, icc_binary, icc_count
from evaluation.inference.random_intercept import fit_random_intercept, satterthwaite, whitening
from evaluation.inference.random_intercept_glm import fit_random_intercept_glm
from evaluation.inference.served_designs import CLUSTERS
from evaluation.inference.small_sample_gee import between_within
from evaluation.inference.treatment_columns import treatment_columns
from evaluation.inference.wald import wald
from evaluation.sample import Floats, Sample
from experiments.estimand import Estimand

SERVED = {"mean": "mean_difference", "binary": "odds_ratio", "count": "rate_ratio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedModel:
    """Choices: degrees of freedom, the ICC's scale, counts' law, the level; `nodes` of quadrature for binary and count.

    `count_model` is for counts alone, and must be written for them.
    """

    df: Literal["satterthwaite", "between_within"]
    icc_scale: IccScale
    level: float
    nodes: int = 15
    count_model: Literal["poisson", "negative_binomial"] | None = None

    designs: ClassVar[frozenset[str]] = CLUSTERS
    kinds: ClassVar[frozenset[str]] = frozenset(SERVED)
    scales: ClassVar[frozenset[str]] = frozenset(SERVED.values())
    needs: ClassVar[frozenset[str]] = frozenset({"cluster"})

    def __post_init__(self) -> None:
        check_level(self.level)
        if not 1 <= self.nodes <= 101:
            raise EstimatorRefused(
                where="nodes",
                found=str(self.nodes),
                expected="between 1 (Laplace's approximation) and 101",
                remedy="Write `nodes: 15`.",
            )

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The effect on `estimand.scale` of `sample.arms[1]` against `sample.arms[0]`."""
        self._check(sample, estimand.scale)
        layout = by_cluster(sample)
        x, _ = treatment_columns(sample)
        columns = np.hstack([np.ones((len(x), 1)), x, block_columns(sample)])[layout.order]
        fit = self._linear if sample.kind == "mean" else self._generalised
        coefficient, error, df, extra = fit(sample, layout, columns)
        if df < 1:
            raise EstimatorRefused(
                where="df",
                found=f"{layout.clusters} clusters for as many coefficients that vary between clusters",
                expected="more clusters than those coefficients",
                remedy="Drop blocks or covariates that vary only between clusters, or use `randomisation_test`.",
            )
        ratio = sample.kind != "mean"
        value = float(np.exp(coefficient)) if ratio else coefficient
        interval, p = wald(value, error, level=self.level, df=df, ratio=ratio)
        return Estimate(
            estimand="",
            estimator="mixed_model",
            scale=estimand.scale,
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit=estimand.scale.replace("_", " ") if ratio else sample.unit,
            units_used=sample.people,
            df=df,
            clusters_used=layout.clusters,
            extra={"icc_scale": self.icc_scale, **extra},
        )

    def _check(self, sample: Sample, scale: str) -> None:
        if SERVED.get(sample.kind) != scale or sample.cluster is None:
            raise EstimatorRefused(
                where="cluster" if sample.cluster is None else "scale",
                found="a design without clusters"
                if sample.cluster is None
                else f"{scale} of a {sample.kind} outcome",
                expected="clusters, and " + SERVED.get(sample.kind, "a mean, binary or count outcome"),
                remedy="Use `estimating_equations` for other scales, `difference_in_means` for people drawn one by one.",
            )
        if sample.kind == "binary":
            check_binary(sample, scale)
        if sample.kind == "count":
            check_counts(sample)
        if (sample.kind == "count") != (self.count_model is not None):
            raise EstimatorRefused(
                where="count_model",
                found="nothing"
                if self.count_model is None
                else f"{self.count_model} for a {sample.kind} outcome",
                expected="poisson or negative_binomial for counts, and nothing otherwise",
                remedy="Write `count_model: negative_binomial` for counts; remove it for other outcomes.",
            )
        if sample.kind != "mean" and self.df == "satterthwaite":
            raise EstimatorRefused(
                where="df",
                found=f"satterthwaite for a {sample.kind} outcome",
                expected="between_within",
                remedy="Write `df: between_within`.",
            )
        if sample.weight is not None:
            raise EstimatorRefused(
                where="weight",
                found="weights",
                expected="none: a mixed model has no agreed way to use them",
                remedy="Use `estimating_equations` with `working: independence`.",
            )

    def _linear(
        self, sample: Sample, layout: Layout, columns: Floats
    ) -> tuple[float, float, float, dict[str, Any]]:
        fitted = fit_random_intercept(sample.outcome[layout.order], columns, layout.starts)
        contrast = np.zeros(columns.shape[1])
        contrast[1] = 1.0
        fallback = float(between_within(columns, layout.starts))
        found = satterthwaite(fitted, contrast) if self.df == "satterthwaite" else None
        used = "satterthwaite" if found is not None else "between_within"
        extra = {
            "icc": whitening(fitted),
            "variance_between": fitted.between,
            "variance_within": fitted.within,
            "restricted_log_likelihood": fitted.log_likelihood,
            "degrees_of_freedom": used,
            "fit": _said(fitted.singular, used != self.df),
        }
        error = float(np.sqrt(fitted.variance[1, 1]))
        return float(fitted.coefficient[1]), error, fallback if found is None else found, extra

    def _generalised(
        self, sample: Sample, layout: Layout, columns: Floats
    ) -> tuple[float, float, float, dict[str, Any]]:
        count = sample.kind == "count"
        offset = np.log(exposure_of(sample)[layout.order]) if count else None
        fitted = fit_random_intercept_glm(
            sample.outcome[layout.order],
            columns,
            layout.starts,
            family=(self.count_model or "poisson") if count else "binomial",
            offset=offset,
            nodes=self.nodes,
        )
        if not fitted.solved:
            raise EstimatorRefused(
                where="outcome",
                found="a likelihood without a maximum in reach (events separated by the arm or a covariate)",
                expected="both outcomes among people alike in arm and covariates",
                remedy="Use `cluster_means`, which fits nothing within clusters, or drop the covariate.",
            )
        centre = float((columns @ fitted.coefficient + (0.0 if offset is None else offset)).mean())
        tau2 = fitted.sd**2
        icc = (
            icc_count(tau2, centre, fitted.shape, self.icc_scale)
            if count
            else icc_binary(tau2, centre, self.icc_scale)
        )
        extra = {
            "icc": icc,
            "sd_between_on_link_scale": fitted.sd,
            "rate_variation_between_clusters": float(np.sqrt(np.expm1(tau2))) if count else None,
            "overdispersion_within": fitted.shape if self.count_model == "negative_binomial" else None,
            "log_likelihood": fitted.log_likelihood,
            "degrees_of_freedom": "between_within",
            "fit": _said(fitted.singular, False),
        }
        error = float(np.sqrt(fitted.variance[1, 1]))
        return float(fitted.coefficient[1]), error, float(between_within(columns, layout.starts)), extra


def _said(singular: bool, other_df: bool) -> str:
    if singular:
        return (
            "singular: no variance between clusters was found, so the model is the one without it; "
            "degrees of freedom are between_within"
        )
    if other_df:
        return (
            "regular, but Satterthwaite's information was not positive: degrees of freedom are between_within"
        )
    return "regular"
