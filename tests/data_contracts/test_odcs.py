"""Contracts that are refused, each with its place, and the one that is not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from data_contracts.odcs import NotOdcs, loads_contract
from data_contracts.odcs_write import dumps_contract
from data_contracts.read import read_table
from data_contracts.refusal import Refusal
from data_contracts.safe_yaml import UnsafeYaml
from data_contracts.table import ContractRefused, Sensitivity
from small_contract import SMALL


def test_the_small_contract_says_what_it_says() -> None:
    contract = loads_contract(SMALL, name="small")
    assert (contract.name, contract.version, contract.key) == ("small", "1.2.3", ("person",))
    assert contract.vintage.extracted == date(2026, 1, 31)
    assert contract.retention == "2 y"
    assert contract.columns["came"].minimum == date(2000, 1, 1)
    assert contract.columns["left"].missing_codes == {"-9": "still here"}
    assert contract.columns["person"].sensitivity is Sensitivity.QUASI_IDENTIFIER
    assert loads_contract(dumps_contract(contract), name="small") == contract


@pytest.mark.parametrize(
    ("old", "new", "kind", "told"),
    [
        ("version: 1.2.3", "version: 1.2.3\nversion: 1.2.4", UnsafeYaml, "'version' a second time"),
        ("name: A small table", "name: !!python/object/apply:os.system ['true']", UnsafeYaml, "object tags"),
        ("name: A small table", "name: &a [*a, *a]", UnsafeYaml, "alias"),
        ("version: 1.2.3", "version: 1.2.3\nverzion: 2", NotOdcs, "verzion"),
        ("    unique: true", "    unicorn: true", NotOdcs, "unicorn"),
        ("apiVersion: v3.1.0", "apiVersion: v9", NotOdcs, "v9"),
        ("status: active\n", "", NotOdcs, "status"),
        ("property: controller", "property: controler", ContractRefused, "Did you mean 'controller'"),
        (
            "classification: quasi_identifier",
            "classification: restricted",
            ContractRefused,
            "the list is closed",
        ),
        ("    - {property: unit, value: pseudonym}\n", "", ContractRefused, "person.unit"),
        ("value: count_unit", "value: kept_back", ContractRefused, "one of count_unit"),
        ("format: dd/MM/yyyy, minimum", "minimum", ContractRefused, "never guessed"),
        (
            "logicalTypeOptions: {minimum: 0}",
            "logicalTypeOptions: {multipleOf: 5}",
            ContractRefused,
            "multipleOf",
        ),
        ("    logicalType: string", "    logicalType: array", ContractRefused, "'array'"),
        ("missing(left) or left >= came", "__import__('os')", ContractRefused, "rule"),
        ("missing(left) or left >= came", "left >= caim", ContractRefused, "Did you mean 'came'"),
        ("missing(left) or left >= came", "visits >= came", ContractRefused, "different types"),
        ("engine: desist", "engine: soda", ContractRefused, "a check that is not run here"),
        ("    primaryKey: true\n", "", ContractRefused, "no primary key"),
        (
            "- {property: retention, value: 2, unit: y}",
            "- {property: latency, value: 2}",
            ContractRefused,
            "retention",
        ),
        (
            "logicalTypeOptions: {minimum: 0}",
            "logicalTypeOptions: {minimum: 9, maximum: 1}",
            ContractRefused,
            "9",
        ),
        (
            "classification: quasi_identifier",
            "classification: direct_identifier",
            ContractRefused,
            "never_published",
        ),
    ],
)
def test_a_spoilt_contract_is_refused_in_its_place(
    old: str, new: str, kind: type[Refusal], told: str
) -> None:
    assert old in SMALL
    with pytest.raises(Refusal) as caught:
        loads_contract(SMALL.replace(old, new, 1), name="small")
    assert told.lower() in str(caught.value).lower()
    if "import" not in new:
        assert isinstance(caught.value, kind)


VISITS = "    - {property: unit, value: visits}\n"
HOW_OFTEN = "    description: How often.\n"


def with_property(name: str, value: str) -> tuple[str, str]:
    return VISITS, f"{VISITS}    - {{property: {name}, value: {value}}}\n"


def with_table_property(name: str, value: str) -> tuple[str, str]:
    old = "- {property: lawfulBasis"
    return old, f"- {{property: {name}, value: {value}}}\n{old}"


def with_check(check: str) -> tuple[str, str]:
    return HOW_OFTEN, f"{HOW_OFTEN}    quality:\n{check}"


def values(values: str, more: str = "") -> str:
    return f"    - {{metric: invalidValues, arguments: {{validValues: {values}}}, mustBe: 0{more}}}\n"


def with_rule(rule: str) -> tuple[str, str]:
    return "missing(left) or left >= came", '"' + rule + '"'


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("minimum: '2000-01-01'", "minimum: '2000-13-01'"), "came.minimum"),
        (("{minimum: 0}", "{minimum: .nan}"), "visits.minimum"),
        (("{minimum: 0}", "{maximum: .inf}"), "visits.maximum"),
        (("format: dd/MM/yyyy", "format: DD/MM/YYYY"), "'DD/MM/YYYY'"),
        (("format: dd/MM/yyyy", "format: '%d/%m/%Y'"), "came.format"),
        (("extracted: '2026-01-31'", "extracted: soon"), "vintage.extracted"),
        (("extracted: '2026-01-31'", "extracted: 2026-02-30"), "line 13"),
        (("version: 1.2.3", "version: '1.0'"), "three numbers"),
        (
            ("- {property: retention", "- {property: latency, value: 4, unit: d}\n- {property: retention"),
            "'latency', a promise that nobody checks",
        ),
        (with_property("identifier", "ssn"), "pnc or nhs"),
        (with_property("identifier", "nhs"), "for a column of type string"),
        (with_property("labels", "[a]"), "visits.labels"),
        (with_property("labels", "{'1': '=cmd'}"), "spreadsheet would run"),
        (with_property("missingCodes", "-9"), "visits.missingCodes"),
        (with_property("missingCodes", "{'-9': '@sum(a)'}"), "spreadsheet would run"),
        (with_property("marginal", "[1]"), "visits.marginal"),
        (with_property("codeList", "{source: a, date: foo}"), "codeList.date"),
        (with_property("structuralZeros", "maybe"), "true or false"),
        (with_property("isYear", "2024"), "true or false"),
        (with_property("mayBeEmpty", "no"), "true or false"),
        (with_table_property("recordingBreaks", "ecds_2017"), "a list of names"),
        (with_table_property("mayHaveNoRows", "often"), "true or false"),
        (with_table_property("personKey", "[person]"), "personKey"),
        (with_table_property("layout", "tidy"), "layout"),
        (with_table_property("layout", "{headerRow: 0}"), "header_row"),
        (with_table_property("layout", "{footnotes: '['}"), "footnotes"),
        (with_table_property("layout", "{dropRows: {persn: [Total]}}"), "Did you mean 'person'"),
        (with_table_property("layout", "{fillDown: [persn]}"), "Did you mean 'person'"),
        (with_table_property("layout", "{ignore: [visits]}"), "which the contract declares"),
        (with_table_property("layout", "{sheetColumn: year}"), "sheetColumn"),
        (with_table_property("layout", "{thousands: ',', decimal: ','}"), "two different signs"),
        ((HOW_OFTEN, HOW_OFTEN + "    relationships: [{to: a.b}, {to: c.d}]\n"), "more than one reference"),
        (
            ("  properties:\n", "  relationships: [{from: small.person, to: a.b}]\n  properties:\n"),
            "schema[0].relationships",
        ),
        (with_check(values("['1', '2']")), "no integer can be"),
        (with_check(values("[true]")), "no integer can be"),
        (with_check(values("5")), "a check that is not run here"),
        (with_check(values("abc")), "a check that is not run here"),
        (with_check(values("[1]") + values("[2]")), "a second list"),
        (with_check(values("[1]", ", unit: percent")), "a check that is not run here"),
        (with_rule("came >= '03/02/2020'"), "different types"),
        (with_rule("came in ['03/02/2020']"), "different types"),
        (with_rule("person > 1"), "different types"),
        (with_rule("visits in ['a']"), "different types"),
        (with_rule("left - came > 3"), "days(from, to)"),
        (with_rule("days(came, visits) > 3"), "not dates"),
        (with_rule("visits * 99999999999999999999 > 1"), "read exactly"),
        (with_rule("visits > 1e999"), "read exactly"),
        (with_rule("-" * 1900 + "visits == 1"), "hundreds deep"),
    ],
)  # fmt: skip
def test_what_would_pass_in_silence_or_fail_later_is_refused(change: tuple[str, str], told: str) -> None:
    assert change[0] in SMALL
    with pytest.raises(Refusal) as caught:
        loads_contract(SMALL.replace(*change, 1), name="small")
    assert told in str(caught.value)


def test_a_label_of_a_code_that_may_not_stand_there_is_refused() -> None:
    text = SMALL.replace(*with_check(values("[1, 2]")), 1)
    assert loads_contract(text.replace(*with_property("labels", "{'1': once}"), 1), name="small")
    with pytest.raises(ContractRefused, match="a label for '3'"):
        loads_contract(text.replace(*with_property("labels", "{'3': thrice}"), 1), name="small")


def test_what_is_wrong_with_several_columns_is_told_at_once() -> None:
    text = SMALL.replace("classification: quasi_identifier", "classification: secret")
    text = text.replace("    - {property: unit, value: visits}\n", "").replace("dd/MM/yyyy", "DD/MM/YYYY", 1)
    with pytest.raises(ContractRefused, match="3 columns") as caught:
        loads_contract(text, name="small")
    assert all(f"{name}." in str(caught.value) for name in ("person", "came", "visits"))


def test_days_and_months_of_one_figure_are_read_where_declared(tmp_path: Path) -> None:
    contract = loads_contract(SMALL.replace("dd/MM/yyyy", "d/M/yyyy"), name="small")
    path = tmp_path / "small.csv"
    path.write_text("person,came,left,visits\nA,3/2/2024,29/02/2024,1\n")
    assert read_table(path, contract).frame["came"].tolist() == [pd.Timestamp("2024-02-03")]


def test_nested_aliases_never_grow() -> None:
    bomb = "a: &a [x, x]\n" + "\n".join(f"b{i}: &b{i} [*a, *a]" for i in range(5))
    with pytest.raises(UnsafeYaml, match="alias"):
        loads_contract(bomb, name="bomb")


def test_two_tables_in_one_file_are_refused() -> None:
    second = SMALL[SMALL.index("- name: small") :].replace("name: small", "name: other")
    with pytest.raises(ContractRefused, match="2 tables"):
        loads_contract(SMALL + second, name="two")
