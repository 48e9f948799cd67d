"""What is measured on whom, over what window, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from data_contracts.refusal import Refusal, nearest
from experiments.derivation import Derivation

Kind = Literal["mean", "binary", "count", "time", "recurrent"]
Role = Literal["primary", "secondary", "harm", "exploratory"]
Scale = Literal[
    "mean_difference",
    "risk_difference",
    "risk_ratio",
    "odds_ratio",
    "rate_ratio",
    "rate_difference",
    "hazard_ratio",
    "rmst_difference",
    "standardised_mean_difference",
]
RATIO_SCALES: frozenset[str] = frozenset({"risk_ratio", "odds_ratio", "rate_ratio", "hazard_ratio"})
"""Scales on which no effect is 1; values are ratios, never logs, and standard errors are of the log."""


class OutcomeRefused(Refusal):
    """An outcome that cannot be measured as declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallestWorthwhile:
    """The smallest effect that would change a decision, on a stated scale, signed as the effect is."""

    scale: Scale
    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One outcome: a column of one table, with its window and its unit.

    `follow_up_days` is the window in days from allocation. `event` names the column that says
    whether a `time` outcome ended in the event (1) or was censored (0); `time_unit_days` is the
    length in days of one unit of the duration column. `exposure` names the column of time at risk
    (or population) for `count` outcomes. A `binary` outcome may name in `time` the column that dates
    its event (or the end of observation): only events inside the window then count, and people whose
    observation ended before the window without the event are missing. `counted_as: any` makes a
    binary outcome of a column of counts: 1 where there was any.

    `baseline` names the column of the outcome's own measure before. `baseline_gaps` says what stands for it where
    it is missing: everybody's mean, which a randomised trial may use because what came before cannot depend on the arm.

    `derive` makes the outcome from a table with many rows to a unit, or from raw answers; the columns
    named here are then those that the derivation makes.
    """

    label: str
    role: Role
    table: str
    column: str
    kind: Kind
    follow_up_days: int
    unit: str
    better: Literal["lower", "higher"]
    exposure: str | None = None
    event: str | None = None
    entry: str | None = None
    time: str | None = None
    time_unit_days: int | None = None
    counted_as: Literal["any"] | None = None
    derive: Derivation | None = None
    baseline: str | None = None
    baseline_gaps: Literal["mean of everybody"] | None = None
    definition: str | None = None
    smallest_worthwhile: SmallestWorthwhile | None = None

    def __post_init__(self) -> None:
        if self.follow_up_days <= 0:
            raise OutcomeRefused(
                where="follow_up_days",
                found=str(self.follow_up_days),
                expected="a window of at least one day",
                remedy="Give the number of days from allocation over which the outcome is counted.",
            )
        if self.kind in ("time", "recurrent") and (self.event is None or self.time_unit_days is None):
            raise OutcomeRefused(
                where="event" if self.event is None else "time_unit_days",
                found="nothing",
                expected=f"a column of events and the length of a time unit in days, for a {self.kind} outcome",
                remedy="Name the 0/1 column that says whether the event happened, and add "
                "`time_unit_days` (7 where durations are in weeks).",
            )
        if self.time is not None and (self.kind != "binary" or self.time_unit_days is None):
            raise OutcomeRefused(
                where="time" if self.kind != "binary" else "time_unit_days",
                found=f"a dated event for a {self.kind} outcome" if self.kind != "binary" else "nothing",
                expected="`time` only for binary outcomes, with the length of its unit in days",
                remedy="Add `time_unit_days` (1 for days, 7 for weeks), or remove `time`.",
            )
        if self.kind not in ("time", "recurrent") and (self.event is not None or self.entry is not None):
            raise OutcomeRefused(
                where="event" if self.event is not None else "entry",
                found=f"a column for a {self.kind} outcome",
                expected="event and entry only where kind is time or recurrent",
                remedy="Remove it, or set `kind: time`.",
            )
        if self.baseline_gaps is not None and self.baseline is None:
            raise OutcomeRefused(
                where="baseline_gaps",
                found=f"'{self.baseline_gaps}', while no baseline is named",
                expected="a baseline",
                remedy="Name its column in `baseline`, or remove this.",
            )
        if self.derive is not None:
            self._check_derived(self.derive)
        if self.exposure is not None and self.kind != "count":
            raise OutcomeRefused(
                where="exposure",
                found=f"an exposure for a {self.kind} outcome",
                expected="an exposure only where kind is count",
                remedy="Remove it, or set `kind: count`.",
            )

    def _check_derived(self, derive: Derivation) -> None:
        """Refuse columns that the derivation does not make, and windows that it does not serve."""
        derive.check_days(self.follow_up_days)
        if self.kind == "recurrent":
            raise OutcomeRefused(
                where="derive",
                found="a derivation for a recurrent outcome",
                expected="one row to a unit: a mean, binary, count or time outcome",
                remedy="For recurrent events give the intervals of people at risk as a table of their own.",
            )
        for key in ("column", "exposure", "event", "entry", "time", "baseline"):
            name = getattr(self, key)
            if name is not None and name not in derive.columns:
                raise OutcomeRefused(
                    where=key,
                    found=f"'{name}'",
                    expected=f"a column that '{derive.method}' makes with these choices",
                    remedy=nearest(name, derive.columns)
                    if name not in derive.makes
                    else "Name in `derive` the days or the wave before: without it nothing before is made.",
                )
        if self.time_unit_days not in (None, 1):
            raise OutcomeRefused(
                where="time_unit_days",
                found=str(self.time_unit_days),
                expected="1: a derived time is in days",
                remedy="Write 1, whatever the unit of the source.",
            )
