"""Effects in subgroups, and whether they differ: the interaction, not a comparison of p-values.

    y = sum_g 1{group = g} (alpha_g + beta_g arm) + covariates + blocks + u

beta_g is the effect in group g. The value is beta_compared - beta_reference, the one difference that
the study asks about; `extra` holds every group's own effect with the people behind it, and the joint
test that all groups' effects are equal. That one group's effect is significant and another's is not
says nothing; the difference does. A group with fewer than two people (or clusters) in an arm is
listed with its numbers and without an effect. Everybody whose group was not recorded is a group.

Covariates are centred and share one slope; blocks share one level each across groups.

References: Brookes et al. (2001), Health Technology Assessment 5(33), on interaction tests; Gelman &
Stern (2006), American Statistician 60(4), 328-331; CONSORT 2025, items 21 and 27.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from evaluation.describe import behind
from evaluation.estimate import Estimate, EstimatorRefused, check_level
from evaluation.inference import student
from evaluation.inference.interaction import Effects, effects, joint_test
from evaluation.inference.least_squares import Fit, fit, project
from evaluation.inference.robust import Variance, clusters_of
from evaluation.inference.served_designs import CLUSTERS, PEOPLE
from evaluation.inference.trial_structure import check_serves
from evaluation.sample import Bools, Floats, Ints, Sample
from experiments.estimand import Estimand

_LEAST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupEffects:
    """`compared` and `reference` are two values of the analysis's `subgroup` column."""

    compared: str
    reference: str
    variance: Variance
    level: float

    designs: ClassVar[frozenset[str]] = PEOPLE | CLUSTERS
    kinds: ClassVar[frozenset[str]] = frozenset({"mean", "binary", "count"})
    scales: ClassVar[frozenset[str]] = frozenset({"mean_difference", "risk_difference"})
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_level(self.level)

    def __call__(self, sample: Sample, estimand: Estimand, rng: np.random.Generator) -> Estimate:
        """The difference between the two groups' effects, and all groups' effects beside it."""
        check_serves(sample, estimand, self.kinds, self.scales)
        cluster = clusters_of(sample, self.variance)
        group = self._groups(sample)
        enough = [g for g in range(len(sample.group_names)) if _enough(sample, group == g)]
        compared, reference = (
            self._position(sample, name, enough) for name in (self.compared, self.reference)
        )
        inside = np.isin(group, enough)
        regression, at = regress(sample.keep(inside), enough)
        size = len(regression.coefficients)
        each = np.zeros((len(enough), size))
        each[np.arange(len(enough)), at] = 1.0
        chosen = None if cluster is None else cluster[inside]
        own = effects(regression, each, self.variance, chosen)
        difference = (each[enough.index(compared)] - each[enough.index(reference)])[None, :]
        asked = effects(regression, difference, self.variance, chosen)
        others = [i for i, g in enumerate(enough) if g != reference]
        joint = joint_test(
            effects(regression, each[others] - each[enough.index(reference)], self.variance, chosen)
        )
        value, error, df = float(asked.value[0]), float(asked.error[0]), float(asked.df[0])
        student.check_variance(error, df, float(np.abs(sample.outcome).max(initial=0.0)))
        return Estimate(
            estimand="",
            estimator="subgroup_effects",
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
                "quantity": f"effect in '{self.compared}' less effect in '{self.reference}'",
                "variance": self.variance,
                "groups": self._rows(sample, group, enough, own),
                "joint_test": {
                    "question": "Are the effects of all groups equal?",
                    "f": joint.f,
                    "numerator_df": joint.numerator_df,
                    "denominator_df": joint.denominator_df,
                    "p_value": joint.p,
                },
            },
        )

    def _groups(self, sample: Sample) -> Ints:
        if sample.group is None:
            raise EstimatorRefused(
                where="subgroup",
                found="nothing",
                expected="the roster column that holds the groups",
                remedy="Write `subgroup: COLUMN` in the analysis.",
            )
        return sample.group

    def _position(self, sample: Sample, name: str, enough: list[int]) -> int:
        if name not in sample.group_names:
            raise EstimatorRefused(
                where="compared" if name == self.compared else "reference",
                found=f"'{name}'",
                expected=f"one of: {', '.join(sample.group_names)}",
                remedy="Use a value of the subgroup column.",
            )
        if self.compared == self.reference:
            raise EstimatorRefused(
                where="compared",
                found="the reference group",
                expected="two different groups",
                remedy="Name the group whose effect is compared, and the group it is compared with.",
            )
        at = sample.group_names.index(name)
        if at not in enough:
            raise EstimatorRefused(
                where="subgroup",
                found=f"fewer than {_LEAST} people or clusters of '{name}' in an arm",
                expected=f"at least {_LEAST} in each arm",
                remedy="Compare larger groups, or join small ones before the analysis and say so.",
            )
        return at

    def _rows(self, sample: Sample, group: Ints, enough: list[int], own: Effects) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for g, name in enumerate(sample.group_names):
            inside = group == g
            row: dict[str, Any] = {"group": name, "behind": behind(sample.keep(inside))}
            estimated = g in enough
            value = error = df = low = high = p = None
            if estimated:
                i = enough.index(g)
                value, error, df = float(own.value[i]), float(own.error[i]), float(own.df[i])
                interval = student.interval(value, error, df, self.level)
                low, high, p = interval.low, interval.high, student.p_value(value, error, df)
            row |= {"value": value, "standard_error": error, "df": df, "low": low, "high": high, "p_value": p}
            rows.append(row)
        return rows


def regress(sample: Sample, groups: list[int]) -> tuple[Fit, list[int]]:
    """The regression at the top of this file, and where each group's effect stands among its coefficients."""
    assert sample.group is not None
    member = (sample.group[:, None] == np.array(groups)).astype(np.float64)
    parts: list[Floats] = [member * sample.treated[:, None], member]
    if sample.covariates is not None:
        parts.append(sample.covariates - sample.covariates.mean(axis=0))
    projection = project(np.hstack(parts), weight=sample.weight, absorb=sample.block)
    regression = fit(sample.outcome, projection)
    return regression, [projection.position(i) for i in range(len(groups))]


def _enough(sample: Sample, inside: Bools) -> bool:
    unit = sample.person if sample.cluster is None else sample.cluster
    return all(len(np.unique(unit[inside & (sample.arm == code)])) >= _LEAST for code in (0, 1))
