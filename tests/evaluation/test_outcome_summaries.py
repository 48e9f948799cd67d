"""What was seen in an arm: events, people and time at risk are those of the people who were measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import cluster_counts_data
from data_contracts.read import find_contract
from data_contracts.read_folder import read_folder
from evaluation.describe import outcome_summaries
from evaluation.roster import build_roster
from experiments.load import load_protocol

STUDY = Path(__file__).parent / "studies" / "cluster_counts.yaml"


def test_the_time_at_risk_of_people_with_a_missing_outcome_is_not_below_the_line(tmp_path: Path) -> None:
    """A rate is events over the time of those in whom events were looked for."""
    protocol = load_protocol(STUDY)
    contracts = {name: find_contract(name, beside=STUDY.parent) for name in protocol.tables}
    tables = read_folder(contracts, cluster_counts_data.write(tmp_path), acknowledged=())
    name = "mentoring_police_contact"
    frame = tables[name].frame.copy()
    lost = np.arange(len(frame)) % 3 == 0
    frame["violent_incidents"] = frame["violent_incidents"].astype("Float64").mask(lost, pd.NA)
    tables[name] = replace(tables[name], frame=frame)
    roster = build_roster(protocol, tables)
    rows = [r for r in outcome_summaries(protocol, tables, roster) if r["outcome"] == "violent_incidents"]
    kept = frame[~lost].merge(roster.frame[["person", "arm"]].reset_index(drop=True), on="person")
    for row in rows:
        inside = kept[kept["arm"] == row["arm"]]
        assert row["observed"] == len(inside)
        assert row["events"] == inside["violent_incidents"].sum()
        assert abs(row["exposure"] - inside["years_at_risk"].sum()) < 1e-9
