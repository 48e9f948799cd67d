"""One study run under several definitions of its outcome, from offences to findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from data_contracts.derive.events import events_in_window
from data_contracts.odcs import load_contract
from data_contracts.odcs_write import dumps_contract
from data_contracts.read import find_contract
from data_contracts.synthetic import synthesise_tables
from data_contracts.table import Column, DisclosureRole, Sensitivity
from evaluation.run import run_study
from experiments.definitions.definition import count_by_definition, counts_as, find_definition
from experiments.definitions.variants import column_of, definition_columns, with_definitions
from experiments.load import dump, find_study, load_protocol

NAMES = ("violence_with_injury", "serious_violence_strategy")


def test_the_answer_is_given_under_every_definition(tmp_path: Path) -> None:
    definitions = {name: find_definition(name) for name in NAMES}
    contracts = [find_contract("allocation"), find_contract("offences")]
    frames = synthesise_tables(
        contracts,
        rows=300,
        rng=np.random.default_rng(5),
        latest=date(2026, 1, 1),
        shares={("allocation", "arm"): {"financial_aid": 0.5, "no_aid": 0.5}},
    )
    people = frames["allocation"].set_index("person")
    windows = pd.DataFrame({"start": people["allocation_date"]})
    windows["end"] = windows["start"] + pd.Timedelta(days=364)
    counts = count_by_definition(
        definitions, windows, frames["offences"], code="offence_code", date="offence_date"
    )
    any_offence = events_in_window(windows, frames["offences"], date="offence_date")["count"]
    columns = definition_columns(counts, column="rearrested", kind="binary")

    # The study: LIFE's primary outcome and analysis alone, with the same outcome under two definitions.
    whole = load_protocol(find_study("baltimore_life"))
    protocol = with_definitions(
        replace(
            whole,
            id="by_definition",
            baseline=(),
            checks={},
            families={},
            population=replace(whole.population, roster="by_definition"),
            outcomes={
                "rearrest": replace(
                    whole.outcomes["rearrest"], table="by_definition", time=None, time_unit_days=None
                )
            },
            estimands={"rearrest_difference": whole.estimands["rearrest_difference"]},
            analyses={"primary": whole.analyses["primary"]},
        ),
        "rearrest",
        list(definitions.values()),
    )
    table = pd.DataFrame({"person": people.index, "arm": people["arm"].to_numpy()})
    table["rearrested"] = (any_offence > 0).astype(int).to_numpy()
    table = pd.concat([table, columns.reset_index(drop=True)], axis=1)
    flag = Column(
        dtype="integer",
        meaning="1 where any offence counts.",
        unit="0 or 1",
        sensitivity=Sensitivity.SENSITIVE_CRIME,
        role=DisclosureRole.MAGNITUDE,
        allowed=(0, 1),
    )
    roster = find_contract("life_release_cohort")
    contract = replace(
        roster,
        name="by_definition",
        rules=(),
        columns={
            "person": replace(roster.columns["person"], pattern=None),
            "arm": roster.columns["arm"],
            **dict.fromkeys(("rearrested", *columns.columns), flag),
        },
    )
    (tmp_path / "by_definition.odcs.yaml").write_text(dumps_contract(contract))
    assert load_contract(tmp_path / "by_definition.odcs.yaml") == contract
    (tmp_path / "by_definition.yaml").write_text(dump(protocol))
    data = tmp_path / "data"
    data.mkdir()
    table.to_csv(data / "by_definition.csv", index=False)

    result = run_study(tmp_path / "by_definition.yaml", data)
    estimates = {e["extra"]["analysis"]: e for e in result.findings.estimates}
    for name in NAMES:
        found = estimates[column_of("primary", name)]
        flags = table[column_of("rearrested", name)]
        by_arm = flags.groupby(table["arm"]).mean()
        assert abs(found["value"] - (by_arm["financial_aid"] - by_arm["no_aid"])) < 1e-12
    counted = {
        name: int(counts_as(definitions[name], frames["offences"], code="offence_code").sum())
        for name in NAMES
    }
    assert (
        len(
            {estimates[column_of("primary", name)]["value"] for name in NAMES}
            | {estimates["primary"]["value"]}
        )
        == 3
    )
    assert counted["violence_with_injury"] != counted["serious_violence_strategy"]
