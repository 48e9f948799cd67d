"""Columns, types, definitions and joins that are refused before data are read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_contracts.catalogue import names
from data_contracts.refusal import Refusal
from data_contracts.table import Dtype, TableContract
from derivation_examples import example
from evaluation.columns import check_columns
from evaluation.plan import make_plan
from experiments.load import protocol_from
from experiments.protocol import ProtocolRefused, declared
from small_tables import column, contract, study
from spoilt_derivations import retyped, said, says

DERIVATIONS = names("experiments.derivations")
SURVEYS = ("sdq_scores", "srds_scores")


@pytest.mark.parametrize("name", DERIVATIONS)
def test_ids_of_another_type_than_the_rosters_are_refused_before_data_are_read(name: str) -> None:
    this = example(name)
    integers = {"events_in_window": 3, "proven_reoffending": 2, "linked_incidents": 2}.get(name, 1)
    refusals = set()
    for need in this.derivation.needs(this.rows.table.contract.name):
        if need.holds == "units":
            with pytest.raises(ProtocolRefused, match="the type of the roster's ids, string") as refused:
                make_plan(this.protocol, retyped(this.contracts, need.table, need.column, "integer"))
            refusals.add(refused.value.where)
    assert len(refusals) == integers


@pytest.mark.parametrize(
    ("name", "table", "column", "dtype", "key", "expected"),
    [
        ("events_in_window", "offences", "on", "string", "date", "a column of dates"),
        ("events_in_window", "people", "start", "integer", "start", "a column of dates"),
        ("events_in_window", "stays", "came", "string", "custody.entered", "a column of dates"),
        ("events_in_window", "stays", "went", "number", "custody.released", "a column of dates"),
        ("events_in_window", "offences", "code", "integer", "classes", "a column of text"),
        ("proven_reoffending", "offences", "decided", "string", "proven_date", "a column of dates"),
        ("proven_reoffending", "people", "start", "string", "index_date", "a column of dates"),
        ("sdq_scores", "survey", "fidgety", "string", "method", "a column of numbers"),
        ("sdq_scores", "survey", "wave", "integer", "waves.column", "a column of text"),
        ("sdq_scores", "survey", "asked", "string", "timing.date", "a column of dates"),
        ("srds_scores", "survey", "act_b", "string", "acts", "a column of numbers"),
        ("srds_scores", "survey", "act_b", "date", "acts", "a column of numbers"),
        ("linked_incidents", "incidents", "at", "date", "time", "a column of times of day"),
        ("linked_incidents", "attendances", "hurt", "date", "department.time", "a column of times of day"),
    ],
)  # fmt: skip
def test_a_column_of_another_type_is_refused_before_data_are_read(
    name: str, table: str, column: str, dtype: Dtype, key: str, expected: str
) -> None:
    this = example(name)
    with pytest.raises(ProtocolRefused, match=rf"'{column}'.* as a {dtype}; expected {expected}") as refused:
        make_plan(this.protocol, retyped(this.contracts, table, column, dtype))
    assert refused.value.where == f"outcomes.y.derive.{key}"
    says(refused)


@pytest.mark.parametrize(
    ("name", "key", "condition"),
    [
        ("events_in_window", "where", "kept == '1'"),
        ("proven_reoffending", "proven", "outcome in [1, 2]"),
        ("sdq_scores", "where", "informant == 1"),
        ("srds_scores", "where", "asked >= 20240101"),
        ("linked_incidents", "where", "kept == 'yes'"),
    ],
)
def test_a_condition_that_no_row_can_meet_is_refused_before_data_are_read(
    name: str, key: str, condition: str
) -> None:
    """Left to run it would hold of no row, and everybody's count would be zero."""
    this = example(name)
    protocol = protocol_from(said(this.protocol, **{key: condition}), where="spoilt")
    with pytest.raises(
        ProtocolRefused, match=r"compares values of different types.*Text stands in quotes"
    ) as refused:
        make_plan(protocol, this.contracts)
    assert refused.value.where == f"outcomes.y.derive.{key}"
    says(refused)


