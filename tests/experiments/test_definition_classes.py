"""The offence classes of shipped definitions against the published lists of classes."""

from __future__ import annotations

import pandas as pd
import pytest

from experiments.definitions.definition import counts_as, definition_names, find_definition


@pytest.mark.parametrize(
    ("name", "label", "code"),
    [
        ("violence_with_injury", "causing or allowing the death of a child or vulnerable person", "4/7"),
        ("serious_violence_strategy", "possession of firearms", "10B"),
    ],
)
def test_classes_that_earlier_versions_missed_are_counted(name: str, label: str, code: str) -> None:
    offence = pd.DataFrame({"offence_code": [code], "knife": [0.0]})
    assert counts_as(find_definition(name), offence, code="offence_code").tolist() == [True], label


# Names of the classes as published: Home Office Counting Rules, Violence against the Person (April 2010), and a
# code list of police recorded crime of about 2017. 8T is later than both.
PUBLISHED = {
    "1": "Murder",
    "4/1": "Manslaughter",
    "4/2": "Infanticide",
    "2": "Attempted murder",
    "3B": "Threats to kill",
    "4/3": "Intentional destruction of a viable unborn child",
    "4/7": "Causing or allowing death of child or vulnerable person",
    "5A": "Wounding or carrying out an act endangering life",
    "5B": "Use of substance or object to endanger life",
    "5C": "Possession of items to endanger life",
    "5D": "Assault with intent to cause serious harm",
    "5E": "Endangering life",
    "6": "Endangering railway passengers",
    "7": "Endangering life at sea",
    "8F": "Inflicting grievous bodily harm without intent",
    "8G": "Actual bodily harm and other injury",
    "8H": "Racially or religiously aggravated inflicting grievous bodily harm without intent",
    "8J": "Racially or religiously aggravated actual bodily harm and other injury",
    "8K": "Poisoning or female genital mutilation",
    "8N": "Assault with injury",
    "8P": "Racially or religiously aggravated assault with injury",
    "8S": "Assault with injury on a constable",
    "10A": "Possession of firearms with intent",
    "10B": "Possession of firearms offences",
    "10D": "Possession of article with blade or point",
    "81": "Other firearms offences",
    "17A": "Sexual assault on a male aged 13 and over",
    "17B": "Sexual assault on a male child under 13",
    "20A": "Sexual assault on a female aged 13 and over",
    "20B": "Sexual assault on a female child under 13",
    "19C": "Rape of a female aged 16 and over",
    "19D": "Rape of a female child under 16",
    "19E": "Rape of a female child under 13",
    "19F": "Rape of a male aged 16 and over",
    "19G": "Rape of a male child under 16",
    "19H": "Rape of a male child under 13",
    "34B": "Robbery of personal property",
}
NOT_FOUND = {"8T"}


@pytest.mark.parametrize("name", definition_names())
def test_every_class_is_a_published_one_or_said_not_to_be_found(name: str) -> None:
    definition = find_definition(name)
    classes = {code for part in (*definition.include, *definition.exclude) for code in part.classes}
    assert classes <= PUBLISHED.keys() | NOT_FOUND
    assert all(code in definition.source for code in classes & NOT_FOUND)
