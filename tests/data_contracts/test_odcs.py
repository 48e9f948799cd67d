"""Contracts that are refused, each with its place, and the one that is not."""

from __future__ import annotations

from datetime import date

import pytest

from data_contracts.odcs import NotOdcs, loads_contract
from data_contracts.odcs_write import dumps_contract
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


def test_nested_aliases_never_grow() -> None:
    bomb = "a: &a [x, x]\n" + "\n".join(f"b{i}: &b{i} [*a, *a]" for i in range(5))
    with pytest.raises(UnsafeYaml, match="alias"):
        loads_contract(bomb, name="bomb")


def test_two_tables_in_one_file_are_refused() -> None:
    second = SMALL[SMALL.index("- name: small") :].replace("name: small", "name: other")
    with pytest.raises(ContractRefused, match="2 tables"):
        loads_contract(SMALL + second, name="two")
