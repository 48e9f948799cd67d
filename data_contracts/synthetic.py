"""Rows that keep a contract, and all keys between tables, for dry runs before any real data exist.

Values come from each column's `marginal`, or from its type and bounds where it has none. Nothing is
learnt from real rows, so nothing can be disclosed; associations between columns are those that
rules and `fixed` entries make, and no finding from such rows means anything.

Marginals: `sequence` (a format of the row number), `row`, `shares`, `uniform`, `normal`, `poisson`,
`dates`, `after` (a date some days after another column), `constant`, `within` (numbered within a column),
`cross` and `cross_months` (every combination with the other crossed columns), `per` (the mean number of rows
to a row of the table that the column refers to), `missing` (a share), and `fixed` (values where a condition holds).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_contracts.check import frame_breaches
from data_contracts.convert import date_form
from data_contracts.expression import Expression
from data_contracts.refusal import Refusal
from data_contracts.synthetic_values import base_values, crossed_frame, missing_value
from data_contracts.table import Column, TableContract

EVENTS_PER_PERSON = 2
TRIES = 200


class SynthesisRefused(Refusal):
    """A contract that no plausible rows were found for."""


def synthesise_tables(
    contracts: Sequence[TableContract],
    *,
    rows: int,
    rng: np.random.Generator,
    latest: date,
    shares: Mapping[tuple[str, str], Mapping[str, float]] | None = None,
) -> dict[str, pd.DataFrame]:
    """A frame for each contract, about `rows` people or units each, in the contract's types.

    `shares` replaces the marginal of (table, column): the arms of a study, for example. Tables that others
    refer to are made first; references lead only to rows that are there.
    """
    made: dict[str, pd.DataFrame] = {}
    for contract in _parents_first(contracts):
        made[contract.name] = synthesise_table(
            contract, rows=rows, rng=rng, latest=latest, parents=made, shares=shares or {}
        )
    return {contract.name: made[contract.name] for contract in contracts}


def synthesise_table(
    contract: TableContract,
    *,
    rows: int,
    rng: np.random.Generator,
    latest: date,
    parents: Mapping[str, pd.DataFrame],
    shares: Mapping[tuple[str, str], Mapping[str, float]],
) -> pd.DataFrame:
    """One table; see `synthesise_tables`."""
    columns = {
        name: _marginal(column, shares.get((contract.name, name)))
        for name, column in contract.columns.items()
    }
    frame = _keys(contract, columns, rows, rng, parents)
    drawn = [name for name in columns if name not in frame.columns]
    _fill(frame, contract, columns, drawn, rng, latest)
    frame = frame[list(contract.columns)]
    # Names of rows stay with their rows when the rest is drawn again.
    kept = {n for n, c in columns.items() if c.unique or n in contract.key or "sequence" in c.marginal}
    redrawn = [name for name in drawn if name not in kept]
    for _ in range(TRIES):
        broken = np.zeros(len(frame), dtype=bool)
        for rule in contract.rules:
            broken |= rule.holds.broken(frame)
        if not broken.any():
            break
        again = frame.loc[broken, [name for name in columns if name not in redrawn]]
        again = again.reset_index(drop=True)
        _fill(again, contract, columns, redrawn, rng, latest)
        again.index = frame.index[broken]
        for name in redrawn:
            frame.loc[broken, name] = again[name]
    if contract.key:
        frame = frame.drop_duplicates(list(contract.key)).reset_index(drop=True)
    breaches = frame_breaches(frame, contract, latest=latest)
    if breaches:
        raise SynthesisRefused(
            where=f"table {contract.name}",
            found="; ".join(f"{b.column or 'the table'}: {b.rule}" for b in breaches),
            expected="marginals under which rows keep the contract",
            remedy="Give the columns a `marginal`, with `fixed` entries for what the rules tie together.",
        )
    return frame


def write_tables(
    frames: Mapping[str, pd.DataFrame], contracts: Sequence[TableContract], directory: Path
) -> list[Path]:
    """Write each frame as the CSV that its contract describes: its headers, date forms and encoding."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for contract in contracts:
        path = directory / f"{contract.name}.csv"
        text = "Synthetic rows: no person and no place is in them\n" * (contract.layout.header_row - 1)
        text += as_text_frame(frames[contract.name], contract).to_csv(
            index=False,
            sep=contract.layout.delimiter,
            decimal=contract.layout.decimal,
            lineterminator="\n",
        )
        handle, temporary = tempfile.mkstemp(dir=directory, prefix=f".{contract.name}.", suffix=".csv")
        try:
            with os.fdopen(handle, "w", encoding=contract.layout.encoding, newline="") as stream:
                stream.write(text)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        paths.append(path)
    return paths


