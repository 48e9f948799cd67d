"""Checked tables to the arrays of one analysis, counting who is there and who is lost.

The roster table has one row per unit. Outcomes come from the roster table or are joined to it one
to one. What falls outside the outcome's window is cut here: a time is censored at the window's
end, and a dated event counts only inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.read import CheckedTable
from data_contracts.refusal import Refusal
from evaluation.sample import Bools, Floats, Ints, Sample
from experiments.outcome import Outcome
from experiments.protocol import Analysis, Protocol


class SampleRefused(Refusal):
    """Data that keep their contracts and still cannot answer the study's question."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Roster:
    """The roster as a frame indexed by unit id, and each unit's arm as a code into the protocol's arms."""

    frame: pd.DataFrame
    arm: Ints


def build_roster(protocol: Protocol, tables: Mapping[str, CheckedTable]) -> Roster:
    """One row per unit, from the roster table."""
    population = protocol.population
    frame = tables[population.roster].frame.set_index(population.id)
    arms = list(protocol.arms)
    codes = pd.Categorical(frame[population.arm].astype("str"), categories=arms).codes.astype(np.int64)
    where = f"{population.roster}.{population.arm}"
    if (codes < 0).any():
        raise SampleRefused(
            where=where,
            found=f"{int((codes < 0).sum())} rows whose arm this study does not declare",
            expected=f"the arms {', '.join(arms)}",
            remedy="Use the arms' names in the data as in the study; nobody is dropped silently.",
        )
    for code, arm in enumerate(arms):
        if not (codes == code).any():
            raise SampleRefused(
                where=where,
                found=f"nobody in the arm '{arm}'",
                expected="people in every arm",
                remedy="Check the allocation table, or remove the arm from the study by an amendment.",
            )
    return Roster(frame=frame, arm=codes)


