"""Data dictionaries: whose they are, what the gate lets through, and that their tables stay short and narrow."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from data_contracts.dictionary import contract_dictionary
from data_contracts.disclosure import load_policy
from data_contracts.odcs import loads_contract
from data_contracts.read import feed_names, find_contract
from data_contracts.refusal import Refusal
from reports import tables
from reports.dictionaries import PLACE, dictionary, of_study
from reports.gate.dictionaries import judge_dictionaries
from reports.gate.verdict import WITHHELD, Ledger
from reports.release import Release, release
from reports.values import PLACE as RELEASE
from small_contract import SMALL
from synthetic_run import run_content, write_run

TABLE = "life_release_cohort"


def small(**changes: str) -> dict[str, Any]:
    text = SMALL
    for old, new in changes.items():
        text = text.replace(old, new)
    return contract_dictionary(loads_contract(text, name="small.odcs.yaml"))


def released(folder: Path, dictionaries: dict[str, Any] | None, **row: Any) -> Release:
    findings, evidence = run_content()
    evidence["tables"][0] |= row
    if dictionaries is not None:
        evidence["dictionaries"] = dictionaries
    return release(write_run(folder / "run", findings, evidence), load_policy("open_data"), folder / "rel")


def test_a_table_read_by_the_feeds_contract_has_the_feeds_dictionary(tmp_path: Path) -> None:
    found = released(tmp_path, {TABLE: contract_dictionary(find_contract(TABLE))})
    assert [(d.page, d.study) for d in of_study(found.values)] == [(TABLE, None)]
    assert f"dictionary.{TABLE}" in {item.key for item in found.items if item.verdict == "released"}


def test_a_table_read_by_another_contract_has_a_dictionary_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = contract_dictionary(find_contract(TABLE))
    changed["columns"][0]["meaning"] = "Something else."
    found = released(tmp_path, {TABLE: changed})
    assert [d.page for d in of_study(found.values)] == [f"baltimore_life-{TABLE}"]
    monkeypatch.setenv(RELEASE, str(found.folder))
    assert "Something else." in tables.columns(dictionary(TABLE, study="baltimore_life"))
    with pytest.raises(Refusal, match=TABLE):
        dictionary("life_release_cohor", study="baltimore_life")


def test_a_release_without_dictionaries_is_led_to_the_feed_only_where_the_table_is_alike(
    tmp_path: Path,
) -> None:
    contract = find_contract(TABLE)
    alike = {"grain": contract.grain, "controller": contract.controller}
    assert [d.page for d in of_study(released(tmp_path / "a", None, **alike).values)] == [TABLE]
    assert of_study(released(tmp_path / "b", None, **{**alike, "grain": "one prison"}).values) == []


def test_a_list_of_people_is_withheld_and_a_list_of_codes_is_not() -> None:
    ledger = Ledger()
    named = small()
    rows = {row["column"]: row for row in named["columns"]}
    rows["person"]["codes"] = [{"code": "AB1", "label": "Ann Bell"}]
    rows["person"]["values"] = "one of AB1 (Ann Bell)"
    rows["visits"]["codes"] = [{"code": "0", "label": "never"}]
    out = judge_dictionaries({"small": named}, ledger)
    assert "Ann Bell" not in str(out)
    judged = {row["column"]: row for row in out["small"]["columns"]}
    assert judged["person"]["values"] == WITHHELD
    assert judged["visits"]["codes"] == rows["visits"]["codes"]
    assert [(i.key, i.verdict) for i in ledger.items if i.verdict != "released"] == [
        ("dictionary.small.person", "withheld")
    ]


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("person", {"form": "of the pattern ^(BELL|DUNN)$"}),
        ("person", {"missing": "BELL = refused"}),
        ("person", {"sensitivity": "public", "role": "dimension", "codes": [{"code": "BELL", "label": ""}]}),
        ("visits", {"type": "string", "role": "never_published", "codes": [{"code": "BELL", "label": ""}]}),
    ],
)
def test_people_are_listed_in_no_part_of_a_column(column: str, change: dict[str, Any]) -> None:
    named = small()
    for row in named["columns"]:
        if row["column"] == column:
            row |= change
    named["facts"] = [fact for fact in named["facts"] if fact["label"] != "Person"]
    named["facts"].append({"label": "Person", "text": "person"})
    ledger = Ledger()
    assert "BELL" not in str(judge_dictionaries({"small": named}, ledger))
    assert [i.key for i in ledger.items if i.verdict == "withheld"] == [f"dictionary.small.{column}"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("small", {"rows": [["CANARY"]]}),
        ("small", {"title": ["CANARY"]}),
        ("small", {"facts": [{"label": "Grain", "text": "CANARY", "person": "CANARY"}]}),
        ("small", {"columns": [{"column": "CANARY"}]}),
        ("../CANARY", {}),
        ("small-CANARY", {}),
    ],
)
def test_a_dictionary_of_a_shape_that_the_gate_does_not_know_is_withheld(
    name: str, change: dict[str, Any]
) -> None:
    ledger = Ledger()
    assert judge_dictionaries({name: {**small(), **change}}, ledger) == {}
    assert [item.verdict for item in ledger.items] == ["withheld"]


def test_neighbours_that_say_the_same_share_a_row_and_a_list_of_codes() -> None:
    d = dictionary("srds_survey")
    assert tables.allowed(d).count("srds_") == 2
    assert tables.codes(d).count("<table>") == 1
    assert "Codes of srds_01 to srds_19" in tables.codes(d)
    assert tables.columns(d).count('scope="row"') == len(d.content["columns"])


@pytest.mark.parametrize("feed", feed_names())
def test_a_dictionary_says_everything_that_the_shell_says(feed: str) -> None:
    d = dictionary(feed)
    listed = " ".join(getattr(tables, name)(d) for name in ("rules", "breaks", "origins"))
    tabled = " ".join(
        getattr(tables, name)(d) for name in ("about", "columns", "allowed", "codes", "handling")
    )
    text = unescape(re.sub(r"\\(.)", r"\1", listed) + tabled).replace("\u2019", "'").lower()
    for fact in d.content["facts"]:
        if fact["label"] != "Title":
            assert fact["text"].replace("`", "").lower() in text, fact
    for c in d.content["columns"]:
        assert c["meaning"].replace("`", "").lower() in text
        for part in (c["header"], c["form"], c["missing"], *(e["label"] for e in c["codes"])):
            assert part.lower() in text, (c["column"], part)


def test_no_link_is_printed_to_a_page_that_the_site_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = released(tmp_path, {TABLE: contract_dictionary(find_contract(TABLE))})
    assert f"contracts/{TABLE}.html" in tables.data(found.values)
    monkeypatch.setenv(PLACE, str(tmp_path))
    assert "contracts" not in tables.data(found.values)
    assert tables.further() == ""
