"""Hedges' g: the difference in means in standard deviations, labelled by which standard deviation.

One data set has several legitimate effect sizes. The study names one (`spread`: within or total;
`standardiser`: conditional, unconditional or empty); it is the value, and `extra.others` shows the rest
beside it, each with its label. Formulas: `evaluation/effects/effect_size.py`. Individual designs have
only a total SD (blocks are in the model, as indicators); cluster designs a random intercept per cluster;
multi-site designs random intercepts and effects by site. `extra` also gives the ICC of the arms-only model
with profile limits, and the MDES that the precision of this analysis achieved at `power`.

Assumes one SD in both arms, and near-normal outcomes for the small-sample factor.

Reference: Hedges (1981), Journal of Educational Statistics 6, 107-128; Hedges (2007), Journal of Educational
and Behavioral Statistics 32, 341-370; What Works Clearinghouse (2022), Procedures Handbook 5.0, appendix E.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.effects.detectable import achieved
from evaluation.effects.effect_size import EffectSize
from evaluation.effects.trial_effect_sizes import TrialEffectSizes, trial_effect_sizes
from evaluation.estimate import Estimate, EstimatorRefused, Interval, check_level
from evaluation.inference import student
from evaluation.inference.trial_structure import check_arms, check_clusters, check_serves
from evaluation.sample import Sample
from experiments.estimand import Estimand


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgesG:
    """The choices: which standard deviation, the level of the interval, the power of the MDES."""

    spread: Literal["within", "total"]
    standardiser: Literal["conditional", "unconditional", "empty"]
    power: float
    level: float

    designs: ClassVar[frozenset[str]] = frozenset(
        {
            "simple",
            "complete",
            "blocked",
            "clustered",
            "blocked_clusters",
            "multi_site",
            "wait_list",
            "encouragement",
            "rerandomised",
            "minimised",
            "sequential_blocks",
        }
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"mean"})
    scales: ClassVar[frozenset[str]] = frozenset({"standardised_mean_difference"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)
        if not 0.5 < self.power < 1:
            raise EstimatorRefused(
                where="power",
                found=str(self.power),
                expected="a proportion above 0.5 and below 1",
                remedy="Write 0.8, not 80.",
            )

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """Estimate `estimand` from `sample`, in standard deviations."""
        check_serves(sample, estimand, self.kinds, self.scales)
        if sample.weight is not None:
            raise EstimatorRefused(
                where="sample.weight",
                found="weights",
                expected="none: a weighted standard deviation has no agreed meaning here",
                remedy="Use multiple imputation for missing outcomes, or `difference_in_means` with the weights.",
            )
        if sample.cluster is not None:
            check_clusters(sample)
        check_arms(sample)
        found = trial_effect_sizes(sample, self.level)
        chosen = self._chosen(found)
        interval_df = found.df
        student.check_variance(chosen.standard_error, interval_df, abs(chosen.value))
        return Estimate(
            estimand="",
            estimator="hedges_g",
            scale=estimand.scale,
            value=chosen.value,
            standard_error=chosen.standard_error,
            interval=Interval(low=chosen.low, high=chosen.high, level=self.level, kind="confidence"),
            p_value=student.p_value(found.effect, found.effect_error, interval_df),
            df=interval_df,
            unit="standard deviations",
            units_used=sample.people,
            clusters_used=sample.clusters,
            extra=self._extra(found, chosen),
        )

    def _chosen(self, found: TrialEffectSizes) -> EffectSize:
        size = found.find(self.spread, self.standardiser)
        if size is None:
            labels = ", ".join(f"{s.spread} {s.standardiser}" for s in found.sizes)
            raise EstimatorRefused(
                where="spread" if found.sizes[0].design == "individual" else "standardiser",
                found=f"'{self.spread} {self.standardiser}'",
                expected=f"one that this design and these covariates have: {labels}",
                remedy="People drawn one by one have a total SD alone; a conditional SD needs covariates.",
            )
        return size

    def _extra(self, found: TrialEffectSizes, chosen: EffectSize) -> dict[str, Any]:
        mdes = achieved(
            standard_error=found.effect_error,
            sd=chosen.sd,
            df=found.df,
            power=self.power,
            level=self.level,
        )
        return {
            "label": chosen.label,
            "difference": found.effect,
            "difference_standard_error": found.effect_error,
            "sd": chosen.sd,
            "others": [{**asdict(size), "label": size.label} for size in found.sizes if size is not chosen],
            "icc": None
            if found.icc is None
            else {"value": found.icc, "low": found.icc_low, "high": found.icc_high},
            "mdes_achieved": asdict(mdes),
            "notes": list(found.notes),
        }
