"""The answers of each unit at the wave that an outcome is measured at, and at the one before.

A survey that was answered too early or too late is not the outcome that was declared: `timing` says
between which days from the start of a unit's time it must fall, and what falls outside is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from experiments.derivation import (
    ROSTER,
    Derivation,
    DerivationRefused,
    Needed,
    Rows,
    kept_rows,
    one_row_each,
    start_days,
    unit_ids,
)

BEFORE = "_before"
"""How the columns of the wave before end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waves:
    """The column that names waves, the wave that is the outcome, and the one before, if there is one.

    Waves are text or whole numbers, as the contract of the survey declares its column.
    """

    column: str
    at: str | int
    before: str | int | None = None

    def __post_init__(self) -> None:
        if self.before is not None and type(self.before) is not type(self.at):
            raise DerivationRefused(
                where="before",
                found="text beside a whole number",
                expected="both waves as the survey names them",
                remedy="Write both with quotes, or both without.",
            )
        if self.before == self.at:
            raise DerivationRefused(
                where="before",
                found="the wave of the outcome itself",
                expected="an earlier wave",
                remedy="Name the wave before, or leave it out.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Days from `start` (a date in the roster) to `date` (one in the survey) that are still the outcome.

    `before_latest_day` is the last day on which the wave before is still one before: 0 is the day of the
    start, -1 the day before it. What is answered later may be moved by the arm, and is missing.
    """

    date: str
    start: str
    earliest_day: int
    latest_day: int
    before_latest_day: int | None = None

    def __post_init__(self) -> None:
        if self.earliest_day > self.latest_day:
            raise DerivationRefused(
                where="earliest_day",
                found=f"{self.earliest_day}, after latest_day {self.latest_day}",
                expected="an earliest day no later than the latest",
                remedy="Exchange the two.",
            )


def check_timing(waves: Waves, timing: Timing | Literal["whenever"]) -> None:
    """Refuse a wave before whose last day the study does not say, and a last day of no wave."""
    if isinstance(timing, Timing) and (waves.before is None) != (timing.before_latest_day is None):
        named = waves.before is not None
        raise DerivationRefused(
            where="timing.before_latest_day",
            found="nothing" if named else "a day, while no wave before is named",
            expected="the last day on which the wave before still comes before" if named else "nothing",
            remedy="Write it, such as 0 for the day of the start: a baseline answered later is no baseline."
            if named
            else "Name the wave in `waves.before`, or leave the day out.",
        )


def survey_columns(
    table: str, by: str, waves: Waves, timing: Timing | Literal["whenever"]
) -> tuple[Needed, ...]:
    """The columns of the survey and the roster that say whose answers they are, and when they were given."""
    named = [
        Needed(where="by", table=table, column=by, holds="units"),
        Needed(
            where="waves.column",
            table=table,
            column=waves.column,
            holds="text" if isinstance(waves.at, str) else "whole numbers",
        ),
    ]
    for key, wave in (("at", waves.at), ("before", waves.before)):
        if wave is not None:
            asked = f"{waves.column} == {wave!r}"
            named.append(Needed(where=f"waves.{key}", table=table, column=waves.column, condition=asked))
    if isinstance(timing, Timing):
        named.append(Needed(where="timing.date", table=table, column=timing.date, holds="days"))
        named.append(Needed(where="timing.start", table=ROSTER, column=timing.start, holds="days"))
    return tuple(named)


def wave_columns(makes: Mapping[str, str], waves: Waves) -> tuple[str, ...]:
    """The columns made for the waves asked for: none of the wave before where it is not named."""
    return tuple(name for name in makes if waves.before is not None or not name.endswith(BEFORE))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresSurvey(Derivation):
    """What every derivation that scores a survey asks: whose answers, at which waves, given when.

    `by` is the survey's column of unit ids; `where` is a condition on its rows.
    """

    by: str
    waves: Waves
    timing: Timing | Literal["whenever"]
    where: str | None = None

    def __post_init__(self) -> None:
        check_timing(self.waves, self.timing)

    @property
    def columns(self) -> tuple[str, ...]:
        """Scores at the wave, and at the one before where it is named."""
        return wave_columns(self.makes, self.waves)

    def over_after(self, days: int) -> int:
        """The latest day on which the survey may be answered, where the study says it."""
        return self.timing.latest_day if isinstance(self.timing, Timing) else days

    def answering(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of the wave that is the outcome: who has one answered, whatever it says."""
        kept = kept_rows(frame, self.where)
        return kept[kept[self.waves.column] == self.waves.at]

    def scored(self, rows: Rows, score: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
        """The scores at both waves, indexed like `rows.units`; columns of the wave before end in `_before`."""
        waves, timing, by = self.waves, self.timing, self.by
        name = rows.table.contract.name
        one_row_each(
            rows, instead="Give the scores of each period as a table of their own, with a column of periods."
        )
        unit_ids(rows, rows.table.frame, by, table=name, key="by")
        frame = kept_rows(rows.table.frame, self.where)
        out = pd.DataFrame(index=rows.units.index)
        for wave, suffix in ((waves.at, ""), (waves.before, BEFORE)):
            if wave is None:
                continue
            answers = frame[frame[waves.column] == wave]
            if answers.empty:
                raise DerivationRefused(
                    where=f"{rows.where}.waves",
                    found=f"no row of the wave '{wave}'",
                    expected=f"a value of {name}.{waves.column}",
                    remedy="Check the wave's name against the contract, and that its rows were delivered; a rehearsal "
                    "has the waves that the contract's `marginal` names.",
                )
            twice = int(answers[by].duplicated().sum())
            if twice:
                raise DerivationRefused(
                    where=f"{rows.where}.where",
                    found=f"{twice} rows of the wave '{wave}' beyond the first of their unit",
                    expected="one row to a unit and wave",
                    remedy="Choose among them with `where`, such as `where: informant == 'self'`.",
                )
            answers = answers.set_index(by)
            scores = score(answers)
            ids = rows.units[rows.key].to_numpy()
            laid = scores.reindex(ids).set_axis(rows.units.index, axis=0)
            if isinstance(timing, Timing):
                asked = answers[timing.date].reindex(ids).dt.normalize().set_axis(rows.units.index, axis=0)
                day = (asked - start_days(rows, timing.start, key="timing.start")).dt.days
                if suffix == BEFORE:
                    laid = laid.where(day <= timing.before_latest_day)
                else:
                    laid = laid.where((day >= timing.earliest_day) & (day <= timing.latest_day))
            for column in scores.columns:
                if f"{column}{suffix}" in self.makes:
                    out[f"{column}{suffix}"] = laid[column].astype("float64")
        return out[list(self.columns)]