def build_sample(
    protocol: Protocol,
    analysis: Analysis,
    tables: Mapping[str, CheckedTable],
    roster: Roster,
    *,
    where: str,
    covariates: tuple[str, ...] | None = None,
) -> Sample:
    """The sample of one analysis: both arms of its contrast, missing outcomes as NaN.

    `covariates` replaces the analysis's own (checks ask for the study's baseline).
    """
    estimand = protocol.estimands[analysis.estimand]
    outcome = protocol.outcomes[estimand.outcome]
    names = list(protocol.arms)
    arm, reference = (names.index(name) for name in estimand.contrast)
    rows = np.flatnonzero((roster.arm == arm) | (roster.arm == reference))
    design = protocol.design
    measured = measure(outcome, tables, roster.frame, roster_table=protocol.population.roster)
    if analysis.covariates or covariates:
        used = analysis.covariates if covariates is None else covariates
        matrix, labels = _covariates(roster.frame.iloc[rows], used, where=where)
    else:
        matrix, labels = None, ()
    worthwhile = outcome.smallest_worthwhile
    return Sample(
        outcome=measured.value[rows],
        event=None if measured.event is None else measured.event[rows],
        entry=None if measured.entry is None else measured.entry[rows],
        exposure=None if measured.exposure is None else measured.exposure[rows],
        baseline=None if measured.baseline is None else measured.baseline[rows],
        arm=(roster.arm[rows] == arm).astype(np.int64),
        arms=(estimand.contrast[1], estimand.contrast[0]),
        unit=outcome.unit,
        kind=outcome.kind,
        person=rows.astype(np.int64),
        block=_codes(roster.frame, design.block_columns, rows),
        cluster=_codes(roster.frame, _one(design.cluster_column), rows),
        period=_codes(roster.frame, _one(design.period_column), rows),
        received=_received(roster.frame, protocol, rows),
        covariates=matrix,
        covariate_names=labels,
        better=outcome.better,
        smallest_worthwhile=worthwhile.value if worthwhile and worthwhile.scale == estimand.scale else None,
        design=design,
        roster=roster.frame,
        roster_row=rows.astype(np.int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """An outcome in the order of the roster: (units,) arrays, NaN where missing."""

    value: Floats
    event: Bools | None
    entry: Floats | None
    exposure: Floats | None
    baseline: Floats | None


def measure(
    outcome: Outcome, tables: Mapping[str, CheckedTable], roster: pd.DataFrame, *, roster_table: str
) -> Measured:
    """The outcome of every unit of the roster, inside its window."""

    def column(name: str | None) -> Floats | None:
        if name is None:
            return None
        if outcome.table == roster_table:
            return numbers(roster[name])
        return numbers(_joined(tables[outcome.table], name, roster))

    value = column(outcome.column)
    assert value is not None
    event = column(outcome.event)
    at = f"{outcome.table}.{outcome.column}"
    happened: Bools | None = None
    if outcome.kind == "time":
        assert event is not None and outcome.time_unit_days is not None
        end = outcome.follow_up_days / outcome.time_unit_days
        value = np.where(np.isnan(event), np.nan, value)
        happened = (event == 1) & (value <= end)
        value = np.minimum(value, end)
    elif outcome.kind == "recurrent":
        assert event is not None
        happened = event == 1
    elif outcome.kind == "binary":
        value = _binary(outcome, value, column(outcome.time), at)
    exposure = column(outcome.exposure)
    if exposure is not None and (exposure[~np.isnan(value)] <= 0).any():
        raise SampleRefused(
            where=f"{outcome.table}.{outcome.exposure}",
            found=f"{int((exposure <= 0).sum())} people with no time at risk and a measured outcome",
            expected="exposure above zero",
            remedy="Make their outcome missing, and say in the protocol how that is handled.",
        )
    return Measured(
        value=value,
        event=happened,
        entry=column(outcome.entry),
        exposure=exposure,
        baseline=column(outcome.baseline),
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
        end = outcome.follow_up_days / outcome.time_unit_days
        inside = np.where(known & (time <= end), value, 0.0)
        lost = known & (value == 0) & (time < end)
        value = np.where(known & ~lost & ~np.isnan(time), inside, np.nan)
    return value


def _joined(table: CheckedTable, column: str, roster: pd.DataFrame) -> pd.Series[Any]:
    """A column of another table in the order of the roster, matched one to one on the table's key."""
    key = table.contract.key
    if len(key) != 1 or table.frame[key[0]].duplicated().any():
        raise SampleRefused(
            where=table.contract.name,
            found="more than one row per unit",
            expected="one row per unit, keyed by the unit's id",
            remedy="Derive the outcome per person and window first; a join never multiplies people.",
        )
    return table.frame.set_index(key[0])[column].reindex(roster.index)


def _covariates(frame: pd.DataFrame, names: tuple[str, ...], *, where: str) -> tuple[Floats, tuple[str, ...]]:
    """(n, k) covariates: numbers as they are, categories as 0/1 columns against the commonest level."""
    columns: list[NDArray[np.float64]] = []
    labels: list[str] = []
    for name in names:
        series = frame[name]
        if pd.api.types.is_numeric_dtype(series.dtype):
            values = numbers(series)
            if np.nanmin(values) == np.nanmax(values):
                raise SampleRefused(
                    where=f"{where}.covariates",
                    found=f"'{name}', which is the same for everybody",
                    expected="a covariate that varies",
                    remedy="Remove it from the analysis: it can explain nothing.",
                )
            columns.append(values)
            labels.append(name)
            continue
        levels = series.value_counts().index
        if len(levels) < 2:
            raise SampleRefused(
                where=f"{where}.covariates",
                found=f"'{name}', which is the same for everybody",
                expected="a covariate that varies",
                remedy="Remove it from the analysis: it can explain nothing.",
            )
        for level in sorted(levels[1:], key=str):
            columns.append(numbers((series == level).astype("Float64")))
            labels.append(f"{name}: {level}")
    return np.column_stack(columns), tuple(labels)


def _codes(frame: pd.DataFrame, columns: tuple[str, ...], rows: Ints) -> Ints | None:
    """(n,) integer labels of the combinations of `columns`, or None where there are none."""
    if not columns:
        return None
    return np.asarray(frame.groupby(list(columns), sort=True).ngroup(), dtype=np.int64)[rows]


def _one(column: str | None) -> tuple[str, ...]:
    return () if column is None else (column,)


def _received(frame: pd.DataFrame, protocol: Protocol, rows: Ints) -> Floats | None:
    column = protocol.population.received
    return None if column is None else numbers(frame[column])[rows]


def check_varies(sample: Sample, *, where: str) -> None:
    """Refuse an outcome that never, or always, happens, or does not vary: there is nothing to compare."""
    seen = sample.event if sample.event is not None else sample.outcome[sample.observed]
    if len(seen) == 0:
        raise SampleRefused(
            where=where,
            found="no measured outcomes",
            expected="outcomes for both arms",
            remedy="Check the join between the roster and the outcome table.",
        )
    for code, arm in enumerate(sample.arms):
        if not sample.observed[sample.arm == code].any():
            raise SampleRefused(
                where=where,
                found=f"no measured outcome in the arm '{arm}'",
                expected="outcomes in both arms",
                remedy="Check the outcome table; an effect cannot be estimated from one arm.",
            )
    if seen.min() == seen.max():
        found = f"an outcome that is the same ({float(seen.min()):g}) for everybody"
        if sample.kind != "mean":
            found = "an outcome that never happens" if seen.max() == 0 else "an outcome that always happens"
        raise SampleRefused(
            where=where,
            found=found,
            expected="an outcome that varies between people",
            remedy="Check the outcome's window and codes; if it is right, report the counts and amend the analysis.",
        )
