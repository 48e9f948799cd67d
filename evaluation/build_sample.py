"""The arrays of one analysis: one outcome, one contrast of two arms, and what its estimator needs.

Missing outcomes stay, as NaN; how they are handled is the analysis's choice.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.read import CheckedTable
from evaluation.measure import measure, numbers
from evaluation.roster import Roster, SampleRefused
from evaluation.sample import Bools, Floats, Ints, Sample
from experiments.protocol import Analysis, Protocol

NOT_RECORDED = "not recorded"
"""The subgroup of people whose subgroup nobody recorded: shown, never dropped."""


def build_sample(
    protocol: Protocol,
    analysis: Analysis,
    tables: Mapping[str, CheckedTable],
    roster: Roster,
    *,
    where: str,
    covariates: tuple[str, ...] | None = None,
    definition: str | None = None,
) -> Sample:
    """The sample of one analysis: both arms of its contrast, missing outcomes as NaN.

    `covariates` replaces the analysis's own (checks ask for the study's baseline); `definition` counts the
    outcome under another definition than its own.
    """
    estimand = protocol.estimands[analysis.estimand]
    outcome = protocol.outcomes[estimand.outcome]
    names = list(protocol.arms)
    arm, reference = (names.index(name) for name in estimand.contrast)
    design, frame = protocol.design, roster.frame
    measured = measure(protocol, estimand.outcome, tables, roster, definition)
    code = roster.arm[measured.row]
    chosen = np.flatnonzero((code == arm) | (code == reference))
    rows = measured.row[chosen]
    used = analysis.covariates if covariates is None else covariates
    matrix, labels = _covariates(frame.iloc[rows], used, where=where) if used else (None, ())
    worthwhile = outcome.smallest_worthwhile
    group, group_names = _groups(frame, analysis.subgroup, rows)

    def of_chosen[A: (Floats, Bools)](values: A | None) -> A | None:
        return None if values is None else values[chosen]

    return Sample(
        outcome=measured.value[chosen],
        event=of_chosen(measured.event),
        entry=of_chosen(measured.entry),
        exposure=of_chosen(measured.exposure),
        baseline=of_chosen(measured.baseline),
        arm=(roster.arm[rows] == arm).astype(np.int64),
        arms=(estimand.contrast[1], estimand.contrast[0]),
        unit=outcome.unit,
        kind=outcome.kind,
        person=roster.unit[rows],
        block=_codes(frame, design.block_columns, rows),
        cluster=_codes(frame, _one(design.cluster_column), rows),
        period=_codes(frame, _one(design.period_column), rows),
        received=_received(frame, protocol, rows),
        covariates=matrix,
        covariate_names=labels,
        group=group,
        group_names=group_names,
        better=outcome.better,
        smallest_worthwhile=worthwhile.value if worthwhile and worthwhile.scale == estimand.scale else None,
        design=design,
        roster=frame,
        roster_row=rows,
        roster_arm=np.array([design.names.index(name) for name in names], dtype=np.int64)[roster.arm],
    )


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
            columns.append(np.where(series.isna(), np.nan, numbers((series == level).astype("Float64"))))
            labels.append(f"{name}: {level}")
    return np.column_stack(columns), tuple(labels)


def _codes(frame: pd.DataFrame, columns: tuple[str, ...], rows: Ints) -> Ints | None:
    """(n,) integer labels of the combinations of `columns`, or None where there are none."""
    if not columns:
        return None
    missing = int(frame[list(columns)].isna().any(axis=1).sum())
    if missing:
        raise SampleRefused(
            where=f"design: {', '.join(columns)}",
            found=f"{missing} rows without a value",
            expected="a block, cluster and period for everybody",
            remedy="Complete the roster: who was drawn together is part of the design.",
        )
    return np.asarray(frame.groupby(list(columns), sort=True).ngroup(), dtype=np.int64)[rows]


def _groups(frame: pd.DataFrame, column: str | None, rows: Ints) -> tuple[Ints | None, tuple[str, ...]]:
    """((n,) codes, their names) of the subgroups; people with none recorded are a group of their own."""
    if column is None:
        return None, ()
    labels = frame[column].astype("str").where(frame[column].notna(), NOT_RECORDED)
    found = pd.Categorical(labels.iloc[rows], categories=sorted(labels.unique()))
    return found.codes.astype(np.int64), tuple(map(str, found.categories))


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
            remedy="Check the join between the roster and the outcome table; where the outcome is counted in a window, "
            "that windows were over on the day of extraction, less the recording lag.",
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
        found = "an outcome that is the same for everybody"
        if sample.kind != "mean":
            found = "an outcome that never happens" if seen.max() == 0 else "an outcome that always happens"
        raise SampleRefused(
            where=where,
            found=found,
            expected="an outcome that varies between people",
            remedy="Check the outcome's window and codes; if it is right, report the counts and amend the analysis.",
        )
