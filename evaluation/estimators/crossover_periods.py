"""Effect of an intervention that places go in and out of: each place against itself, each period against others.

    g(E[y_gt]) = place_g + period_t + b arm_gt (+ c arm_g,t-1) (+ x d) (+ log exposure)

Place effects take away what is lasting about a hot spot, period effects what befell all of them that day. With
`carry_over: first_order` what the place had in its previous measured period also has an effect c, so that b is the effect with nothing
left over; `none` assumes that a period leaves nothing behind (a declared washout is the better answer). Errors sum over
places, which covers days that hang together. Counts: a Poisson mean model, right whatever the counts' law;
a place without any event tells nothing of a ratio and is left out of the fit, and counted.

References: Jones & Kenward (2014), Design and Analysis of Cross-Over Trials, 3rd edition, chapters 1 and 5; Basford, Sims, Agar, Harinam &
Strang (2021), Cambridge Journal of Evidence-Based Policing 5, 119-133; Wooldridge (1999), Journal of Econometrics 90, 77-97 (Poisson
with fixed effects); Pustejovsky & Tipton (2018), JBES 36, 672-683.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference.cluster_layout import by_cluster
from evaluation.inference.panel_model import fit_panel, panel_contrast, panel_family
from evaluation.inference.periods import arm_before, period_number
from evaluation.inference.row_weights import rows_with_weight
from evaluation.inference.wald import wald
from evaluation.sample import Sample
from experiments.estimand import Estimand
from experiments.outcome import RATIO_SCALES


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverPeriods:
    """Choices: carry-over, the variance and its degrees of freedom, the level."""

    carry_over: Literal["none", "first_order"]
    variance: Literal["CR2", "CR3", "FG"]
    df: Literal["satterthwaite", "clusters"]
    level: float

    designs: ClassVar[frozenset[str]] = frozenset({"crossover"})
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary", "count"})
    scales: ClassVar[frozenset[str]] = frozenset({"mean_difference", "risk_difference", "rate_ratio"})
    needs: ClassVar[frozenset[str]] = frozenset({"cluster", "period"})

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The effect on `estimand.scale` of a period in `sample.arms[1]` against one in `sample.arms[0]`."""
        if estimand.scale not in self.scales:
            raise EstimatorRefused(
                where="scale",
                found=estimand.scale,
                expected=", ".join(sorted(self.scales)),
                remedy="With a coefficient for every place an odds ratio is biased: ask for a risk difference.",
            )
        sample = rows_with_weight(sample)
        family = panel_family(sample, estimand.scale)
        if sample.cluster is None:
            raise EstimatorRefused(
                where="cluster",
                found="a design without places",
                expected="places measured in several periods",
                remedy="Declare the design's clusters.",
            )
        period_number(sample)
        used, silent = _telling(sample) if family == "poisson" else (sample, 0)
        assert used.cluster is not None
        period = period_number(used)
        layout = by_cluster(used, arms_cross=True)
        columns = [used.arm.astype(float)]
        if self.carry_over == "first_order":
            columns.append(arm_before(used.cluster, period, used.arm))
        panel = fit_panel(
            used,
            layout,
            family,
            period,
            np.column_stack(columns),
            working="independence",
            cluster_effects=True,
        )
        ratio = estimand.scale in RATIO_SCALES
        one = np.eye(len(columns))
        coefficient, error, df = panel_contrast(panel, one[0], self.variance, self.df)
        value = float(np.exp(coefficient)) if ratio else coefficient
        interval, p = wald(value, error, level=self.level, df=df, ratio=ratio)
        extra: dict[str, Any] = {"periods": int(period.max()) + 1, "places_without_events": silent}
        if self.carry_over == "first_order":
            left, left_error, left_df = panel_contrast(panel, one[1], self.variance, self.df)
            left_value = float(np.exp(left)) if ratio else left
            reach, left_p = wald(left_value, left_error, level=self.level, df=left_df, ratio=ratio)
            extra["carry_over"] = {
                "value": left_value,
                "low": reach.low,
                "high": reach.high,
                "p_value": left_p,
            }
        return Estimate(
            estimand="",
            estimator="crossover_periods",
            scale=estimand.scale,
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit=estimand.scale.replace("_", " ") if ratio else sample.unit,
            units_used=sample.people,
            df=df,
            clusters_used=layout.clusters,
            extra=extra,
        )


def _telling(sample: Sample) -> tuple[Sample, int]:
    """The rows of places (and periods) with an event, and how many places have none."""
    assert sample.cluster is not None and sample.period is not None
    labels, place = np.unique(sample.cluster, return_inverse=True)
    events = np.bincount(place, weights=sample.outcome)
    times, time = np.unique(sample.period, return_inverse=True)
    busy = np.bincount(time, weights=sample.outcome, minlength=len(times)) > 0
    rows = (events[place] > 0) & busy[time]
    return sample.keep(np.asarray(rows)), int((events == 0).sum()) if len(labels) else 0
