"""A study's word that outcomes were unseen is held against the days on which its tables were extracted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from data_contracts.read import CheckedTable, find_contract
from evaluation.registered_first import registered_first
from experiments.load import find_study, load_protocol
from experiments.protocol import Protocol
from experiments.registration import Amendment, Registration

REGISTERED = date(2024, 3, 1)
STUDY = load_protocol(find_study("mentoring_rehearsal"))


def study(*amendments: tuple[date, bool]) -> Protocol:
    registration = Registration(
        status="registered", outcome_data_seen=False, note="For the test.", where="ISRCTN00000000",
        date=REGISTERED, protocol="x.yaml", sha256="0" * 64,
    )  # fmt: skip
    return replace(
        STUDY,
        registration=registration,
        amendments=tuple(
            Amendment(
                date=day, path="outcomes.violence.follow_up_days", reason="Asked.", outcome_data_seen=seen
            )
            for day, seen in amendments
        ),
    )


def tables(**extracted: date | None) -> dict[str, CheckedTable]:
    """The study's tables, all extracted late but for those named."""
    return {
        name: CheckedTable(
            contract=find_contract(name),
            frame=pd.DataFrame(),
            sha256="0" * 64,
            rows=0,
            source="x",
            extracted=extracted.get(name, date(2025, 6, 1)),
            provisional=False,
        )
        for name in STUDY.tables
    }


@pytest.mark.parametrize(
    ("amendments", "extracted", "verdict"),
    [
        ((), {}, "met"),
        ((), {"offences": date(2024, 3, 1)}, "not met"),
        ((), {"offences": date(2024, 3, 2)}, "met"),
        ((), {"custody_spells": date(2020, 1, 1)}, "not met"),
        ((), {"allocation": date(2020, 1, 1), "participants": date(2020, 1, 1)}, "met"),
        ((), {"sdq_survey": None}, "not assessed"),
        (((date(2025, 7, 1), False),), {}, "not met"),
        (((date(2025, 7, 1), True),), {}, "met"),
    ],
)
def test_what_could_have_been_seen_is_told(amendments: Any, extracted: Any, verdict: str) -> None:
    (check,) = registered_first(study(*amendments), tables(**extracted))
    assert check.verdict == verdict
    assert not any(figure in check.note for figure in "0123456789")
    if verdict == "not met" and extracted:
        assert next(iter(extracted)).replace("_", " ") in check.note


def test_nothing_is_asked_of_a_study_that_was_not_registered() -> None:
    assert registered_first(STUDY, tables(offences=date(2000, 1, 1))) == []
