"""Differences between contracts: what breaks a file, what loosens, and what is only words."""

from __future__ import annotations

from dataclasses import replace

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


CODED = SMALL.replace(
    "    description: How often.\n",
    "    description: How often.\n    quality:\n"
    "    - {metric: invalidValues, arguments: {validValues: [1, 2]}, mustBe: 0}\n",
).replace(
    "    - {property: unit, value: visits}\n",
    "    - {property: unit, value: visits}\n    - {property: labels, value: {'1': male, '2': female}}\n"
    "    - {property: missingCodes, value: {'-9': refused}}\n",
)
BASIS = "- {property: lawfulBasis"


@pytest.mark.parametrize(
    ("old", "new", "level", "where"),
    [
        ("name: the end is not before the start", "name: it ends after it starts", "patch", "rules"),
        ("[1, 2]", "[2, 1]", "patch", "visits"),
        ("[1, 2]", "[1, 2, 3]", "minor", "visits"),
        ("{'1': male, '2': female}", "{'1': boy, '2': girl}", "patch", "visits"),
        ("{'1': male, '2': female}", "{'1': female, '2': male}", "breaking", "visits"),
        ("{'-9': refused}", "{'-9': did not answer}", "patch", "visits"),
        ("{'-9': refused}", "{'-9': refused, '-8': lost}", "breaking", "visits"),
        ("extracted: '2026-01-31'", "extracted: '2026-02-28'", "minor", "vintage"),
        ("extracted: '2026-01-31'", "extracted: '2025-01-31'", "breaking", "vintage"),
        (", extracted: '2026-01-31'", "", "minor", "vintage"),
        ("provisional: false", "provisional: true", "minor", "vintage"),
        (
            BASIS,
            f"- {{property: recordingBreaks, value: [ecds_2017]}}\n{BASIS}",
            "breaking",
            "recording_breaks",
        ),
        (
            "logicalType: integer\n",
            "logicalType: number\n",
            "breaking",
            "visits",
        ),
    ],
)
def test_words_are_patches_and_meanings_are_not(old: str, new: str, level: str, where: str) -> None:
    assert old in CODED
    changes = contract_diff(
        loads_contract(CODED, name="small"), loads_contract(CODED.replace(old, new, 1), name="small")
    )
    assert [(change.level, change.where) for change in changes] == [(level, where)]


def test_a_break_less_to_name_is_minor_and_a_header_written_out_is_nothing() -> None:
    with_break = SMALL.replace(BASIS, f"- {{property: recordingBreaks, value: [ecds_2017]}}\n{BASIS}")
    (change,) = contract_diff(loads_contract(with_break, name="small"), OLD)
    assert (change.level, change.where) == ("minor", "recording_breaks")
    spelt = SMALL.replace("  - name: visits\n", "  - name: visits\n    physicalName: visits\n")
    assert contract_diff(OLD, loads_contract(spelt, name="small")) == []


def test_bounds_of_another_type_are_told_apart() -> None:
    """A bound that was a number and is a day: neither is the lower."""
    dated = SMALL.replace("logicalType: integer", "logicalType: date").replace(
        "{minimum: 0}", "{minimum: '2000-01-01', format: yyyy-MM-dd}"
    )
    assert level_of(contract_diff(OLD, loads_contract(dated, name="small"))) == "breaking"


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


@pytest.mark.parametrize(("before", "after", "level"), [(False, True, "minor"), (True, False, "breaking")])
def test_letting_a_table_without_rows_pass_loosens_it(before: bool, after: bool, level: str) -> None:
    changes = contract_diff(replace(OLD, may_have_no_rows=before), replace(OLD, may_have_no_rows=after))
    assert [(change.level, change.where) for change in changes] == [(level, "may_have_no_rows")]
