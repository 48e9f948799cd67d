"""The roster of a run: who was there, in which arm, and how other tables find them.

The roster table has one row per unit, or per unit and period where treatment varies over time. Other
tables are matched to it by unit id, one to one; nobody leaves it for being unmatched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from data_contracts.expression import Expression
from data_contracts.link import Join, link
from data_contracts.read import CheckedTable
from data_contracts.refusal import Refusal
from evaluation.sample import Bools, Ints
from experiments.protocol import Protocol


class SampleRefused(Refusal):
    """Data that keep their contracts and still cannot answer the study's question."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Roster:
    """The roster table as the design saw it.

    `frame` has unique row labels (unit ids, or ids with periods); `unit` is (rows,) codes of units in
    order of appearance, `arm` (rows,) codes into the protocol's arms. `derived` holds the outcomes that
    were derived from rows not one to a unit (`evaluation/derived.py`), each laid on the roster's rows. `consented` is
    (rows,) whose outcomes may be used; None where the study asks nothing of consent.
    """

    name: str
    key: str
    frame: pd.DataFrame
    unit: Ints
    arm: Ints
    derived: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    consented: Bools | None = None


def build_roster(protocol: Protocol, tables: Mapping[str, CheckedTable]) -> Roster:
    """The roster table with what is joined to it, its rows labelled by unit (and period, where there are periods)."""
    population = protocol.population
    frame = _joined_roster(protocol, tables)
    period = protocol.design.period_column
    label = frame[population.id].astype("str")
    if period is not None:
        label = label + "\x1f" + frame[period].astype("str")
    if label.duplicated().any():
        raise SampleRefused(
            where=f"{population.roster}.{population.id}",
            found=f"{int(label.duplicated().sum())} rows that repeat a unit",
            expected="one row per unit" if period is None else "one row per unit and period",
            remedy="Reduce the roster to its grain; outcomes with several rows belong in a table of their own.",
        )
    frame = frame.set_axis(pd.Index(label.to_numpy()), axis=0)  # unnamed: the id may be the cluster as well
    unit = pd.factorize(frame[population.id])[0].astype(np.int64)
    arms = list(protocol.arms)
    codes = pd.Categorical(frame[population.arm].astype("str"), categories=arms).codes.astype(np.int64)
    where = f"{population.roster}.{population.arm}"
    strays = int((codes < 0).sum())
    if strays:
        raise SampleRefused(
            where=where,
            found=f"{strays} {'row' if strays == 1 else 'rows'} in arms that this study does not declare",
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
    consent = population.consent
    return Roster(
        name=population.roster,
        key=population.id,
        frame=frame,
        unit=unit,
        arm=codes,
        consented=None if consent is None else Expression(consent).holding(frame),
    )


def _joined_roster(protocol: Protocol, tables: Mapping[str, CheckedTable]) -> pd.DataFrame:
    """The roster's rows with the columns of `population.joins`; every unit stays, found or not."""
    population = protocol.population
    roster = tables[population.roster]
    if not population.joins:
        return roster.frame
    units = replace(roster, frame=roster.frame.drop_duplicates(population.id))
    joins = []
    for name, columns in population.joins.items():
        table = tables[name]
        on = population.id if population.id in table.frame.columns else table.contract.key[0]
        joins.append(Join(table=table, on=on, columns=columns))
    linked = link(units, joins, key=population.id, arm=population.arm).frame
    brought = [column for columns in population.joins.values() for column in columns]
    return roster.frame.join(linked[brought], on=population.id)


def unit_column(table: CheckedTable, roster: Roster) -> str:
    """The column of another table that holds the roster's unit ids."""
    return roster.key if roster.key in table.frame.columns else table.contract.key[0]


def joined(table: CheckedTable, roster: Roster) -> pd.DataFrame:
    """The rows of another table in the order of the roster, matched one to one by unit id."""
    on = unit_column(table, roster)
    if table.frame[on].duplicated().any():
        raise SampleRefused(
            where=f"{table.contract.name}.{on}",
            found=f"{int(table.frame[on].duplicated().sum())} rows that repeat a unit",
            expected="one row per unit",
            remedy="Derive the outcome per person and window first; a join never multiplies people.",
        )
    return table.frame.set_index(on).reindex(roster.frame[roster.key].to_numpy())


def intervals(table: CheckedTable, roster: Roster) -> tuple[Ints, pd.DataFrame]:
    """(roster positions, rows) of a table with several intervals per unit; rows of strangers are refused."""
    on = unit_column(table, roster)
    position = pd.Index(roster.frame[roster.key]).get_indexer(table.frame[on])
    if (position < 0).any():
        raise SampleRefused(
            where=f"{table.contract.name}.{on}",
            found=f"{int((position < 0).sum())} rows of people who are not in the roster",
            expected="people of the roster only",
            remedy="Check the extract: everybody's intervals start from the roster.",
        )
    return position.astype(np.int64), table.frame
