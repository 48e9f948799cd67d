"""Were the arms alike at the start? Standardised differences of the baseline covariates, with no p-values.

    d = (mean_1 - mean_0) / sqrt((s2_1 + s2_0) / 2)

with s2 the sample variance, or p(1 - p) for a covariate that takes only the values 0 and 1. In a
randomised trial a test of baseline balance tests a hypothesis known to be true, so none is made
(the CONSORT 2025 explanation, on baseline data; Senn 1994, Testing for baseline balance in clinical
trials, Statistics in Medicine 13, 1715-1726).

Reference: Austin (2009), Balance diagnostics for comparing the distribution of baseline covariates,
Statistics in Medicine 28, 3083-3107, equations 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from evaluation.estimate import Check, EstimatorRefused
from evaluation.sample import Floats, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """`limit` is the largest absolute standardised difference accepted, such as 0.1 or 0.25."""

    limit: float

    question: ClassVar[str] = "Were the arms alike at the start?"

    def __post_init__(self) -> None:
        if not self.limit > 0:
            raise EstimatorRefused(
                where="limit",
                found=str(self.limit),
                expected="a standardised difference above zero",
                remedy="Write the largest difference accepted, in standard deviations, such as 0.25.",
            )

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Check:
        """One row per covariate and arm; the statistic is the largest absolute difference."""
        if sample.covariates is None or sample.covariates.shape[1] == 0:
            return self._check("not assessed", None, "The study declares no baseline covariates.", ())
        rows = balance_rows(sample)
        known = {row["covariate"]: row["standardised_difference"] for row in rows}
        sizes = {name: min(row["n"] for row in rows if row["covariate"] == name) for name in known}
        apart = [name for name, d in known.items() if d is None and sizes[name] >= 2]
        unrecorded = [name for name, d in known.items() if d is None and sizes[name] < 2]
        distance = {name: abs(d) for name, d in known.items() if d is not None}
        largest = max(distance, key=lambda name: distance[name], default=None)
        statistic = None if largest is None else distance[largest]
        notes = [] if largest is None else [f"Largest for {largest}."]
        if apart:
            notes.append(f"One value in each arm, and not the same one: {', '.join(apart)}.")
        if unrecorded:
            notes.append(f"Recorded for fewer than two people in an arm: {', '.join(unrecorded)}.")
        if apart or (statistic is not None and statistic > self.limit):
            verdict = "not met"
        else:
            verdict = "not assessed" if unrecorded else "met"
        return self._check(verdict, statistic, " ".join(notes), rows)

    def _check(self, verdict: Any, statistic: float | None, note: str, rows: Any) -> Check:
        return Check(
            name="balance",
            question=self.question,
            verdict=verdict,
            statistic=statistic,
            note=note,
            rows=tuple(rows),
        )


def balance_rows(sample: Sample) -> list[dict[str, Any]]:
    """For each covariate and arm: people with a value, mean, SD and the covariate's difference.

    People with rows in several periods count once, by their first row.
    """
    if sample.covariates is None:
        return []
    _, first = np.unique(sample.person, return_index=True)
    covariates, arm = sample.covariates[first], sample.arm[first]
    rows: list[dict[str, Any]] = []
    for j, name in enumerate(sample.covariate_names):
        column = covariates[:, j]
        known = ~np.isnan(column)
        by_arm = [column[known & (arm == code)] for code in (0, 1)]
        difference = standardised_difference(by_arm[1], by_arm[0])
        for code, values in enumerate(by_arm):
            rows.append(
                {
                    "covariate": name,
                    "arm": sample.arms[code],
                    "mean": float(values.mean()) if len(values) else None,
                    "sd": float(values.std(ddof=1)) if len(values) > 1 else None,
                    "n": len(values),
                    "standardised_difference": difference,
                }
            )
    return rows


def standardised_difference(treated: Floats, control: Floats) -> float | None:
    """d as at the top of this file; None where it cannot be computed, 0 where both are one constant."""
    if min(len(treated), len(control)) < 2:
        return None
    gap = float(treated.mean() - control.mean())
    binary = bool(np.isin(np.concatenate([treated, control]), (0.0, 1.0)).all())
    ddof = 0 if binary else 1
    spread = float(np.sqrt((treated.var(ddof=ddof) + control.var(ddof=ddof)) / 2))
    if spread == 0:
        return 0.0 if gap == 0 else None
    return gap / spread
