"""A study's tables together: references lead somewhere, and breaks in recording are acknowledged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_contracts.read import TableNotFound, find_contract
from data_contracts.read_folder import read_folder
from data_contracts.recording_breaks import BreakNotAcknowledged
from data_contracts.refusal import Refusal
from data_contracts.synthetic import synthesise_tables, write_tables
from data_contracts.table import ContractBroken
from experiments.load import dump, find_study, load_protocol, loads


def folder_of(tmp_path: Path, *names: str) -> dict[str, Any]:
    contracts = [find_contract(name) for name in names]
    frames = synthesise_tables(contracts, rows=30, rng=np.random.default_rng(3), latest=date(2026, 1, 1))
    write_tables(frames, contracts, tmp_path)
    return {contract.name: contract for contract in contracts}


def test_people_who_are_not_among_the_participants_are_told_by_row(tmp_path: Path) -> None:
    contracts = folder_of(tmp_path, "participants", "referrals")
    assert set(read_folder(contracts, tmp_path, acknowledged=())) == {"participants", "referrals"}
    path = tmp_path / "referrals.csv"
    lines = path.read_text().splitlines()
    cells = lines[5].split(",")
    lines[5] = ",".join([cells[0], "Q77777", *cells[2:]])
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ContractBroken, match=r"no such row in participants\.person \(1 row: 5\)") as caught:
        read_folder(contracts, tmp_path, acknowledged=())
    assert "Q77777" not in str(caught.value)


def test_files_that_are_not_there_are_told_together(tmp_path: Path) -> None:
    contracts = folder_of(tmp_path, "participants", "referrals", "attendance")
    for name in ("participants", "attendance"):
        (tmp_path / f"{name}.csv").unlink()
    with pytest.raises(TableNotFound, match="2 tables: participants, attendance"):
        read_folder(contracts, tmp_path, acknowledged=())
    with pytest.raises(TableNotFound, match="found no folder"):
        read_folder(contracts, tmp_path / "nowhere", acknowledged=())


def test_ids_of_which_none_is_known_are_said_to_be_written_otherwise(tmp_path: Path) -> None:
    contracts = folder_of(tmp_path, "participants", "referrals")
    path = tmp_path / "referrals.csv"
    header, *rows = path.read_text().splitlines()
    at = header.split(",").index("person")
    cells = [row.split(",") for row in rows]
    written = [",".join([*row[:at], row[at].lower(), *row[at + 1 :]]) for row in cells]
    path.write_text("\n".join([header, *written]) + "\n")
    with pytest.raises(ContractBroken, match="Not one row is found: compare how the two tables write it"):
        read_folder(contracts, tmp_path, acknowledged=())


def test_a_reference_that_could_lead_nowhere_is_refused(tmp_path: Path) -> None:
    contracts = folder_of(tmp_path, "participants", "referrals")
    columns = contracts["referrals"].columns
    for changed, told in (
        (replace(columns["person"], refers_to="participants.persn"), "Did you mean 'person'"),
        (replace(columns["person"], refers_to="participants.age"), "from string to integer"),
    ):
        other = replace(contracts["referrals"], columns={**columns, "person": changed})
        with pytest.raises(Refusal, match=told):
            read_folder({**contracts, "referrals": other}, tmp_path, acknowledged=())


def test_a_break_inside_the_data_is_acknowledged_or_refused(tmp_path: Path) -> None:
    contracts = folder_of(tmp_path, "london_borough_monthly")
    with pytest.raises(BreakNotAcknowledged, match="covid_2020"):
        read_folder(contracts, tmp_path, acknowledged=())
    read_folder(contracts, tmp_path, acknowledged=["covid_2020"])
    with pytest.raises(BreakNotAcknowledged, match="Did you mean 'covid_2020'"):
        read_folder(contracts, tmp_path, acknowledged=["covid_20"])


def test_a_study_says_how_it_deals_with_a_break() -> None:
    protocol = load_protocol(find_study("baltimore_life"))
    assert protocol.recording_breaks == {}
    text = dump(protocol) + "recording_breaks:\n  covid_2020: months from April 2020 are left out\n"
    wider = loads(text, name="wider")
    assert wider.recording_breaks == {"covid_2020": "months from April 2020 are left out"}
    assert loads(dump(wider), name="again") == wider
    assert wider.fingerprint != protocol.fingerprint
