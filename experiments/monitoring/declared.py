"""Interim monitoring as a study declares it: when to look, when to stop, what a pilot must show.

Effects are monitored in the direction of benefit: whatever the outcome, a statistic above zero favours
the arm asked about. Nothing here has a default that hides a choice. In a study file:

    monitoring:
      analysis: primary
      sequential:
        rule: lan_demets_obrien_fleming
        alpha: 0.05
        sides: 2
        looks: [1/3, 2/3, 1]
        measure: people with the outcome
        maximum: 600
        report: median_unbiased
      pilot:
        consent: {question: Share consenting, kind: proportion, better: higher, green: 0.7, red: 0.5, alpha: 0.05}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from data_contracts.refusal import Refusal

Spending = Literal["lan_demets_obrien_fleming", "lan_demets_pocock", "hwang_shih_decani", "power"]
Rule = Literal[
    "obrien_fleming",
    "pocock",
    "wang_tsiatis",
    "lan_demets_obrien_fleming",
    "lan_demets_pocock",
    "hwang_shih_decani",
    "power",
]
SHAPED: frozenset[str] = frozenset({"wang_tsiatis", "hwang_shih_decani", "power"})
"""Rules with a parameter that the study must write."""


class MonitoringRefused(Refusal):
    """A monitoring plan that does not say when to stop, or a look that it does not provide for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Futility:
    """Stopping for want of promise: beta is spent by `rule` under the effect that has power 1 - beta.

    A bound that is not `binding` may be overruled without raising the chance of a false success.
    """

    rule: Spending
    beta: float
    binding: bool
    shape: float | None = None

    def __post_init__(self) -> None:
        _check_share(self.beta, "beta", 0.5)
        check_shape(self.rule, self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequential:
    """A group-sequential test.

    `looks` are the planned fractions of information, the last 1; `measure` says what is counted
    (people with the outcome, events), and `maximum` how much of it there is at the end. `alpha` is the
    whole error, both sides together where `sides` is 2. `report` says which estimate stands on the page if
    the trial stops; its interval is of the stage-wise ordering.
    """

    rule: Rule
    alpha: float
    sides: Literal[1, 2]
    looks: tuple[Fraction, ...]
    measure: str
    maximum: float
    report: Literal["median_unbiased", "bias_adjusted"]
    shape: float | None = None
    futility: Futility | None = None

    def __post_init__(self) -> None:
        check_looks(self.looks)
        _check_share(self.alpha, "alpha", 0.5)
        check_shape(self.rule, self.shape)
        _check_maximum(self.maximum)
        if self.futility is not None and self.sides == 2:
            raise MonitoringRefused(
                where="futility",
                found="a futility bound in a two-sided test",
                expected="futility with `sides: 1`",
                remedy="Write `sides: 1` with half of alpha, or leave futility out.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalPrior:
    """A normal prior of the effect, on the analysis's scale (the log for ratios), signed as the effect is."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (self.sd > 0 and math.isfinite(self.sd) and math.isfinite(self.mean)):
            raise MonitoringRefused(
                where="prior",
                found=f"mean {self.mean}, sd {self.sd}",
                expected="a finite mean and a standard deviation above zero",
                remedy="Write both on the analysis's scale; the log for ratios.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bayesian:
    """Stopping on the posterior, and on the predictive probability of success.

    At a look the trial stops for benefit if P(benefit > `margin` | data) >= `success`, and for futility if the
    predictive probability that the final analysis will have P(benefit > `margin`) >= `final` is below
    `futility`. `final_standard_error` is the one that the final analysis was planned for.
    """

    prior: NormalPrior
    margin: float
    success: float
    final: float
    futility: float
    looks: tuple[Fraction, ...]
    measure: str
    maximum: float
    final_standard_error: float

    def __post_init__(self) -> None:
        check_looks(self.looks)
        _check_maximum(self.maximum)
        for name in ("success", "final"):
            _check_share(1 - getattr(self, name), name, 0.5)
        if not 0 <= self.futility < 1:
            raise MonitoringRefused(
                where="futility",
                found=str(self.futility),
                expected="a probability of at least 0 (never) and below 1",
                remedy="Write 0.05 for one in twenty.",
            )
        if not self.final_standard_error > 0:
            raise MonitoringRefused(
                where="final_standard_error",
                found=str(self.final_standard_error),
                expected="the standard error planned for the final analysis, above zero",
                remedy="Take it from the sample-size calculation, on the analysis's scale.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One criterion of an internal pilot: green at or beyond `green`, red at or beyond `red`, else amber.

    A `proportion` is a count of people out of people; a `rate` is a count over time (people a site-month).
    `alpha` is the error of the exact one-sided test that the truth is at the red limit.
    """

    question: str
    kind: Literal["proportion", "rate"]
    better: Literal["higher", "lower"]
    green: float
    red: float
    alpha: float

    def __post_init__(self) -> None:
        _check_share(self.alpha, "alpha", 0.5)
        top = 1.0 if self.kind == "proportion" else math.inf
        ordered = self.red < self.green if self.better == "higher" else self.green < self.red
        if not ordered or not (min(self.red, self.green) >= 0 and max(self.red, self.green) <= top):
            raise MonitoringRefused(
                where="green",
                found=f"green {self.green} and red {self.red} where {self.better} is better",
                expected="green on the better side of red, and proportions between 0 and 1",
                remedy="Write 0.8, not 80; exchange the two if they are the wrong way round.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """A study's monitoring: one stopping rule for one analysis, or none, and the pilot's criteria."""

    analysis: str | None = None
    sequential: Sequential | None = None
    bayesian: Bayesian | None = None
    pilot: Mapping[str, Criterion] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rules = [rule for rule in (self.sequential, self.bayesian) if rule is not None]
        if len(rules) > 1 or bool(rules) != (self.analysis is not None):
            raise MonitoringRefused(
                where="monitoring",
                found=f"{len(rules)} stopping rules and {'an' if self.analysis else 'no'} analysis",
                expected="either `sequential` or `bayesian`, with the `analysis` that it watches",
                remedy="Name the analysis that is repeated at each look, and keep one rule.",
            )
        if not rules and not self.pilot:
            raise MonitoringRefused(
                where="monitoring",
                found="nothing to monitor",
                expected="a stopping rule or pilot criteria",
                remedy="Remove the block, or fill it.",
            )


def check_looks(looks: Sequence[Fraction]) -> None:
    """Refuse fractions that do not rise to 1."""
    rising = all(a < b for a, b in pairwise(looks))
    if not looks or not rising or looks[0] <= 0 or looks[-1] != 1:
        raise MonitoringRefused(
            where="looks",
            found=", ".join(map(str, looks)) or "none",
            expected="fractions of the planned information that rise to 1",
            remedy="Write [1/2, 1] for one interim look half-way and the final analysis.",
        )
    if len(looks) > 50:
        raise MonitoringRefused(
            where="looks", found=f"{len(looks)} looks", expected="at most 50", remedy="Look less often."
        )


def check_shape(rule: str, shape: float | None) -> float:
    """The shape of a rule that has one; refuses a missing, an absurd or a needless one."""
    if rule not in SHAPED:
        if shape is None:
            return 0.0
        raise MonitoringRefused(
            where="shape",
            found=f"{shape} for {rule}",
            expected="a shape only for wang_tsiatis, hwang_shih_decani or power",
            remedy="Remove it, or choose such a rule.",
        )
    sound = shape is not None and math.isfinite(shape) and abs(shape) <= 40
    if (
        shape is None
        or not sound
        or (rule == "power" and shape <= 0)
        or (rule == "wang_tsiatis" and shape > 0.5)
    ):
        raise MonitoringRefused(
            where="shape",
            found="nothing" if shape is None else str(shape),
            expected={
                "power": "a power above 0 (3 spends late)",
                "wang_tsiatis": "at most 0.5 (0 is O'Brien-Fleming, 0.5 is Pocock)",
            }.get(rule, "a number between -40 and 40 (-4 spends late, 1 evenly)"),
            remedy="Write it as `shape:`.",
        )
    return shape


def _check_share(value: float, where: str, top: float) -> None:
    if not 0 < value < top:
        raise MonitoringRefused(
            where=where,
            found=str(value if where not in ("success", "final") else 1 - value),
            expected="a proportion such as 0.05, not a percentage"
            if where not in ("success", "final")
            else "a probability above 0.5 and below 1",
            remedy="Write the proportion.",
        )


def _check_maximum(maximum: float) -> None:
    if not (maximum > 0 and math.isfinite(maximum)):
        raise MonitoringRefused(
            where="maximum",
            found=str(maximum),
            expected="how much information the final analysis was planned to have, above zero",
            remedy="Write the number of people or events, in the unit of `measure`.",
        )