def as_text_frame(frame: pd.DataFrame, contract: TableContract) -> pd.DataFrame:
    """The frame as its file has it: source headers, dates in the declared form, whole numbers whole."""
    out: dict[str, Any] = {}
    for name, column in contract.columns.items():
        series = frame[name]
        if column.dtype in ("date", "timestamp"):
            assert column.format is not None
            series = series.dt.strftime(date_form(column.format)[0])
        elif column.dtype == "integer":
            series = series.astype("Int64")
        elif column.dtype == "boolean":
            series = series.map({True: "true", False: "false"})
        out[column.source_name or name] = series
    return pd.DataFrame(out)


def _keys(
    contract: TableContract,
    columns: Mapping[str, Column],
    rows: int,
    rng: np.random.Generator,
    parents: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """The columns that say which rows there are: crossed dimensions, references and numbers within."""
    crossed = crossed_frame(columns)
    references = {name: c.refers_to for name, c in columns.items() if c.refers_to is not None}
    pools = {name: _pool(target, rows, parents) for name, target in references.items()}
    if not pools:
        return crossed if crossed is not None else pd.DataFrame(index=pd.RangeIndex(rows))
    name, pool = next(iter(pools.items()))
    within = [n for n, c in columns.items() if c.marginal.get("within") == name]
    one_each = columns[name].unique or contract.key == (name,)
    if crossed is not None:
        frame = pool.to_frame(name).merge(crossed, how="cross")
    elif one_each:
        frame = pool.to_frame(name)
    elif "per" in columns[name].marginal:
        each = rng.poisson(float(columns[name].marginal["per"]), len(pool))
        each[rng.integers(len(pool))] += not each.any()
        frame = pool.iloc[np.repeat(np.arange(len(pool)), each)].reset_index(drop=True).to_frame(name)
    else:
        picked = rng.integers(0, len(pool), EVENTS_PER_PERSON * len(pool))
        frame = pool.iloc[np.sort(picked)].reset_index(drop=True).to_frame(name)
    for other, others in list(pools.items())[1:]:
        frame[other] = others.iloc[rng.integers(0, len(others), len(frame))].to_numpy()
    for number in within:
        frame[number] = frame.groupby(name).cumcount() + 1
    return frame


def _fill(
    frame: pd.DataFrame,
    contract: TableContract,
    columns: Mapping[str, Column],
    drawn: Sequence[str],
    rng: np.random.Generator,
    latest: date,
) -> None:
    """Draw the columns in `drawn`, in place: base values, then dates after others, gaps and fixed values."""
    size = len(frame)
    for name in drawn:
        frame[name] = base_values(columns[name], size, rng, latest)
    for name in drawn:
        after = columns[name].marginal.get("after")
        if after:
            low, high = after["days"]
            hours = rng.integers(int(low) * 24, int(high) * 24 + 1, size)
            days = hours if columns[name].dtype == "timestamp" else hours // 24 * 24
            later = frame[after["column"]] + pd.to_timedelta(days, unit="h")
            end = pd.Timestamp(latest) + pd.Timedelta(hours=23)
            frame[name] = later.where(later <= end, frame[after["column"]])
    for name in drawn:
        share = columns[name].marginal.get("missing")
        if share:
            frame[name] = frame[name].mask(rng.random(size) < float(share), missing_value(columns[name]))
    for name in drawn:
        for entry in columns[name].marginal.get("fixed", ()):
            held = Expression(str(entry["when"])).holding(frame)
            value = entry["value"]
            frame[name] = frame[name].mask(held, missing_value(columns[name]) if value is None else value)
    for name in drawn:
        if columns[name].dtype == "integer" and not columns[name].nullable:
            frame[name] = frame[name].astype("int64")


def _marginal(column: Column, shares: Mapping[str, float] | None) -> Column:
    if shares is None:
        return column
    from dataclasses import replace

    return replace(column, marginal={"shares": dict(shares)}, allowed=None, pattern=None)


def _pool(target: str, rows: int, parents: Mapping[str, pd.DataFrame]) -> pd.Series:
    """The keys that a reference may lead to; a table that is not there is taken to hold P00001, P00002, ..."""
    table, _, key = target.partition(".")
    if table in parents:
        return parents[table][key].reset_index(drop=True)
    return pd.Series([f"P{number:05d}" for number in range(1, rows + 1)], dtype="str")


def _parents_first(contracts: Sequence[TableContract]) -> list[TableContract]:
    names = {contract.name for contract in contracts}
    done: list[TableContract] = []
    waiting = list(contracts)
    while waiting:
        ready = [
            c
            for c in waiting
            if all(
                column.refers_to is None
                or column.refers_to.partition(".")[0] not in names - {c.name}
                or column.refers_to.partition(".")[0] in {d.name for d in done}
                for column in c.columns.values()
            )
        ]
        if not ready:
            raise SynthesisRefused(
                where="tables",
                found=f"references that go round in a circle among {', '.join(c.name for c in waiting)}",
                expected="a table that refers to none of the others",
                remedy="Remove one of the references.",
            )
        done += ready
        waiting = [c for c in waiting if c not in ready]
    return done
