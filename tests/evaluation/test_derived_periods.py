"""A hot-spot trial whose places go in and out of patrols, from incidents with a place and a time to its effect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from data_contracts.odcs_write import dumps_contract
from data_contracts.table import Dtype
from evaluation.run import Result, run_study
from experiments.load import dump
from small_tables import contract, study

PLACES, PERIODS, DAYS = 16, 6, 14
TABLES: dict[str, dict[str, Dtype]] = {
    "people": {"person": "string", "period": "integer", "arm": "string", "start": "date"},
    "incidents": {"place": "string", "at": "timestamp"},
}


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    """A roster of place-periods and incidents, half of the places silent in the first period."""
    rng = np.random.default_rng(20260708)
    first = pd.Timestamp("2025-01-06")
    rows, incidents = [], []
    for place in range(PLACES):
        arms = rng.permutation(["offered", "usual"] * (PERIODS // 2))
        for period in range(PERIODS):
            start = first + pd.Timedelta(days=DAYS * period)
            rows.append([f"spot {place}", period + 1, arms[period], start])
            for _ in range(rng.poisson(2 if arms[period] == "offered" else 4)):
                at = start + pd.Timedelta(minutes=int(rng.integers(0, DAYS * 1440)))
                incidents.append([f"spot {place}", at])
    incidents += [
        ["elsewhere", first],
        *([f"spot {place}", first - pd.Timedelta(minutes=1)] for place in range(5)),
    ]
    return {
        "people": pd.DataFrame(rows, columns=list(TABLES["people"])),
        "incidents": pd.DataFrame(incidents, columns=list(TABLES["incidents"])),
    }


@pytest.fixture(scope="module")
def result(frames: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("hot_spots")
    data = folder / "data"
    data.mkdir()
    for name, frame in frames.items():
        (folder / f"{name}.odcs.yaml").write_text(dumps_contract(contract(name, TABLES[name])))
        times = {"start": "%Y-%m-%d", "at": "%Y-%m-%d %H:%M"}
        said = frame.assign(**{c: frame[c].dt.strftime(form) for c, form in times.items() if c in frame})
        said.to_csv(data / f"{name}.csv", index=False)
        vintage = {"provisional": False, "extracted": "2025-06-30"}
        (data / f"{name}.vintage.yaml").write_text(yaml.safe_dump(vintage).replace("'", ""))
    outcome = {
        "table": "incidents", "column": "count", "kind": "count", "exposure": "days_at_risk", "follow_up_days": DAYS,
        "derive": {
            "method": "events_in_window", "by": "place", "date": "at", "start": "start", "first_day": 0,
            "counted": "events", "recording_lag_days": 30, "without_rows": "no events",
        },
    }  # fmt: skip
    protocol = study(
        outcome,
        design={
            "scheme": "crossover", "cluster": "person", "period": "period", "periods": list(range(1, PERIODS + 1)),
            "drawn": "periods within places", "carry_over_periods": 0,
        },
        estimands={
            "effect": {
                "outcome": "y", "contrast": ["offered", "usual"], "population": "all", "scale": "rate_ratio",
                "intercurrent": {},
            }
        },
        analyses={
            "primary": {
                "estimand": "effect", "estimator": "crossover_periods", "carry_over": "none", "variance": "CR2",
                "df": "satterthwaite", "level": 0.95, "missing": {"primary": "complete_case"},
            }
        },
    )  # fmt: skip
    file: Path = folder / "small.yaml"
    file.write_text(dump(protocol))
    return run_study(file, data)


def test_every_period_of_a_place_has_the_incidents_of_its_own_days(
    result: Result, frames: dict[str, pd.DataFrame]
) -> None:
    roster, incidents = frames["people"], frames["incidents"]
    counts = []
    for row in roster.itertuples():
        end = row.start + pd.Timedelta(days=DAYS)
        of_place = incidents[incidents["place"] == row.person]["at"]
        counts.append(int(((of_place >= row.start) & (of_place < end)).sum()))
    totals = roster.assign(count=counts).groupby("arm")["count"].sum()
    assert sum(counts) == len(incidents) - 6
    shown = {row["arm"]: row for row in result.findings.evidence["outcomes"]}
    for arm in ("offered", "usual"):
        assert shown[arm]["events"] == totals[arm]
        assert shown[arm]["exposure"] == PLACES * PERIODS / 2 * DAYS
        assert shown[arm]["people"] == PLACES
    (estimate,) = result.findings.estimates
    assert estimate["value"] == pytest.approx(totals["offered"] / totals["usual"], rel=0.15)
    assert estimate["value"] < 1
