"""The quantity a study sets out to learn, by the five attributes of ICH E9(R1).

Treatment (the contrast of arms), population, variable (the outcome), intercurrent events with the
strategy for each, and the population-level summary (the scale).

Reference: ICH E9(R1) (2019), Addendum on estimands and sensitivity analysis in clinical trials, A.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from data_contracts.refusal import Refusal
from experiments.outcome import Scale

Strategy = Literal[
    "treatment policy",
    "hypothetical",
    "composite",
    "while on treatment",
    "principal stratum",
    "time at risk",
]


class EstimandRefused(Refusal):
    """An estimand that names nothing estimable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimand:
    """`contrast` is (arm, reference arm): effects are the first minus, or over, the second."""

    outcome: str
    contrast: tuple[str, str]
    population: str
    scale: Scale
    intercurrent: Mapping[str, Strategy]
    effect: Literal["intention to treat", "complier average", "principal stratum"] = "intention to treat"

    def __post_init__(self) -> None:
        if self.contrast[0] == self.contrast[1]:
            raise EstimandRefused(
                where="contrast",
                found="the same arm twice",
                expected="two different arms: [arm, reference]",
                remedy="Name the arm whose effect is asked first, then the arm it is set against.",
            )
