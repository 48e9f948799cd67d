"""Synthetic tables for a study: its contracts, its arms and its own draw.

The rows come from the contracts (`data_contracts/synthetic.py`); arms are drawn by the declared design
where it can be drawn on the synthetic roster, and by the arms' shares otherwise.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from data_contracts.read import find_contract
from data_contracts.refusal import Refusal
from data_contracts.synthetic import synthesise_tables, write_tables
from data_contracts.table import TableContract
from data_contracts.whole_folder import whole_folder
from experiments.design import DesignRefused
from experiments.load import load_protocol
from experiments.protocol import Protocol

VINTAGE = """provisional: true
extracted: {today}
source: Synthetic rows (seed {seed}), made for a dry run; no finding from them means anything
"""


class DryRunRefused(Refusal):
    """A folder that a dry run would overwrite."""


def write_dry_run(study: Path, out: Path, *, rows: int, seed: int) -> list[Path]:
    """Write one CSV per table of the study into the new or empty folder `out`.

    The vintage beside each file says provisional, so that every page made from it says so too.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DryRunRefused(
            where="--out",
            found="a folder with files in it, or a file",
            expected="a new or empty folder",
            remedy="Synthetic rows never overwrite data: choose another folder.",
        )
    protocol = load_protocol(study)
    contracts = [find_contract(name, study.parent) for name in protocol.tables]
    rng = np.random.default_rng(seed)
    latest = min([date.today(), *(c.vintage.extracted for c in contracts if c.vintage.extracted)])
    population = protocol.population
    shares = {
        (population.roster, population.arm): {name: float(arm.share) for name, arm in protocol.arms.items()}
    }
    frames = synthesise_tables(contracts, rows=rows, rng=rng, latest=latest, shares=shares)
    roster = next(contract for contract in contracts if contract.name == population.roster)
    frames[population.roster] = _drawn(protocol, roster, frames[population.roster], rng)
    with whole_folder(out, marker="nothing that a folder of data has") as folder:
        paths = write_tables(frames, contracts, folder)
        for contract in contracts:
            beside = folder / f"{contract.name}.vintage.yaml"
            beside.write_text(VINTAGE.format(today=latest.isoformat(), seed=seed), encoding="utf-8")
    return [out / path.name for path in paths]


def _drawn(
    protocol: Protocol, contract: TableContract, roster: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """The roster with its arms drawn by the study's design, where the design can be drawn on it."""
    population = protocol.population
    if not protocol.design.randomised or not roster[population.id].is_unique:
        return roster
    units = roster.set_index(population.id)
    try:
        arm = protocol.design.draw(units.drop(columns=population.arm), rng).arm
    except DesignRefused:
        return roster
    out = roster.assign(**{population.arm: arm.reindex(units.index).to_numpy()})
    broken = np.zeros(len(out), dtype=bool)
    for rule in contract.rules:
        broken |= rule.holds.broken(out)
    return roster if broken.any() else out