def test_a_label_that_the_contract_does_not_list_is_refused_before_data_are_read() -> None:
    """A misspelt label would leave its offences out of every count without a word."""
    this = example("proven_reoffending")
    types: dict[str, Dtype] = {key: c.dtype for key, c in this.contracts["offences"].columns.items()}
    offences = contract("offences", types)
    listed = replace(column("string"), allowed=("convicted", "cautioned", "dropped"))
    contracts = {
        **this.contracts,
        "offences": replace(offences, columns={**offences.columns, "outcome": listed}),
    }
    make_plan(this.protocol, contracts)
    protocol = protocol_from(
        said(this.protocol, proven="outcome in ['convicted', 'caution']"), where="spoilt"
    )
    with pytest.raises(
        ProtocolRefused, match=r"looks for 'caution' in 'outcome'.*Did you mean 'cautioned'"
    ) as refused:
        make_plan(protocol, contracts)
    assert refused.value.where == "outcomes.y.derive.proven"
    says(refused)


@pytest.mark.parametrize("name", SURVEYS)
@pytest.mark.parametrize("key", ["at", "before"])
def test_a_wave_that_the_contract_does_not_list_is_refused_before_data_are_read(name: str, key: str) -> None:
    this = example(name)
    survey = this.contracts["survey"]
    listed = replace(column("string"), allowed=("start", "after"))
    contracts = {**this.contracts, "survey": replace(survey, columns={**survey.columns, "wave": listed})}
    make_plan(this.protocol, contracts)
    waves = {"column": "wave", "at": "after", "before": "start", key: "middle"}
    with pytest.raises(
        ProtocolRefused, match=r"looks for 'middle' in 'wave'.*Choices: after, start"
    ) as refused:
        make_plan(protocol_from(said(this.protocol, waves=waves), where="spoilt"), contracts)
    assert refused.value.where == f"outcomes.y.derive.waves.{key}"
    says(refused)


def test_a_definition_that_compares_a_flag_with_what_it_never_is_is_refused() -> None:
    this = example("events_in_window")
    protocol = protocol_from(said(this.protocol, definition="serious_violence_strategy@1.1.0"), where="flags")
    types: dict[str, Dtype] = {key: c.dtype for key, c in this.contracts["offences"].columns.items()}
    make_plan(protocol, {**this.contracts, "offences": contract("offences", {**types, "knife": "integer"})})
    with pytest.raises(
        ProtocolRefused, match=r"'Knife-enabled' says .knife == 1., which compares values of different types"
    ) as refused:
        make_plan(
            protocol, {**this.contracts, "offences": contract("offences", {**types, "knife": "string"})}
        )
    says(refused)


def test_waves_in_numbers_are_read_from_a_column_of_numbers() -> None:
    this = example("srds_scores")
    content = said(this.protocol, waves={"column": "wave", "at": 2, "before": 1})
    protocol = protocol_from(content, where="numbers")
    with pytest.raises(ProtocolRefused, match=r"'wave'.* as a string; expected a column of whole numbers"):
        make_plan(protocol, this.contracts)
    make_plan(protocol, retyped(this.contracts, "survey", "wave", "integer"))


def pinned(tmp_path: Path, *named: str) -> Any:
    this = example("events_in_window")
    own, *others = named
    protocol = protocol_from(said(this.protocol, definition=own, also_under=others), where="pinned")
    return make_plan(protocol, this.contracts, beside=tmp_path)


def test_a_definition_of_another_version_is_refused_with_the_version_at_hand(tmp_path: Path) -> None:
    assert [d.id for d in pinned(tmp_path, "near_miss_homicide@1.0.0").definitions["y"]] == [
        "near_miss_homicide"
    ]
    for named in (("near_miss_homicide@0.9.0",), ("near_miss_homicide@1.0.0", "violence_with_injury@1.0.0")):
        with pytest.raises(Refusal, match=r"the file at hand has version.*expected '.*@1") as refused:
            pinned(tmp_path, *named)
        assert refused.value.where == "outcomes.y.derive"
        says(refused)
    with pytest.raises(Refusal, match="Did you mean 'near_miss_homicide'"):
        pinned(tmp_path, "near_mis_homicide@1.0.0")


def test_a_definition_that_asks_for_a_column_that_is_not_there_is_refused_before_data_are_read(
    tmp_path: Path,
) -> None:
    with pytest.raises(
        ProtocolRefused, match=r"'Knife-enabled' asks for 'knife'.*contract 'offences'"
    ) as refused:
        pinned(tmp_path, "near_miss_homicide@1.0.0", "serious_violence_strategy@1.1.0")
    says(refused)


