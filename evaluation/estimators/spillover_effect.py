"""Direct, spill-over, total and overall effects in a two-stage trial of saturations.

Clusters were drawn to saturations, and people within them to arms. With Y_c(z) the mean of cluster c's
people in arm z, and averages over the clusters drawn to a saturation,

    direct       mean over `at` of        Y_c(1) - Y_c(0)
    spill_over   mean over `at` of Y_c(0)  -  mean over `against` of Y_c(0)
    total        mean over `at` of Y_c(1)  -  mean over `against` of Y_c(0)
    overall      mean over `at` of Y_c     -  mean over `against` of Y_c

so that total = direct at `at` + spill_over. `weigh: clusters` counts every cluster alike (Hudgens &
Halloran), `weigh: people` by its people. With w_c the weights, m the weighted mean of cluster values v_c,
and G clusters, each mean has variance G / (G - 1) sum w_c^2 (v_c - m)^2 / (sum w_c)^2; means of different
saturations add. It takes the clusters as a sample: never too small on average for the trial's own
clusters. Intervals are Student's t, on G - 1 or Welch's degrees of freedom.

Assumes that a person's outcome depends on others only inside the cluster, and there only through how
many are treated (stratified interference); that saturations and arms were drawn; nobody lost by either.

References: Hudgens & Halloran (2008), Toward causal inference with interference, JASA 103, 832-842,
sections 3 to 5; Basse & Feller (2018), Analyzing two-stage experiments in the presence of
interference, JASA 113, 41-55, on the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference import student
from evaluation.inference.trial_structure import check_serves
from evaluation.interference.cluster_values import ClusterValues, cluster_values
from evaluation.interference.effects import Effect, difference, single
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class SpilloverEffect:
    """Which effect, at which saturation, against which (null for the direct effect), and how clusters count.

    `saturation` names the roster column that holds the saturation drawn for each person's cluster.
    """

    effect: Literal["direct", "spill_over", "total", "overall"]
    saturation: str
    at: str
    against: str | None
    weigh: Literal["clusters", "people"]
    level: float

    designs: ClassVar[frozenset[str]] = frozenset({"two_stage"})
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary"})
    scales: ClassVar[frozenset[str]] = frozenset({"mean_difference", "risk_difference"})
    needs: ClassVar[frozenset[str]] = frozenset({"cluster"})

    def __post_init__(self) -> None:
        check_level(self.level)
        if (self.effect == "direct") != (self.against is None) or self.at == self.against:
            raise EstimatorRefused(
                where="against",
                found="nothing" if self.against is None else f"'{self.against}'",
                expected="null for a direct effect, which stays inside one saturation"
                if self.effect == "direct"
                else "another saturation to set `at` against",
                remedy="Name the saturation with the fewest treated as `against`, or ask for `effect: direct`.",
            )

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The declared effect; every other one that these saturations give stands in `extra["effects"]`."""
        check_serves(sample, estimand, self.kinds, self.scales)
        values = cluster_values(sample, self.saturation, self.weigh)
        for name in (self.at, self.against):
            if name is not None and name not in values:
                raise EstimatorRefused(
                    where="at" if name == self.at else "against",
                    found=f"the saturation '{name}'",
                    expected=f"one of those drawn: {', '.join(values)}",
                    remedy="Write the saturation's name as the design and the roster have it.",
                )
        found = effect_of(self.effect, values, self.at, self.against)
        error = sqrt(found.variance)
        student.check_variance(error, found.df, float(np.abs(sample.outcome).max(initial=0.0)))
        return Estimate(
            estimand="",
            estimator="spillover_effect",
            scale=estimand.scale,
            value=found.value,
            standard_error=error,
            interval=student.interval(found.value, error, found.df, self.level),
            p_value=student.p_value(found.value, error, found.df),
            df=found.df,
            unit=sample.unit,
            units_used=found.people,
            clusters_used=found.clusters,
            extra={
                "effect": self.effect,
                "at": self.at,
                "against": self.against,
                "weigh": self.weigh,
                "saturations": [row for name, held in values.items() for row in held.rows(name, sample.arms)],
                "effects": _all_effects(values, self.against, self.level),
            },
        )


def effect_of(effect: str, values: dict[str, ClusterValues], at: str, against: str | None) -> Effect:
    """One effect from the clusters' values, as defined at the top of this file."""
    if against is None:
        return single(values[at].contrast(), where=f"saturation {at}")
    parts = {"spill_over": ("reference", "reference"), "total": ("treated", "reference")}
    upper, lower = parts.get(effect, ("everybody", "everybody"))
    return difference(
        getattr(values[at], upper),
        getattr(values[against], lower),
        where=(f"saturation {at} ({upper})", f"saturation {against} ({lower})"),
    )


def _all_effects(values: dict[str, ClusterValues], against: str | None, level: float) -> list[dict[str, Any]]:
    """A row for every effect that can be told; those with too few clusters are left out."""
    wanted: list[tuple[str, str, str | None]] = [("direct", at, None) for at in values]
    if against is not None:
        names = [at for at in values if at != against]
        wanted += [(e, at, against) for at in names for e in ("spill_over", "total", "overall")]
    rows = []
    for effect, at, other in wanted:
        try:
            found = effect_of(effect, values, at, other)
        except EstimatorRefused:
            continue
        reach = student.reach(found.df, level) * sqrt(found.variance)
        rows.append(
            {
                "effect": effect,
                "at": at,
                "against": other,
                "value": found.value,
                "standard_error": sqrt(found.variance),
                "low": found.value - reach,
                "high": found.value + reach,
                "clusters": found.clusters,
            }
        )
    return rows
