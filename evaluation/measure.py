"""An outcome of every unit, inside its window.

A time is censored at the window's end; a dated event counts only inside it, and a person whose
observation ended before the window without the event is missing, not well.

Gaps of a baseline may be filled with everybody's mean, whatever the arm: in a randomised trial that leaves
the adjusted effect unbiased and loses nobody, which leaving people out does not.

Reference: White & Thompson (2005), Adjusting for partially missing baseline measurements in randomized
trials, Statistics in Medicine 24, 993-1007.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data_contracts.read import CheckedTable
from evaluation.derived import derived_key
from evaluation.roster import Roster, SampleRefused, intervals, joined
from evaluation.sample import Bools, Floats, Ints
from experiments.outcome import Outcome
from experiments.protocol import Protocol


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """An outcome, NaN where missing; every array is (rows,).

    `row` is each row's position in the roster: 0, 1, 2, ... but for recurrent events, whose rows are
    the intervals of people at risk.
    """

    row: Ints
    value: Floats
    event: Bools | None
    entry: Floats | None
    exposure: Floats | None
    baseline: Floats | None


def measure(
    protocol: Protocol,
    name: str,
    tables: Mapping[str, CheckedTable],
    roster: Roster,
    definition: str | None = None,
) -> Measured:
    """The outcome `name` of every row of the roster (or of its intervals), inside its window.

    `definition` is the id of another definition to count it under than its own.
    """
    outcome = protocol.outcomes[name]
    row = np.arange(len(roster.frame), dtype=np.int64)
    source = roster.frame
    if outcome.kind == "recurrent":
        row, source = intervals(tables[outcome.table], roster)
    elif outcome.derive is not None:
        source = roster.derived[derived_key(name, definition)]
    elif outcome.table != roster.name:
        source = joined(tables[outcome.table], roster)

    def column(at: str | None) -> Floats | None:
        return None if at is None else numbers(source[at])

    value = column(outcome.column)
    assert value is not None
    event = column(outcome.event)
    _zero_or_one(event, f"{outcome.table}.{outcome.event}")
    at = f"{outcome.table}.{outcome.column}"
    happened: Bools | None = None
    if outcome.kind == "time" or outcome.kind == "recurrent":
        assert event is not None and outcome.time_unit_days is not None
        end = outcome.follow_up_days / outcome.time_unit_days
        value = np.where(np.isnan(event), np.nan, value)
        happened = (event == 1) & (value <= end)
        value = np.minimum(value, end)
    elif outcome.kind == "binary":
        value = _binary(outcome, value, column(outcome.time), at)
    refused = None if roster.consented is None else ~roster.consented[row]
    if refused is not None:
        value = np.where(refused, np.nan, value)
        happened = None if happened is None else np.asarray(happened & ~refused, dtype=np.bool_)
    exposure = column(outcome.exposure)
    if exposure is not None and (exposure[~np.isnan(value)] <= 0).any():
        raise SampleRefused(
            where=f"{outcome.table}.{outcome.exposure}",
            found=f"{int((exposure[~np.isnan(value)] <= 0).sum())} people with no time at risk and a measured outcome",
            expected="exposure above zero",
            remedy="Make their outcome missing, and say in the protocol how that is handled.",
        )
    before = column(outcome.baseline)
    if before is not None and refused is not None:
        before = np.where(refused, np.nan, before)
    if before is not None and outcome.baseline_gaps is not None:
        before = _filled(before, f"{outcome.table}.{outcome.baseline}")
    entry = column(outcome.entry)
    inside = np.ones(len(row), dtype=np.bool_)
    if outcome.kind == "recurrent" and entry is not None:
        inside = np.asarray(~(entry >= value), dtype=np.bool_)
    if outcome.kind == "recurrent" and refused is not None:
        inside = np.asarray(inside & ~refused, dtype=np.bool_)
    return Measured(
        row=row[inside],
        value=value[inside],
        event=None if happened is None else happened[inside],
        entry=None if entry is None else entry[inside],
        exposure=None if exposure is None else exposure[inside],
        baseline=None if before is None else before[inside],
    )


def _filled(before: Floats, at: str) -> Floats:
    """A baseline with the mean of those who have one in its gaps."""
    if np.isnan(before).all():
        raise SampleRefused(
            where=at,
            found="nobody with the baseline measure",
            expected="somebody whose baseline was measured",
            remedy="Check the wave before, or remove `baseline` from the outcome by an amendment.",
        )
    return np.where(np.isnan(before), np.nanmean(before), before)


def _zero_or_one(event: Floats | None, at: str) -> None:
    if event is None:
        return
    odd = ~np.isin(event[~np.isnan(event)], (0.0, 1.0))
    if odd.any():
        raise SampleRefused(
            where=at,
            found=f"{int(odd.sum())} values other than 0 and 1",
            expected="1 where the event happened and 0 where it did not",
            remedy="Recode the column; kinds of event are separate outcomes.",
        )


def numbers(series: pd.Series[Any]) -> Floats:
    """(n,) floats, NaN where missing, whatever the column's own type."""
    return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _binary(outcome: Outcome, value: Floats, time: Floats | None, at: str) -> Floats:
    known = ~np.isnan(value)
    if outcome.counted_as == "any":
        value = np.where(known, (value > 0).astype(np.float64), np.nan)
    elif not np.isin(value[known], (0.0, 1.0)).all():
        raise SampleRefused(
            where=at,
            found=f"{int((~np.isin(value[known], (0.0, 1.0))).sum())} values other than 0 and 1",
            expected="0 or 1 for a binary outcome",
            remedy="Add `counted_as: any` to the outcome if any count above zero is meant.",
        )
    if time is not None:
        assert outcome.time_unit_days is not None
        if (time[known] < 0).any():
            raise SampleRefused(
                where=f"{outcome.table}.{outcome.time}",
                found=f"{int((time[known] < 0).sum())} times before allocation",
                expected="times from allocation onwards",
                remedy="Count events from allocation; what came before is a baseline.",
            )
        end = outcome.follow_up_days / outcome.time_unit_days
        inside = np.where(known & (time <= end), value, 0.0)
        lost = known & (value == 0) & (time < end)
        value = np.where(known & ~lost & ~np.isnan(time), inside, np.nan)
    return value
