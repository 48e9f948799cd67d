"""Effect of taking the treatment, in those whom the assignment moves to take it (CACE, LATE).

    tau_c = (effect of assignment on the outcome) / (effect of assignment on the treatment taken)

by two-stage least squares with assignment as the instrument, baseline covariates as regressors and
blocks absorbed. `received` is 0/1, or a dose (sessions attended): the value is then per unit of dose,
averaged with weights over the people and the doses that the assignment moves (Angrist & Imbens 1995).

Assumes that assignment was random, works on the outcome only through the treatment (exclusion), and
puts nobody off it (monotonicity). `extra` holds what these rest on: receipt by arm, the shares of
compliers, always- and never-takers, first-stage F, bounds without exclusion or without monotonicity.

`interval: anderson_rubin` is right however few comply; where the data do not bound the effect, no
interval is given and `extra.anderson_rubin` says what the set is. `interval: wald` is value +/- t SE.
With Anderson and Rubin's, the p-value is that of the effect of assignment. Variances and df are those
of `adjusted_difference`, computed for the two stages.

Reference: Imbens & Angrist (1994), Econometrica 62, 467-475; Angrist, Imbens & Rubin (1996), JASA 91,
444-455; Angrist & Imbens (1995), JASA 90, 431-442. Checked against estimatr 1.0.4 (`iv_robust`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, Interval, check_level
from evaluation.inference import student
from evaluation.inference.anderson_rubin import ConfidenceSet, confidence_set, reduced_form
from evaluation.inference.least_squares import Floats, fit
from evaluation.inference.principal_strata import complier_bounds, everyone_bounds, strata_shares
from evaluation.inference.robust import Variance, clusters_of, robust
from evaluation.inference.trial_structure import check_arms, check_serves, positive_weights
from evaluation.inference.two_stage import Instrumented, endogeneity, two_stage, weak_instruments
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplierAverage:
    """The choices: the variance, the kind of interval and its level."""

    variance: Literal["HC0", "HC1", "HC2", "HC2_BM", "HC3", "CR0", "CR1", "CR1S", "CR2", "CR3"]
    interval: Literal["anderson_rubin", "wald"]
    level: float

    effects: ClassVar[frozenset[str]] = frozenset({"complier average"})
    designs: ClassVar[frozenset[str]] = frozenset(
        {
            "simple",
            "complete",
            "blocked",
            "clustered",
            "blocked_clusters",
            "matched_pairs",
            "multi_site",
            "wait_list",
            "encouragement",
            "rerandomised",
            "sequential_blocks",
            "instrument",
        }
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary"})
    scales: ClassVar[frozenset[str]] = frozenset({"mean_difference", "risk_difference"})
    needs: ClassVar[frozenset[str]] = frozenset({"received"})

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """Estimate `estimand` from `sample`, in the outcome's unit (per unit of dose where it is one)."""
        check_serves(sample, estimand, self.kinds, self.scales)
        kind: Variance = self.variance
        clusters_of(sample, kind)
        kept, _ = positive_weights(sample)
        check_arms(kept)
        received = _received(kept)
        problem = Instrumented(
            outcome=kept.outcome,
            endogenous=received[:, None],
            exogenous=_regressors(kept),
            instruments=kept.treated.astype(np.float64)[:, None],
            weight=kept.weight,
            absorb=kept.block,
            cluster=kept.cluster,
        )
        regression = two_stage(problem)
        value = float(regression.coefficients[0])
        found = robust(regression, kind, kept.cluster, 0)
        error = sqrt(found.variance)
        student.check_variance(error, found.df, float(np.abs(kept.outcome).max(initial=0.0)))
        region = confidence_set(reduced_form(problem, kind), self.level)
        wald = student.interval(value, error, found.df, self.level)
        rubin = self.interval == "anderson_rubin"
        return Estimate(
            estimand="",
            estimator="complier_average",
            scale=estimand.scale,
            value=value,
            standard_error=error,
            interval=_interval(region, self.level) if rubin else wald,
            p_value=region.p_value if rubin else student.p_value(value, error, found.df),
            df=None if rubin else found.df,
            unit=sample.unit,
            units_used=kept.people,
            clusters_used=kept.clusters,
            extra=_extra(kept, received, problem, kind, region, wald, found.df),
        )


