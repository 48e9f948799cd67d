"""Effect of a programme run in several sites, each drawing its own people: sites' effects as a sample of effects.

Each site's effect and variance are computed by themselves (difference in means, Neyman; log ratios by the delta method, for
counts from the people's own spread about the rate), then pooled by a random-effects model. `value` is the mean effect
over sites like these; `extra` carries each site for a forest plot, tau^2 with its interval, and the prediction interval:
where the effect in a new site would lie. With a zero cell a risk or odds ratio's site takes half an event in each cell.

`method` is how tau^2 is estimated (REML or DL); `interval` is `knapp_hartung` (t, for few sites) or `normal`. Assumes sites' effects
vary about their mean like draws from a normal, and site variances known: ask for ten people an arm in each.

References: Raudenbush & Bloom (2015), American Journal of Evaluation 36, 475-499; Viechtbauer (2005), JEBS 30, 261-293; Knapp & Hartung
(2003), Statistics in Medicine 22, 2693-2710; Higgins, Thompson & Spiegelhalter (2009), JRSS A 172, 137-159.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from evaluation.effects.meta_analysis import Pooled, pool
from evaluation.estimate import Estimate, EstimatorRefused, Interval, check_level
from evaluation.inference.binary_rows import check_binary
from evaluation.inference.count_rows import check_counts, exposure_of
from evaluation.inference.row_weights import without_weights
from evaluation.inference.treatment_columns import both_arms
from evaluation.sample import Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES

Floats = NDArray[np.float64]
SERVED = {
    "mean": ("mean_difference",),
    "binary": ("risk_difference", "risk_ratio", "odds_ratio"),
    "count": ("rate_ratio", "rate_difference"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSiteEffects:
    """Choices: how the variance between sites is estimated, which interval, its level."""

    method: Literal["REML", "DL"]
    interval: Literal["knapp_hartung", "normal"]
    level: float

    designs: ClassVar[frozenset[str]] = frozenset({"multi_site", "blocked"})
    kinds: ClassVar[frozenset[str]] = frozenset(SERVED)
    scales: ClassVar[frozenset[str]] = frozenset(scale for scales in SERVED.values() for scale in scales)
    needs: ClassVar[frozenset[str]] = frozenset({"block"})

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The mean effect over sites on `estimand.scale`."""
        without_weights(sample, "rate_ratio` or `marginal_standardisation")
        scale = estimand.scale
        ratio = scale in RATIO_SCALES
        labels = _sites(sample, scale)
        effects, variances = np.empty(len(labels)), np.empty(len(labels))
        sizes = np.empty((len(labels), 2), dtype=np.int64)
        for j, label in enumerate(labels):
            site = sample.keep(np.flatnonzero(sample.block == label))
            effects[j], variances[j] = site_effect(site, scale)
            sizes[j] = [int((site.arm == code).sum()) for code in (0, 1)]
        pooled = pool(effects, variances, method=self.method, interval=self.interval, level=self.level)
        back = np.exp if ratio else np.asarray
        return Estimate(
            estimand="",
            estimator="multi_site_effects",
            scale=scale,
            value=float(back(pooled.estimate)),
            standard_error=pooled.standard_error,
            interval=Interval(
                low=float(back(pooled.low)),
                high=float(back(pooled.high)),
                level=self.level,
                kind="confidence",
            ),
            p_value=pooled.p_value,
            unit=scale.replace("_", " ") if ratio else sample.unit,
            units_used=sample.people,
            df=pooled.df,
            clusters_used=None,
            extra=_published(sample, pooled, effects, variances, sizes, ratio, self.level),
        )


def site_effect(site: Sample, scale: str) -> tuple[float, float]:
    """(effect, variance) in one site; both of the log for ratios."""
    parts = [_arm_summary(site, code, scale) for code in (0, 1)]
    (zero, v0), (one, v1) = parts
    return one - zero, v0 + v1


