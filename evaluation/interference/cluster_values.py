"""Clusters' mean outcomes by arm, sorted by the saturation that was drawn for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from data_contracts.refusal import nearest
from evaluation.estimate import EstimatorRefused
from evaluation.interference.effects import Weighted
from evaluation.sample import Floats, Ints, Sample


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterValues:
    """The clusters of one saturation: means (G,) by arm, NaN where an arm has nobody, and people.

    `mean`, `people` are (G, 2): reference arm, then treated. `all_mean` is over both.
    """

    mean: Floats
    people: Ints
    all_mean: Floats
    by_people: bool

    @property
    def reference(self) -> Weighted:
        """Untreated people's means."""
        return self._of(self.mean[:, 0], self.people[:, 0])

    @property
    def treated(self) -> Weighted:
        """Treated people's means."""
        return self._of(self.mean[:, 1], self.people[:, 1])

    @property
    def everybody(self) -> Weighted:
        """The means of all people of a cluster."""
        return self._of(self.all_mean, self.people.sum(axis=1))

    def contrast(self) -> Weighted:
        """Treated less untreated inside each cluster that has both."""
        return self._of(self.mean[:, 1] - self.mean[:, 0], self.people.sum(axis=1))

    def rows(self, saturation: str, arms: tuple[str, str]) -> list[dict[str, Any]]:
        """By arm: clusters with somebody in it, people, and the mean over clusters."""
        found = []
        for arm, part in zip(arms, (self.reference, self.treated), strict=True):
            some = len(part.value) > 0
            found.append(
                {
                    "saturation": saturation,
                    "arm": arm,
                    "clusters": len(part.value),
                    "people": part.people,
                    "mean": float(np.average(part.value, weights=part.weight)) if some else None,
                }
            )
        return found

    def _of(self, value: Floats, people: Ints) -> Weighted:
        """The clusters that have the value; each counts once, or by all its people."""
        has = ~np.isnan(value)
        size = self.people.sum(axis=1)[has].astype(np.float64)
        return Weighted(
            value=value[has],
            weight=size if self.by_people else np.ones(int(has.sum())),
            people=int(people[has].sum()),
        )


def cluster_values(
    sample: Sample, column: str, weigh: Literal["clusters", "people"]
) -> dict[str, ClusterValues]:
    """By saturation, in the order of their names; refuses a cluster with two saturations."""
    saturation = _saturations(sample, column)
    assert sample.cluster is not None
    codes = np.unique(sample.cluster, return_inverse=True)[1]
    count = int(codes.max()) + 1
    people = np.zeros((count, 2), dtype=np.int64)
    total = np.zeros((count, 2))
    for arm in (0, 1):
        inside = sample.arm == arm
        people[:, arm] = np.bincount(codes[inside], minlength=count)
        total[:, arm] = np.bincount(codes[inside], weights=sample.outcome[inside], minlength=count)
    mean = np.divide(total, people, out=np.full((count, 2), np.nan), where=people > 0)
    names, drawn = np.unique(saturation, return_inverse=True)
    least, most = np.full(count, len(names)), np.zeros(count, dtype=np.int64)
    np.minimum.at(least, codes, drawn)
    np.maximum.at(most, codes, drawn)
    if (least != most).any():
        raise EstimatorRefused(
            where=f"saturation ({column})",
            found=f"{int((least != most).sum())} clusters with more than one saturation",
            expected="one saturation for everybody in a cluster",
            remedy="Use the saturation that was drawn for the cluster, not the share that was reached.",
        )
    return {
        str(name): ClusterValues(
            mean=mean[least == code],
            people=people[least == code],
            all_mean=total[least == code].sum(axis=1) / people[least == code].sum(axis=1),
            by_people=weigh == "people",
        )
        for code, name in enumerate(names)
    }


def _saturations(sample: Sample, column: str) -> Any:
    """(n,) names of the saturation drawn for each row's cluster."""
    if sample.cluster is None or sample.roster is None or sample.roster_row is None:
        raise EstimatorRefused(
            where="design",
            found="no clusters, or no roster, in the sample",
            expected="a two-stage design, with its roster",
            remedy="Use `difference_in_means`: without saturations there is no spill-over to tell.",
        )
    if column not in sample.roster.columns:
        raise EstimatorRefused(
            where="saturation",
            found=f"'{column}'",
            expected="the roster column that holds the saturation drawn",
            remedy=nearest(column, map(str, sample.roster.columns)),
        )
    if sample.weight is not None:
        raise EstimatorRefused(
            where="weight",
            found="weights",
            expected="none: clusters' means are plain",
            remedy="Use complete_case, or impute what is missing.",
        )
    series = sample.roster[column].iloc[sample.roster_row]
    declared = getattr(sample.design, "saturations", None)
    unknown = series.isna() if declared is None else ~series.isin(list(declared))
    if unknown.any():
        raise EstimatorRefused(
            where=f"saturation ({column})",
            found=f"{int(unknown.sum())} rows with a saturation that the design does not declare",
            expected="names of the design's saturations" if declared is None else ", ".join(declared),
            remedy="Write in the roster the saturation that was drawn, by its name in the design.",
        )
    return series.astype(str).to_numpy()
