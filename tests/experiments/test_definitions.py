"""Outcome definitions: what counts where, and one study under several of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from data_contracts.refusal import Refusal
from experiments.definitions.definition import (
    FOLDER,
    Definition,
    DefinitionRefused,
    Part,
    counts_as,
    definition_names,
    find_definition,
    fingerprint,
    pinned_definition,
)

OFFENCES = pd.DataFrame(
    {
        "person": ["a", "a", "a", "b", "b", "c", "c"],
        "offence_code": ["8N", "8n/1", "5D", "10D", "1", "4.1", "46"],
        "knife": [0.0, 1.0, 0.0, 1.0, float("nan"), 0.0, 1.0],
        "offence_date": pd.to_datetime(["2024-02-01"] * 7),
    }
)


def made(name: str) -> list[bool]:
    return [bool(v) for v in counts_as(find_definition(name), OFFENCES, code="offence_code")]


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("near_miss_homicide", [False, False, True, False, False, False, False]),
        ("homicide_or_near_miss", [False, False, True, False, True, True, False]),
        ("violence_with_injury", [True, True, True, False, False, False, False]),
        ("serious_violence_strategy", [False, True, False, True, True, True, True]),
        ("london_serious_violence", [True, True, True, False, True, True, False]),
        ("thames_valley_serious_violence", [False, True, True, True, True, True, True]),
    ],
)
def test_the_shipped_definitions_count_what_their_words_say(name: str, counted: list[bool]) -> None:
    assert made(name) == counted


@pytest.mark.parametrize("name", definition_names())
def test_a_definition_is_versioned_dated_and_sourced(name: str) -> None:
    definition = find_definition(name)
    assert definition.id == name
    assert len(definition.version.split(".")) == 3
    assert definition.date <= date.today()
    assert all((definition.locality, definition.words, definition.source, definition.reading))


def test_a_class_takes_its_sub_classes_and_a_sub_class_only_itself() -> None:
    codes = pd.DataFrame({"code": ["4", "4/1", "4/10", "04/1", "8N/2", "8"]})
    definition = Definition(
        id="x", label="x", version="1.0.0", date=date(2024, 1, 1), locality="x", words="x", source="x", reading="x",
        include=(Part(label="x", classes=("4/1", "8N")),),
    )  # fmt: skip
    assert counts_as(definition, codes, code="code").tolist() == [False, True, False, True, True, False]


def test_exclusions_and_unknown_conditions_do_not_count() -> None:
    definition = Definition(
        id="x", label="x", version="1.0.0", date=date(2024, 1, 1), locality="x", words="x", source="x", reading="x",
        include=(Part(label="x", when="knife == 1"),), exclude=(Part(label="burglary and theft", classes=("46",)),),
    )  # fmt: skip
    assert counts_as(definition, OFFENCES, code="offence_code").tolist() == [
        False,
        True,
        False,
        True,
        False,
        False,
        False,
    ]


def test_a_condition_on_a_flag_that_is_not_there_is_refused() -> None:
    with pytest.raises(DefinitionRefused, match="a condition on knife"):
        counts_as(
            find_definition("serious_violence_strategy"), OFFENCES.drop(columns="knife"), code="offence_code"
        )


def test_a_study_names_the_version_of_a_definition_and_no_other_serves() -> None:
    with pytest.raises(DefinitionRefused, match=r"our_list\.definition\.yaml beside the study"):
        find_definition("our_list")
    version = find_definition("near_miss_homicide").version
    assert pinned_definition(f"near_miss_homicide@{version}", where="x").version == version
    with pytest.raises(DefinitionRefused, match=f"near_miss_homicide@{version}"):
        pinned_definition("near_miss_homicide@0.0.1", where="x")


def test_a_fingerprint_moves_with_every_word_of_a_definition() -> None:
    definition = find_definition("near_miss_homicide")
    assert fingerprint(definition) == fingerprint(find_definition("near_miss_homicide"))
    assert fingerprint(definition) != fingerprint(replace(definition, reading="Otherwise."))
    assert fingerprint(definition) != fingerprint(replace(definition, include=definition.include[:1]))


def own_definition(folder: Path, reading: str = "As written.") -> None:
    text = (FOLDER / "near_miss_homicide.definition.yaml").read_text(encoding="utf-8")
    text = re.sub(
        r"(?s)^id: near_miss_homicide(.*)^reading: .*?^include",
        rf"id: ours\1reading: {reading}\ninclude",
        text,
        flags=re.M,
    )
    (folder / "ours.definition.yaml").write_text(text, encoding="utf-8")


def test_a_definition_of_ones_own_is_held_to_its_fingerprint_where_the_study_gives_it(tmp_path: Path) -> None:
    own_definition(tmp_path)
    version = find_definition("ours", tmp_path).version
    sha = fingerprint(find_definition("ours", tmp_path))
    for pin in (sha[:8], sha[:16], sha):
        assert pinned_definition(f"ours@{version}#{pin}", tmp_path, where="x").id == "ours"
    own_definition(tmp_path, reading="Otherwise.")
    assert pinned_definition(f"ours@{version}", tmp_path, where="x").reading == "Otherwise."
    with pytest.raises(DefinitionRefused, match="says something else under that version"):
        pinned_definition(f"ours@{version}#{sha[:16]}", tmp_path, where="x")


def test_a_registered_study_gives_the_fingerprint_of_a_definition_of_its_own(tmp_path: Path) -> None:
    own_definition(tmp_path)
    found = find_definition("ours", tmp_path)
    with pytest.raises(DefinitionRefused, match=rf"ours@{found.version}#{fingerprint(found)[:16]}"):
        pinned_definition(f"ours@{found.version}", tmp_path, where="x", registered=True)
    pinned_definition(f"ours@{found.version}#{fingerprint(found)[:16]}", tmp_path, where="x", registered=True)
    shipped = find_definition("near_miss_homicide")
    pinned_definition(f"near_miss_homicide@{shipped.version}", tmp_path, where="x", registered=True)


def test_a_local_definition_stands_beside_the_study(tmp_path: Path) -> None:
    shipped = (
        Path(__file__).resolve().parents[2]
        / "experiments"
        / "definitions"
        / "near_miss_homicide.definition.yaml"
    )
    text = shipped.read_text().replace("id: near_miss_homicide", "id: calder_violence")
    (tmp_path / "calder_violence.definition.yaml").write_text(text)
    assert find_definition("calder_violence", tmp_path).id == "calder_violence"
    (tmp_path / "calder_violence.definition.yaml").write_text(text.replace('["2"]', "[2]"))
    with pytest.raises(Refusal):
        find_definition("calder_violence", tmp_path)
    with pytest.raises(DefinitionRefused, match="Did you mean 'near_miss_homicide'"):
        find_definition("near_miss_homicides")
    with pytest.raises(DefinitionRefused):
        find_definition("../near_miss_homicide")


@pytest.mark.parametrize("name", definition_names())
def test_a_shipped_definition_changes_only_with_its_version(name: str) -> None:
    """A study names NAME@VERSION: the same name and version must say the same for ever.

    After a deliberate change, raise `version` and add a line to `definition_versions.json`; never edit one.
    """
    known = json.loads(Path(__file__).with_name("definition_versions.json").read_text(encoding="utf-8"))
    definition = find_definition(name)
    assert known.get(f"{name}@{definition.version}") == fingerprint(definition)
