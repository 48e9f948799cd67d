"""How many people were lost before the outcome, and was it more in one arm?

    a_k = (people randomised to arm k with no outcome) / (people randomised to arm k)

Overall attrition lowers precision and may change who the result is about; a difference between the
arms can bias the comparison itself. Both limits are the study's to declare; the What Works
Clearinghouse publishes boundaries that pair the two.

Reference: What Works Clearinghouse (2022), Procedures and Standards Handbook, version 5.0, on attrition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from evaluation.estimate import Check, EstimatorRefused
from evaluation.sample import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Attrition:
    """The largest shares accepted: lost `overall`, and the absolute `difference` between the arms."""

    overall: float
    difference: float

    question: ClassVar[str] = "Did few people leave before the outcome, and alike in the two arms?"

    def __post_init__(self) -> None:
        for name in ("overall", "difference"):
            if not 0 <= getattr(self, name) < 1:
                raise EstimatorRefused(
                    where=name,
                    found=str(getattr(self, name)),
                    expected="a share of people from 0 to below 1",
                    remedy="Write 0.20, not 20.",
                )

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Check:
        """One row per arm; the statistic is the share lost overall."""
        rows = attrition_rows(sample)
        if any(row["randomised"] == 0 for row in rows):
            empty = ", ".join(str(row["arm"]) for row in rows if row["randomised"] == 0)
            return self._check("not assessed", None, f"Nobody is in the arm {empty}.", rows)
        lost = sum(row["lost"] for row in rows) / sum(row["randomised"] for row in rows)
        gap = rows[1]["share_lost"] - rows[0]["share_lost"]
        broken = [
            text
            for wrong, text in (
                (lost > self.overall, "more were lost overall than the limit"),
                (abs(gap) > self.difference, "the arms differ by more than the limit"),
            )
            if wrong
        ]
        note = "Within both limits." if not broken else f"Beyond: {' and '.join(broken)}."
        return self._check("not met" if broken else "met", lost, note, rows)

    def _check(
        self,
        verdict: Literal["met", "not met", "not assessed"],
        statistic: float | None,
        note: str,
        rows: list[dict[str, Any]],
    ) -> Check:
        return Check(
            name="attrition",
            question=self.question,
            verdict=verdict,
            statistic=statistic,
            note=note,
            rows=tuple(rows),
        )


def attrition_rows(sample: Sample) -> list[dict[str, Any]]:
    """By arm, reference first: people randomised, with an outcome, lost, and the share lost.

    A person with several rows is lost when no row has an outcome. Clusters with no outcome at all
    are counted beside them where the design has clusters.
    """
    rows = []
    for code, name in enumerate(sample.arms):
        inside = sample.arm == code
        randomised = len(np.unique(sample.person[inside]))
        observed = len(np.unique(sample.person[inside & sample.observed]))
        row: dict[str, Any] = {
            "arm": name,
            "randomised": randomised,
            "observed": observed,
            "lost": randomised - observed,
            "share_lost": (randomised - observed) / randomised if randomised else None,
        }
        if sample.cluster is not None:
            clusters = len(np.unique(sample.cluster[inside]))
            kept = len(np.unique(sample.cluster[inside & sample.observed]))
            row |= {"clusters": clusters, "clusters_lost": clusters - kept}
        rows.append(row)
    return rows