def joined(joins: dict[str, list[str]], contracts: dict[str, TableContract]) -> None:
    plain = study({"table": "people", "column": "score"}, linkage={"limit": 0.1})
    content = declared(plain)
    content["population"]["joins"] = joins
    check_columns(protocol_from(content, where="joined"), contracts)


def test_a_column_comes_from_one_table() -> None:
    contracts = {
        "people": contract(
            "people", {"person": "string", "arm": "string", "score": "number", "age": "integer"}
        ),
        "more": contract("more", {"person": "string", "sex": "string", "age": "integer", "start": "date"}),
        "other": contract("other", {"person": "string", "sex": "string"}),
    }
    joined({"more": ["sex", "start"]}, contracts)
    with pytest.raises(ProtocolRefused, match=r"'sex', which more already brings.*Leave it out") as refused:
        joined({"more": ["sex"], "other": ["sex"]}, contracts)
    assert refused.value.where == "population.joins.other"
    with pytest.raises(ProtocolRefused, match="'age', which people already brings"):
        joined({"more": ["age"]}, contracts)
    with pytest.raises(ProtocolRefused, match="'person', which people already brings"):
        joined({"more": ["person"]}, contracts)


def test_the_start_of_a_window_may_come_by_a_join() -> None:
    this = example("events_in_window")
    types: dict[str, Dtype] = {"person": "string", "arm": "string"}
    contracts = {**this.contracts, "people": contract("people", types)}
    content = said(this.protocol)
    content["population"]["joins"] = {"referrals": ["start"]}
    protocol = protocol_from(content, where="joined")
    make_plan(
        protocol, {**contracts, "referrals": contract("referrals", {"person": "string", "start": "date"})}
    )
    with pytest.raises(
        ProtocolRefused, match=r"'start'.* 'referrals' declares as a string; expected a column of dates"
    ):
        make_plan(
            protocol,
            {**contracts, "referrals": contract("referrals", {"person": "string", "start": "string"})},
        )


def test_a_column_that_is_nowhere_is_refused_with_those_that_joins_bring() -> None:
    content = declared(study({"table": "people", "column": "score"}))
    content["population"]["joins"] = {"referrals": ["age"]}
    next(iter(content["analyses"].values()))["covariates"] = ["agee"]
    protocol = protocol_from(content, where="joined")
    tables = {
        "people": contract("people", {"person": "string", "arm": "string", "score": "number"}),
        "referrals": contract("referrals", {"person": "string", "age": "integer"}),
    }
    with pytest.raises(ProtocolRefused, match=r"population\.joins.*Did you mean 'age'"):
        check_columns(protocol, tables)


def test_a_design_names_a_column_of_periods_that_is_there() -> None:
    content = declared(study({"table": "people", "column": "score"}))
    content["design"] = {
        "scheme": "crossover", "cluster": "place", "period": "week", "periods": [1, 2], "drawn": "sequences",
        "carry_over_periods": 0, "washout": [], "schedule": {"first": ["offered", "usual"], "second": ["usual", "offered"]},
    }  # fmt: skip
    protocol = protocol_from(content, where="periods")
    columns: dict[str, Dtype] = {"person": "string", "arm": "string", "score": "number", "place": "string"}
    with pytest.raises(
        ProtocolRefused, match="'week'; expected a column of the contract 'people'"
    ) as refused:
        check_columns(protocol, {"people": contract("people", columns)})
    assert refused.value.where == "design.period"
    check_columns(protocol, {"people": contract("people", {**columns, "week": "integer"})})


def test_one_table_tells_of_one_search() -> None:
    this = example("events_in_window")
    content = said(this.protocol)
    content["outcomes"]["z"] = {**content["outcomes"]["y"], "role": "secondary"}
    make_plan(protocol_from(content, where="same"), this.contracts)
    other = {"table": "searches", "by": "who", "known": "found_elsewhere == 1"}
    content["outcomes"]["z"]["derive"] = {**content["outcomes"]["z"]["derive"], "without_rows": other}
    types: dict[str, Dtype] = {"who": "string", "found": "integer", "found_elsewhere": "integer"}
    contracts = {**this.contracts, "searches": contract("searches", types)}
    with pytest.raises(
        ProtocolRefused, match=r"another search in the table 'searches'.*a table and a contract"
    ) as refused:
        make_plan(protocol_from(content, where="other"), contracts)
    assert refused.value.where == "outcomes.z.derive.without_rows"
    says(refused)
