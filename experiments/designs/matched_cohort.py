"""Treated people against untreated people who looked like them beforehand: a matched cohort.

Nobody drew who was treated. `match_on` names the roster columns on which people are made alike and
`exact_on` those on which they must agree; all must have been measured before treatment could change
them. `method` says how: nearest or optimal neighbours on Mahalanobis distance or on the propensity
score, or weights. `per_treated` is how many untreated people are matched to each treated one, `caliper`
the furthest in standard deviations that a match may lie, and `reuse` whether an untreated person may
be matched more than once. `confounders_not_measured` must name what is known to be missing: the
sensitivity analysis answers to it.

Reference: Stuart (2010), Statistical Science 25, 1-21; Rosenbaum & Rubin (1983), Biometrika 70, 41-55;
Hernan & Robins (2016), American Journal of Epidemiology 183, 758-764 (emulating a target trial).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from experiments.design import Design, DesignRefused
from experiments.undrawn import check_at_least, check_words


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedCohort(Design):
    """Untreated people chosen or weighted to resemble the treated."""

    match_on: tuple[str, ...]
    method: Literal[
        "nearest mahalanobis", "optimal mahalanobis", "nearest propensity", "exact", "entropy balancing"
    ]
    estimand: Literal["treated", "everyone", "overlap"]
    per_treated: int
    caliper: float | None
    reuse: bool
    confounders_not_measured: str
    exact_on: tuple[str, ...] = ()

    randomised: ClassVar[bool] = False
    stands_in: ClassVar[str | None] = (
        "no unmeasured confounding: among people alike on everything matched on, who was treated is unrelated "
        "to what would have happened without treatment, and every treated person had a real chance of not being"
    )

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        check_at_least("per_treated", self.per_treated, 1)
        check_words("confounders_not_measured", self.confounders_not_measured)
        if not self.match_on and not self.exact_on:
            raise DesignRefused(
                where="match_on",
                found="no columns",
                expected="the columns on which people are made alike",
                remedy="Name what was measured before treatment and bears on both treatment and outcome.",
            )
        if self.caliper is not None and self.caliper <= 0:
            raise DesignRefused(
                where="caliper",
                found=str(self.caliper),
                expected="a distance above 0 in standard deviations, or nothing",
                remedy="Common calipers are 0.1 to 0.25.",
            )
