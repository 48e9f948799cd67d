"""Effect of an intervention that clusters begin in turn, adjusted for the trend that all clusters share.

    g(E[y_gti]) = period_t + effect of the intervention + x c (+ log exposure)

In a wedge later periods are more treated, so whatever changes with time looks like an effect: period effects are always in.
`effect: constant` takes the effect to be there at once and to stay. `effect: time_averaged` gives it a coefficient for each number of
periods since a cluster began and reports their plain average over the lengths seen (and each in `extra`): where effects
grow or fade the constant model can miss the average badly, even in sign. The choice `longest` caps the length: beyond it
the effect is taken as level; None takes every length, and refuses lengths that no comparison identifies.

Rows of a cluster may hang together in any way over time: errors sum over clusters. `working: exchangeable` uses
comparisons within clusters too, so it is sharper; `independence` leans on comparisons between. With few clusters model-based
intervals are too short, which is why none are offered: FG or CR3 with `satterthwaite` (checked by simulation at 12 clusters in
the tests), or `randomisation_test`.

References: Hussey & Hughes (2007), Contemporary Clinical Trials 28, 182-191; Kenny, Voldal, Xia, Heagerty & Hughes (2022), Statistics in
Medicine 41, 4311-4339; Maleyeff, Li, Haneuse & Wang (2023), Biometrics 79, 2293-2305; Li, Turner & Preisser (2018), Biometrics 74, 1450-1458.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.stats import t

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference.cluster_layout import by_cluster
from evaluation.inference.panel_model import Panel, fit_panel, panel_contrast, panel_family
from evaluation.inference.periods import period_number, periods_treated
from evaluation.inference.row_weights import rows_with_weight
from evaluation.inference.wald import wald
from evaluation.sample import Floats, Ints, Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedWedgeEffect:
    """Choices: how the effect runs over time, the working correlation, the variance and its df, the level."""

    effect: Literal["constant", "time_averaged"]
    longest: int | None
    working: Literal["independence", "exchangeable"]
    variance: Literal["CR2", "CR3", "FG"]
    df: Literal["satterthwaite", "clusters"]
    level: float

    designs: ClassVar[frozenset[str]] = frozenset({"stepped_wedge"})
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary", "count"})
    scales: ClassVar[frozenset[str]] = frozenset(
        {"mean_difference", "risk_difference", "odds_ratio", "rate_ratio"}
    )
    needs: ClassVar[frozenset[str]] = frozenset({"cluster", "period"})

    def __post_init__(self) -> None:
        check_level(self.level)
        if self.longest is not None and (self.longest < 1 or self.effect == "constant"):
            raise EstimatorRefused(
                where="longest",
                found=f"{self.longest} with a {self.effect} effect",
                expected="null for a constant effect; otherwise null or a number of periods of at least 1",
                remedy="Write `longest: null`.",
            )

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The effect on `estimand.scale` of the intervention, by the choice of `effect`."""
        sample = rows_with_weight(sample)
        family = panel_family(sample, estimand.scale)
        period = period_number(sample)
        if sample.cluster is None:
            raise EstimatorRefused(
                where="cluster",
                found="a design without clusters",
                expected="clusters that begin in turn",
                remedy="Declare the design's clusters.",
            )
        layout = by_cluster(sample, arms_cross=True)
        since = periods_treated(sample.cluster, period, sample.arm)
        columns, lengths = self._columns(since)
        panel = fit_panel(
            sample,
            layout,
            family,
            period,
            columns,
            working=self.working,
            cluster_effects=False,
        )
        ratio = estimand.scale in RATIO_SCALES
        weights = np.full(len(lengths), 1 / len(lengths))
        coefficient, error, df = panel_contrast(panel, weights, self.variance, self.df)
        value = float(np.exp(coefficient)) if ratio else coefficient
        interval, p = wald(value, error, level=self.level, df=df, ratio=ratio)
        return Estimate(
            estimand="",
            estimator="stepped_wedge_effect",
            scale=estimand.scale,
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit=estimand.scale.replace("_", " ") if ratio else sample.unit,
            units_used=sample.people,
            df=df,
            clusters_used=layout.clusters,
            extra={
                "effect": self.effect,
                "working_correlation": float(panel.equations.correlation),
                "periods": int(period.max()) + 1,
                "by_periods_treated": self._each(panel, lengths, ratio),
            },
        )

    def _columns(self, since: Ints) -> tuple[Floats, list[int]]:
        if self.effect == "constant":
            return (since > 0).astype(float)[:, None], [1]
        capped = since if self.longest is None else np.minimum(since, self.longest)
        lengths = [int(length) for length in np.unique(capped[capped > 0])]
        return (capped[:, None] == np.array(lengths)).astype(float), lengths

    def _each(self, panel: Panel, lengths: list[int], ratio: bool) -> list[dict[str, Any]]:
        if self.effect == "constant":
            return []
        rows: list[dict[str, Any]] = []
        for j, length in enumerate(lengths):
            try:
                value, error, df = panel_contrast(panel, np.eye(len(lengths))[j], self.variance, self.df)
            except EstimatorRefused:
                rows.append({"periods_treated": length, "value": None, "low": None, "high": None})
                continue
            reach = float(t.ppf(0.5 + self.level / 2, df)) * error
            ends = np.array([value, value - reach, value + reach])
            shown = np.exp(ends) if ratio else ends
            rows.append(
                {
                    "periods_treated": length,
                    "value": float(shown[0]),
                    "low": float(shown[1]),
                    "high": float(shown[2]),
                }
            )
        return rows
