"""Hazard ratio of the arms by Cox's proportional-hazards regression.

    hazard(t | arm, x) = hazard_s(t) exp(b arm + x c),        value = exp(b)

For times to a first event. The baseline hazard is left free, and free by block (s) where the design
balanced arms within blocks, sites or pairs. Assumes censoring independent of the event given arm, covariates and
block, and a ratio that is constant over follow-up; the test of the latter is reported (`proportionality`),
with time on the scale 1 - Kaplan-Meier. The ratio is conditional on the covariates: adding one changes what
is estimated, even in a trial.

`variance` is `model` (inverse information), `robust` (Lin & Wei's sandwich over people) or `cluster`
(over clusters, with Student's t on clusters - 2; the sandwich is too small with few clusters, so fewer than
30 are refused).

References: Cox (1972), JRSS B 34, 187-220; Lin & Wei (1989), JASA 84, 1074-1078; Therneau & Grambsch (2000),
Modeling Survival Data, chapters 3, 6, 7 and 8. Checked against R's survival 3.5 and lifelines 0.30.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference.cox import Cox, fit, proportionality, risk_sets, robust_variance
from evaluation.inference.survival import kaplan_meier, time_rows
from evaluation.inference.treatment_columns import treatment_columns
from evaluation.inference.wald import wald
from evaluation.sample import Sample
from experiments.estimand import Estimand

FEWEST_CLUSTERS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionalHazards:
    """Choices: the variance, the handling of tied event times, the level of the interval."""

    variance: Literal["model", "robust", "cluster"]
    ties: Literal["efron", "breslow"]
    level: float

    designs: ClassVar[frozenset[str]] = frozenset(
        {
            "simple",
            "complete",
            "blocked",
            "clustered",
            "blocked_clusters",
            "matched_pairs",
            "multi_site",
            "factorial",
            "wait_list",
            "sequential_blocks",
            "minimised",
            "matched_cohort",
        }
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"time"})
    scales: ClassVar[frozenset[str]] = frozenset({"hazard_ratio"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The hazard ratio of `sample.arms[1]` over `sample.arms[0]`."""
        x, names = treatment_columns(sample)
        time, event, entry = time_rows(sample)
        clusters = self._clusters(sample)
        for code, name in enumerate(sample.arms):
            if not (event & (sample.arm == code)).any():
                raise EstimatorRefused(
                    where=f"arms.{name}",
                    found="no events",
                    expected="at least one event in each arm",
                    remedy="A hazard ratio has no estimate here: use `restricted_mean_survival` or "
                    "`marginal_standardisation`.",
                )
        late = sample.entry is not None
        at = risk_sets(
            time,
            event,
            ties=self.ties,
            entry=entry if late else None,
            strata=sample.block,
            weight=sample.weight,
        )
        fitted = fit(x, at, ties=self.ties)
        covariance = self._covariance(fitted, sample)
        value, error = float(np.exp(fitted.coefficient[0])), float(np.sqrt(covariance[0, 0]))
        df = float(clusters - 2) if self.variance == "cluster" and clusters is not None else None
        interval, p = wald(value, error, level=self.level, df=df, ratio=True)
        return Estimate(
            estimand="",
            estimator="proportional_hazards",
            scale="hazard_ratio",
            value=value,
            standard_error=error,
            interval=interval,
            p_value=p,
            unit="ratio of hazards",
            units_used=sample.people,
            df=df,
            clusters_used=clusters,
            extra=_published(fitted, covariance, names, x, time, event, entry if late else None),
        )

    def _covariance(self, fitted: Cox, sample: Sample) -> NDArray[np.float64]:
        if self.variance == "model":
            return fitted.model_variance
        return robust_variance(fitted, sample.cluster if self.variance == "cluster" else sample.person)

    def _clusters(self, sample: Sample) -> int | None:
        if sample.cluster is None:
            if self.variance == "cluster":
                raise EstimatorRefused(
                    where="variance",
                    found="cluster",
                    expected="a design with clusters",
                    remedy="Use `variance: robust` for people randomised one by one.",
                )
            return None
        count = len(np.unique(sample.cluster))
        if self.variance != "cluster":
            raise EstimatorRefused(
                where="variance",
                found=f"{self.variance}, in a design that drew clusters",
                expected="cluster",
                remedy="Use `variance: cluster`: people in a cluster are alike, and were drawn together.",
            )
        if count < FEWEST_CLUSTERS:
            raise EstimatorRefused(
                where="variance",
                found=f"{count} clusters",
                expected=f"at least {FEWEST_CLUSTERS} for a cluster-robust Cox model",
                remedy="Use `cluster_means` with a rate ratio (events over time at risk) or `restricted_mean_survival` by "
                "cluster, which hold their level with few clusters.",
            )
        return count


def _published(
    fitted: Cox,
    covariance: NDArray[np.float64],
    names: tuple[str, ...],
    x: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    entry: NDArray[np.float64] | None,
) -> dict[str, Any]:
    zero, best = fitted.log_likelihood
    ratio = 2 * (best - zero)
    whole = kaplan_meier(time, event, entry)
    before = np.concatenate([[1.0], whole.survival])
    clock = 1 - before[np.searchsorted(whole.time, fitted.at.step_time, side="left")]
    out: dict[str, Any] = {
        "log_hazard_ratio": float(fitted.coefficient[0]),
        "coefficients": {
            name: {"coefficient": float(b), "standard_error": float(s)}
            for name, b, s in zip(names, fitted.coefficient, np.sqrt(np.diag(covariance)), strict=True)
        },
        "events": int(event.sum()),
        "log_likelihood": best,
        "log_likelihood_at_zero": zero,
        "likelihood_ratio": {
            "statistic": ratio,
            "df": x.shape[1],
            "p_value": float(chi2.sf(ratio, x.shape[1])),
        },
    }
    if len(np.unique(fitted.at.step_time)) > 1:
        statistic, p = proportionality(x, fitted, clock)
        out["proportionality"] = {
            "clock": "1 - Kaplan-Meier",
            "treatment": {"statistic": float(statistic[0]), "df": 1, "p_value": float(p[0])},
            "all_columns": {"statistic": float(statistic[-1]), "df": x.shape[1], "p_value": float(p[-1])},
        }
    return out