def _arm_summary(site: Sample, code: int, scale: str) -> tuple[float, float]:
    inside = site.arm == code
    y = site.outcome[inside]
    n = len(y)
    if scale in ("rate_ratio", "rate_difference"):
        exposure = exposure_of(site)[inside]
        events, time = float(y.sum()), float(exposure.sum())
        spread = float(((y - exposure * events / time) ** 2).sum()) * n / (n - 1)
        if scale == "rate_difference":
            return events / time, spread / time**2
        return float(np.log(events / time)), spread / events**2
    if scale in ("risk_ratio", "odds_ratio"):
        added = 0.5 if _empty_cell(site) else 0.0
        events, total = float(y.sum()) + added, n + 2 * added
        if scale == "risk_ratio":
            return float(np.log(events / total)), 1 / events - 1 / total
        return float(np.log(events / (total - events))), 1 / events + 1 / (total - events)
    return float(y.mean()), float(y.var(ddof=1)) / n


def _empty_cell(site: Sample) -> bool:
    return any(site.outcome[site.arm == code].mean() in (0.0, 1.0) for code in (0, 1))


def _sites(sample: Sample, scale: str) -> NDArray[np.int64]:
    if sample.block is None or scale not in SERVED.get(sample.kind, ()):
        raise EstimatorRefused(
            where="block" if sample.block is None else "scale",
            found="a design without sites" if sample.block is None else f"{scale} of a {sample.kind} outcome",
            expected="people drawn within sites, and a scale of the outcome's kind",
            remedy="Use `difference_in_means`, `rate_ratio` or `marginal_standardisation`.",
        )
    both_arms(sample)
    if sample.cluster is not None:
        raise EstimatorRefused(
            where="cluster",
            found="clusters drawn within sites",
            expected="people drawn one by one within sites",
            remedy="Use `estimating_equations`, which takes clusters inside sites.",
        )
    if sample.kind == "count":
        check_counts(sample, ratio=scale == "rate_ratio")
    if sample.kind == "binary":
        check_binary(sample, scale)
    labels = np.unique(sample.block)
    thin = silent = 0
    for label in labels:
        for code in (0, 1):
            y = sample.outcome[(sample.block == label) & (sample.arm == code)]
            thin += len(y) < 2
            silent += len(y) >= 2 and (y.sum() == 0 if scale == "rate_ratio" else False)
            silent += len(y) >= 2 and scale.endswith("difference") and y.min() == y.max()
    if thin or silent or len(labels) < 2:
        raise EstimatorRefused(
            where="block",
            found=f"{len(labels)} sites; {thin} arms of sites with fewer than two people, {silent} in which nobody or "
            "everybody has the outcome",
            expected="two sites or more, each with an effect and a variance",
            remedy="Use `rate_ratio`, `marginal_standardisation` or `difference_in_means` with sites as blocks, "
            "which need no variance in every site.",
        )
    return labels


def _published(
    sample: Sample,
    pooled: Pooled,
    effects: Floats,
    variances: Floats,
    sizes: NDArray[np.int64],
    ratio: bool,
    level: float,
) -> dict[str, object]:
    back = np.exp if ratio else np.asarray
    reach = float(norm.ppf(0.5 + level / 2)) * np.sqrt(variances)
    sites = [
        {
            "site": f"site {j + 1}",
            "value": float(back(effects[j])),
            "low": float(back(effects[j] - reach[j])),
            "high": float(back(effects[j] + reach[j])),
            "standard_error": float(np.sqrt(variances[j])),
            "weight": pooled.weights[j],
            "people": {sample.arms[0]: int(sizes[j, 0]), sample.arms[1]: int(sizes[j, 1])},
        }
        for j in range(len(effects))
    ]
    return {
        "sites": sites,
        "prediction_interval": {
            "low": float(back(pooled.prediction_low)),
            "high": float(back(pooled.prediction_high)),
            "level": level,
        },
        "tau_squared": pooled.tau_squared,
        "tau_squared_interval": {"low": pooled.tau_squared_low, "high": pooled.tau_squared_high},
        "i_squared": pooled.i_squared,
        "heterogeneity": {"q": pooled.q, "df": len(effects) - 1, "p_value": pooled.q_p_value},
    }
