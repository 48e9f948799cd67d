"""Survival by arm as a table of steps: what a curve is drawn from and a reader can check.

Kaplan & Meier's estimate of the proportion without the event, with the numbers at risk, having the
event and censored at every distinct time, each arm by itself. Censoring is taken to be independent
of the event within an arm.

Reference: Kaplan & Meier (1958), JASA 53, 457-481.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.inference.survival import Steps, kaplan_meier, quantile, time_rows
from evaluation.sample import Sample


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurvivalCurve:
    """One arm's life table; `median` is None where the curve stays above one half."""

    arm: str
    people: int
    steps: Steps
    median: float | None

    def rows(self) -> list[dict[str, float | int]]:
        """The steps as JSON-ready rows, from time zero, when everybody enrolled is without the event."""
        s = self.steps
        began: dict[str, float | int] = {
            "time": 0.0,
            "at_risk": int(s.at_risk[0]) if len(s.at_risk) else 0,
            "events": 0,
            "censored": 0,
            "survival": 1.0,
        }
        return [began] + [
            {
                "time": float(time),
                "at_risk": int(at_risk),
                "events": int(events),
                "censored": int(censored),
                "survival": float(survival),
            }
            for time, at_risk, events, censored, survival in zip(
                s.time, s.at_risk, s.events, s.censored, s.survival, strict=True
            )
        ]


def describe_survival(sample: Sample) -> tuple[SurvivalCurve, SurvivalCurve]:
    """Both arms' curves, in the order of `sample.arms`, from the rows with an outcome."""
    seen = sample.keep(np.asarray(sample.observed))
    time, event, entry = time_rows(seen)
    curves = []
    for code, name in enumerate(sample.arms):
        inside = seen.arm == code
        steps = kaplan_meier(time[inside], event[inside], entry[inside])
        curves.append(
            SurvivalCurve(
                arm=name, people=len(np.unique(seen.person[inside])), steps=steps, median=quantile(steps, 0.5)
            )
        )
    return curves[0], curves[1]
