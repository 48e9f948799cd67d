"""Cluster-level analysis: one number per cluster, then a t-test of the clusters.

    differences   mean of cluster summaries in one arm minus the other
    ratios        mean of cluster rates (or risks) in one arm over the other; V on the log by the delta method

The cluster was drawn, so the cluster is the unit: nothing is assumed about how people in it hang together,
and intervals hold with a dozen clusters. `weights: equal` asks about the average cluster, `size` about the average person (or
person-year); they differ where effects go with size. `variance: unequal` lets arms differ in spread
(HC2 with Bell & McCaffrey's degrees of freedom, nearly Welch's test); `pooled` is the plain t-test on clusters - 2.
Blocks and pairs enter as indicators. Covariates adjust in two stages (`cluster_summaries`); those that
vary only between clusters each cost a degree of freedom.

With 10 to 40 unequal clusters, equal weights and `unequal` covered between 94 and 96% at 95 in simulation, for counts and for
yes-or-no outcomes (`benchmarks/coverage_counts.py`).

References: Hayes & Moulton (2017), Cluster Randomised Trials, 2nd edition, chapters 10 to 12; Donner & Klar (2000), Design and Analysis
of Cluster Randomization Trials, chapters 6 to 8; Bell & McCaffrey (2002), Survey Methodology 28, 169-181.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.stats import t

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference.binary_rows import check_binary
from evaluation.inference.cluster_layout import Layout, by_cluster
from evaluation.inference.cluster_summaries import Summaries, cluster_summaries
from evaluation.inference.count_rows import check_counts
from evaluation.inference.estimating import Equations, solve
from evaluation.inference.row_weights import without_weights
from evaluation.inference.served_designs import CLUSTERS
from evaluation.inference.small_sample_gee import robust
from evaluation.inference.wald import wald
from evaluation.sample import Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES

SERVED = {
    "mean": ("mean_difference",),
    "binary": ("risk_difference", "risk_ratio"),
    "count": ("rate_difference", "rate_ratio"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterMeans:
    """Choices: what a cluster counts for, whether arms share a variance, the level."""

    weights: Literal["equal", "size"]
    variance: Literal["unequal", "pooled"]
    level: float

    designs: ClassVar[frozenset[str]] = CLUSTERS | {"matched_pairs"}
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary", "count"})
    scales: ClassVar[frozenset[str]] = frozenset(
        {"mean_difference", "risk_difference", "risk_ratio", "rate_difference", "rate_ratio"}
    )
    needs: ClassVar[frozenset[str]] = frozenset({"cluster"})

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The effect on `estimand.scale`, clusters of `sample.arms[1]` against those of `sample.arms[0]`."""
        without_weights(sample, "estimating_equations")
        ratio = estimand.scale in RATIO_SCALES
        _check(sample, estimand.scale, ratio)
        layout = by_cluster(sample)
        summaries = cluster_summaries(sample, layout, ratio=ratio)
        fitted, lost = _compare(sample, layout, summaries, ratio=ratio, weighted=self.weights == "size")
        coefficient = float(fitted.coefficient[1])
        error, df = self._error(fitted, layout, lost + summaries.cluster_covariates)
        value = float(np.exp(coefficient)) if ratio else coefficient
        interval, p = wald(value, error, level=self.level, df=df, ratio=ratio)
        return Estimate(
            estimand="",
            estimator="cluster_means",
            scale=estimand.scale,
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit=estimand.scale.replace("_", " ") if ratio else sample.unit,
            units_used=sample.people,
            df=df,
            clusters_used=layout.clusters,
            extra=_published(sample, layout, summaries, self.level),
        )

    def _error(self, fitted: Equations, layout: Layout, lost: int) -> tuple[float, float]:
        contrast = np.zeros(fitted.coefficient.shape[0])
        contrast[1] = 1.0
        free = float(layout.clusters - 2 - lost)
        if free < 1:
            raise EstimatorRefused(
                where="cluster",
                found=f"{layout.clusters} clusters for {2 + lost} coefficients",
                expected="more clusters than coefficients",
                remedy="Drop covariates that vary only between clusters, or use `randomisation_test`.",
            )
        if self.variance == "pooled":
            residual = float((fitted.residual**2).sum()) / free
            return float(np.sqrt(residual * fitted.bread[1, 1])), free
        squared, satterthwaite = robust(fitted, contrast, "CR2")
        return float(np.sqrt(squared)), min(float(satterthwaite), free)


def _check(sample: Sample, scale: str, ratio: bool) -> None:
    if scale not in SERVED.get(sample.kind, ()):
        raise EstimatorRefused(
            where="scale",
            found=f"{scale} of a {sample.kind} outcome",
            expected=" or ".join(SERVED.get(sample.kind, ("a mean, binary or count outcome",))),
            remedy="Change the estimand's scale; for times use `restricted_mean_survival`.",
        )
    if sample.cluster is None:
        raise EstimatorRefused(
            where="cluster",
            found="a design without clusters",
            expected="clusters drawn whole",
            remedy="Use `difference_in_means`, `rate_ratio` or `marginal_standardisation` for people drawn one by one.",
        )
    if sample.kind == "count":
        check_counts(sample, ratio=ratio)
    elif sample.kind == "binary":
        check_binary(sample, scale)
        if ratio and any(not sample.outcome[sample.arm == code].any() for code in (0, 1)):
            raise EstimatorRefused(
                where="outcome",
                found="an arm without events",
                expected="events in both arms, for a ratio",
                remedy="Ask for the risk difference.",
            )


def _compare(
    sample: Sample, layout: Layout, summaries: Summaries, *, ratio: bool, weighted: bool
) -> tuple[Equations, int]:
    """Regression of summaries on arm and blocks, clusters as rows; and the degrees that blocks cost."""
    columns = [np.ones(layout.clusters), layout.arm.astype(float)]
    if sample.block is not None:
        block = sample.block[layout.order][layout.starts]
        columns += [(block == level).astype(float) for level in np.unique(block)[1:]]
    fitted = solve(
        summaries.value,
        np.column_stack(columns),
        family="poisson" if ratio else "gaussian",
        starts=np.arange(layout.clusters),
        weight=summaries.size if weighted else None,
    )
    return fitted, len(columns) - 2


def _published(sample: Sample, layout: Layout, summaries: Summaries, level: float) -> dict[str, Any]:
    """Each arm's clusters: how many, the mean of their summaries, its interval, their spread."""
    arms = []
    for code, name in enumerate(sample.arms):
        value = summaries.value[layout.arm == code]
        mean, spread = float(value.mean()), float(value.std(ddof=1))
        reach = float(t.ppf(0.5 + level / 2, len(value) - 1)) * spread / np.sqrt(len(value))
        arms.append(
            {
                "arm": name,
                "clusters": len(value),
                "mean": mean,
                "low": mean - reach,
                "high": mean + reach,
                "sd_between_clusters": spread,
            }
        )
    variation = float(layout.sizes.std() / layout.sizes.mean())
    return {"arms": arms, "cluster_size_variation": variation, "adjusted": sample.covariates is not None}
