"""Differences between contracts: what breaks a file, what loosens, and what is only words."""

from __future__ import annotations

import pytest

from data_contracts.contract_diff import contract_diff, level_of, version_needed
from data_contracts.dictionary import contract_facts, dictionary_rows
from data_contracts.odcs import loads_contract
from data_contracts.read import feed_names, find_contract
from small_contract import SMALL

OLD = loads_contract(SMALL, name="small")


@pytest.mark.parametrize(
    ("old", "new", "level", "where"),
    [
        ("description: How often.", "description: How many times.", "patch", "visits"),
        ("name: A small table", "name: A little table", "patch", "title"),
        ("logicalTypeOptions: {minimum: 0}", "logicalTypeOptions: {minimum: -1}", "minor", "visits"),
        ("logicalTypeOptions: {minimum: 0}", "logicalTypeOptions: {minimum: 1}", "breaking", "visits"),
        (
            "logicalTypeOptions: {minimum: 0}",
            "logicalTypeOptions: {minimum: 0, maximum: 9}",
            "breaking",
            "visits",
        ),
        ("    unique: true\n", "", "minor", "person"),
        ("value: visits}", "value: attended visits}", "breaking", "visits"),
        ("classification: quasi_identifier", "classification: public", "breaking", "person"),
        ("value: magnitude", "value: dimension", "breaking", "visits"),
        ("dd/MM/yyyy", "MM/dd/yyyy", "breaking", "came"),
        ("left >= came", "left > came", "breaking", "rules"),
        ("{'-9': still here}", "{'-8': still here}", "breaking", "left"),
        ("value: nobody", "value: somebody", "minor", "controller"),
        (
            "    - {property: disclosureRole, value: count_unit}\n",
            "    - {property: disclosureRole, value: dimension}\n",
            "breaking",
            "person",
        ),
    ],
)
def test_the_level_of_a_change(old: str, new: str, level: str, where: str) -> None:
    changes = contract_diff(OLD, loads_contract(SMALL.replace(old, new, 1), name="small"))
    assert level_of(changes) == level
    assert where in {change.where for change in changes if change.level == level}


def test_a_column_more_or_less_breaks_files() -> None:
    shorter = loads_contract(SMALL[: SMALL.index("  - name: visits")], name="small")
    assert [(c.level, c.what) for c in contract_diff(OLD, shorter)] == [("breaking", "column removed")]
    assert [(c.level, c.what) for c in contract_diff(shorter, OLD)] == [("breaking", "column added")]


def test_nothing_changed_is_no_change() -> None:
    assert contract_diff(OLD, OLD) == []
    assert level_of([]) is None


def test_versions_follow_the_level() -> None:
    assert version_needed("1.2.3", "breaking") == "2.0.0"
    assert version_needed("1.2.3", "minor") == "1.3.0"
    assert version_needed("1.2.3", "patch") == "1.2.4"
    assert version_needed("1.2.3", None) == "1.2.3"


@pytest.mark.parametrize("name", feed_names())
def test_a_dictionary_says_unit_and_meaning_of_every_column(name: str) -> None:
    contract = find_contract(name)
    rows = dictionary_rows(contract)
    assert [row["column"] for row in rows] == list(contract.columns)
    assert all(row["meaning"] and row["unit"] and row["sensitivity"] and row["role"] for row in rows)
    labels = {label for label, _ in contract_facts(contract)}
    assert {"Grain", "Controller", "Lawful basis", "Retention", "Vintage"} <= labels
