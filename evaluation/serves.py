"""Does this estimator serve this design, this outcome and this scale? If not, which does?

Asked twice: of the study before any data are read, and of the sample before it is estimated from.
"""

from __future__ import annotations

from typing import Any

from data_contracts.catalogue import find, names
from evaluation.estimate import Estimator, EstimatorRefused
from evaluation.sample import Sample
from experiments.estimand import Estimand

ESTIMATORS = "evaluation.estimators"
PARTS = {
    "block": "blocks, pairs or sites in the design",
    "cluster": "clusters in the design",
    "period": "periods in the design",
    "exposure": "an `exposure` column in the outcome",
    "baseline": "a `baseline` column in the outcome",
    "received": "`received` in the population: the column of treatment taken",
    "covariates": "covariates in the analysis",
    "event": "an `event` column in the outcome",
    "entry": "an `entry` column in the outcome",
    "weight": "weights",
    "roster": "a roster that the design drew",
}


def check_serves(estimator: type[Any], *, scheme: str, kind: str, scale: str, where: str) -> None:
    """Refuse a pairing that the estimator does not serve, naming those that do."""
    name = estimator.__module__.rsplit(".", 1)[-1]
    for what, wanted, served in (
        ("design", scheme, estimator.designs),
        ("outcome of kind", kind, estimator.kinds),
        ("scale", scale, estimator.scales),
    ):
        if wanted not in served:
            able = estimators_for(scheme, kind, scale)
            raise EstimatorRefused(
                where=f"{where}.estimator",
                found=f"'{name}' for the {what} '{wanted}'",
                expected=f"one of those that it serves: {', '.join(sorted(served))}",
                remedy=f"For design '{scheme}', a {kind} outcome and the scale '{scale}', use: {', '.join(able)}."
                if able
                else f"No estimator here serves design '{scheme}' with a {kind} outcome on the scale "
                f"'{scale}': change the scale or the design.",
            )


def check_sample(estimator: Estimator, sample: Sample, estimand: Estimand, *, where: str) -> None:
    """Refuse a sample that the estimator does not serve, or without a part that it needs."""
    cls = type(estimator)
    if sample.design is not None:
        check_serves(cls, scheme=sample.design.scheme, kind=sample.kind, scale=estimand.scale, where=where)
    for part in sorted(cls.needs):
        if getattr(sample, part, None) is None:
            raise EstimatorRefused(
                where=where,
                found=f"nothing in the place of '{part}'",
                expected=PARTS.get(part, part),
                remedy="Declare it in the study, or choose an estimator that does not need it.",
            )


def estimators_for(scheme: str, kind: str, scale: str) -> tuple[str, ...]:
    """The estimators that serve this design, outcome kind and scale."""
    able = []
    for name in names(ESTIMATORS):
        cls = find(ESTIMATORS, name)
        if scheme in cls.designs and kind in cls.kinds and scale in cls.scales:
            able.append(name)
    return tuple(able)