def _regressors(sample: Sample) -> Floats:
    """Covariates, with an intercept where no blocks are absorbed."""
    parts = [np.ones((len(sample.outcome), 1))] if sample.block is None else []
    if sample.covariates is not None:
        parts.append(sample.covariates)
    return np.hstack(parts) if parts else np.empty((len(sample.outcome), 0))


def _received(sample: Sample) -> Floats:
    if sample.received is None:
        raise EstimatorRefused(
            where="population.received",
            found="nothing",
            expected="the column of the treatment actually taken",
            remedy="Name it in the study, or estimate the effect of assignment with `difference_in_means`.",
        )
    missing = int(np.count_nonzero(~np.isfinite(sample.received)))
    if missing:
        raise EstimatorRefused(
            where="population.received",
            found=f"{missing} people whose treatment is not known",
            expected="a value for everybody, in both arms",
            remedy="Take it from delivery records, or impute; those who vanish are rarely like those who stay.",
        )
    received = sample.received.astype(np.float64)
    mean = [
        float(np.average(received[a], weights=_part(sample, a))) for a in (sample.treated, ~sample.treated)
    ]
    if abs(mean[0] - mean[1]) <= 1e-9 * max(1e-300, float(np.abs(received).max(initial=0.0))):
        raise EstimatorRefused(
            where="population.received",
            found="the same treatment taken, on average, in both arms",
            expected="an assignment that changes the treatment taken",
            remedy="There are no compliers to speak of; report the effect of assignment.",
        )
    return received


def _part(sample: Sample, rows: Any) -> Floats | None:
    return None if sample.weight is None else sample.weight[rows]


def _interval(region: ConfidenceSet, level: float) -> Interval | None:
    """The set as an interval, where it is one."""
    if region.shape != "interval":
        return None
    low, high = region.pieces[0]
    assert low is not None and high is not None
    return Interval(low=low, high=high, level=level, kind="confidence")


def _extra(
    sample: Sample,
    received: Floats,
    problem: Instrumented,
    kind: Variance,
    region: ConfidenceSet,
    wald: Interval,
    df: float,
) -> dict[str, Any]:
    """What the value rests on, JSON-ready."""
    z, y, w = sample.treated, sample.outcome, sample.weight
    whole = fit(y, problem.first)
    first = weak_instruments(problem, kind)
    surprise = endogeneity(problem, kind)
    extra: dict[str, Any] = {
        "variance": kind,
        "received_mean": {
            name: float(np.average(received[arm], weights=_part(sample, arm)))
            for name, arm in zip(sample.arms, (~z, z), strict=True)
        },
        "effect_of_assignment": float(whole.coefficients[0]),
        "first_stage": {
            "effect": float(fit(received, problem.first).coefficients[0]),
            "f": first.statistic,
            "df": [first.df, first.denominator_df],
            "p_value": first.p_value,
        },
        "endogeneity": {"f": surprise.statistic, "p_value": surprise.p_value},
        "anderson_rubin": {
            "shape": region.shape,
            "pieces": [list(piece) for piece in region.pieces],
            "p_value": region.p_value,
        },
        "wald": {"low": wald.low, "high": wald.high, "df": df},
        "dose": not np.all(np.isin(received, (0.0, 1.0))),
    }
    if not extra["dose"]:
        taken = received == 1
        extra["strata"] = asdict(strata_shares(taken, z, w))
        bounds = complier_bounds(y, taken, z, w)
        extra["bounds_without_exclusion"] = None if bounds is None else list(bounds)
        if np.all(np.isin(y, (0.0, 1.0))):
            everyone = everyone_bounds(y == 1, taken, z, w)
            extra["bounds_for_everyone"] = None if everyone is None else list(everyone)
    return extra
