"""A result under several definitions: what may be printed, what the page says of it, and what is provisional."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_contracts.disclosure import DisclosurePolicy, default_policy, load_policy
from reports import tables
from reports.figures import draw_or_none
from reports.gate.verdict import PROVISIONAL, WITHHELD
from reports.release import Release, release
from synthetic_definitions import NEAR, OWN, WIDE, content, definition
from synthetic_run import ARMS, run_content, write_run

OPEN = load_policy("open_data")


def made(tmp_path: Path, *parts: Any, policy: DisclosurePolicy = OPEN) -> Release:
    return release(write_run(tmp_path / "run", *parts), policy, tmp_path / "release")


@pytest.mark.parametrize(
    ("people", "zeros", "printed"),
    [
        (9, False, False),
        (10, False, True),
        (1, True, False),
        (0, True, False),
        (0, False, True),
        (216, True, True),
    ],
)
def test_a_definition_that_tells_a_few_people_apart_from_a_released_one_is_withheld(
    tmp_path: Path, people: int, zeros: bool, printed: bool
) -> None:
    """Nobody told apart says that the two hold the same people: the owner's policy decides whether that is told."""
    policy = replace(OPEN, zeros_disclosive=zeros)
    found = made(tmp_path, *content(definition(WIDE, apart={OWN: people})), policy=policy)
    assert (found.values(f"estimate.primary.{WIDE}.value") != WITHHELD) is printed
    table = tables.by_definition(found.values)
    assert ("60 of 216" in table.split(WIDE.replace("_", " ").capitalize())[1]) is printed
    assert found.values("primary.value") != WITHHELD


def test_a_third_definition_is_held_against_those_that_are_out_and_not_against_a_withheld_one(
    tmp_path: Path,
) -> None:
    kept_back = definition(WIDE, apart={OWN: 3})
    near = definition(NEAR, apart={OWN: 40, WIDE: 2})
    found = made(tmp_path, *content(kept_back, near))
    assert found.values(f"estimate.primary.{WIDE}.value") == WITHHELD
    assert found.values(f"estimate.primary.{NEAR}.value") != WITHHELD
    both = made(tmp_path / "2", *content(definition(WIDE, apart={OWN: 30}), near))
    assert both.values(f"estimate.primary.{WIDE}.value") != WITHHELD
    assert both.values(f"estimate.primary.{NEAR}.value") == WITHHELD


def test_the_number_of_people_told_apart_is_in_no_file(tmp_path: Path) -> None:
    found = made(tmp_path, *content(definition(WIDE, apart={OWN: 137})))
    text = "".join(path.read_text(encoding="utf-8") for path in found.folder.iterdir())
    assert "137" not in json.dumps(found.record["definitions"]) and '"apart"' not in text


def test_rare_events_under_a_definition_are_withheld_like_any_other(tmp_path: Path) -> None:
    rare = definition(NEAR, events=4, apart={OWN: 50})
    findings, evidence = content(rare)
    findings["estimates"][-1]["extra"]["behind"] = [
        {"arm": arm, "people": 216, "events": 4.0, "clusters": None} for arm in ARMS
    ]
    found = made(tmp_path, findings, evidence)
    assert found.values(f"estimate.primary.{NEAR}.value") == WITHHELD
    assert "4 of 216" not in tables.by_definition(found.values)


def test_a_definition_without_an_estimate_is_marked_like_a_withheld_one(tmp_path: Path) -> None:
    findings, evidence = content(definition(NEAR, apart={OWN: 50}))
    findings["estimates"].pop()
    found = made(tmp_path, findings, evidence)
    row = tables.by_definition(found.values).split("Near miss homicide")[1]
    assert row.count(WITHHELD) == 3
    assert draw_or_none("definitions", found.values) is None


def test_parts_that_the_gate_does_not_know_are_withheld(tmp_path: Path) -> None:
    odd = definition(WIDE, apart={OWN: 50}) | {"names": ["somebody"]}
    findings, evidence = content(odd)
    found = made(tmp_path, findings, evidence)
    assert found.values(f"estimate.primary.{WIDE}.value") == WITHHELD
    assert [row["id"] for row in found.record["definitions"]] == [OWN]
    assert "somebody" not in "".join(p.read_text(encoding="utf-8") for p in found.folder.iterdir())


@pytest.mark.parametrize(
    ("value", "reach", "said"),
    [
        (-0.083, 0.05, "does not hang on the definition: the one other definition"),
        (-0.083, 0.2, "hangs on the definition"),
        (0.083, 0.05, "hangs on the definition"),
    ],
)
def test_the_page_says_whether_the_answer_hangs_on_the_definition(
    tmp_path: Path, value: float, reach: float, said: str
) -> None:
    """The study's own interval here excludes no effect, from below."""
    findings, evidence = content(definition(WIDE, apart={OWN: 50}), value=value, reach=reach)
    findings["estimates"][0]["interval"] |= {"low": -0.16, "high": -0.001}
    found = made(tmp_path, findings, evidence)
    sentence = found.values("definitions.sentence")
    assert said in sentence and "do not replace it" in sentence


def test_a_withheld_definition_is_said_and_never_counted_as_agreeing(tmp_path: Path) -> None:
    others = (definition(WIDE, apart={OWN: 50}), definition(NEAR, apart={OWN: 50, WIDE: 2}))
    sentence = made(tmp_path, *content(*others, reach=0.05)).values("definitions.sentence")
    assert "the one other definition that could be shown" in sentence
    assert "Under one more no result could be printed without showing a few people" in sentence


def test_other_definitions_are_no_analyses_of_the_primary_question(tmp_path: Path) -> None:
    plain = made(tmp_path, *run_content()).values
    wider = made(tmp_path / "2", *content(definition(WIDE, apart={OWN: 50}))).values
    assert wider("agreement.count") == plain("agreement.count")
    assert tables.analyses(wider) == tables.analyses(plain)
    assert tables.secondary(wider) == tables.secondary(plain)
    assert tables.glance(wider) == tables.glance(plain)
    assert "counted as london serious violence" in wider(f"estimate.primary.{WIDE}.label")


def test_a_result_under_another_definition_stands_beside_what_was_seen_under_it(tmp_path: Path) -> None:
    wider = definition(WIDE, apart={OWN: 50})
    for row, events in zip(wider["arms"], (30, 54), strict=True):
        row["events"] = float(events)
    v = made(tmp_path, *content(wider)).values
    assert "30 of 216" in v(f"estimate.primary.{WIDE}.in_figures")
    assert "54 of 216" in v(f"estimate.primary.{WIDE}.in_figures")
    assert v("primary.in_figures") == made(tmp_path / "2", *run_content()).values("primary.in_figures")


def test_a_study_without_definitions_says_so(tmp_path: Path) -> None:
    v = made(tmp_path, *run_content()).values
    assert "no other definition to try" in v("definitions.sentence")
    assert tables.by_definition(v) == tables.definitions(v) == ""


def test_a_study_with_one_definition_says_where_its_words_are(tmp_path: Path) -> None:
    v = made(tmp_path, *content()).values
    assert "one definition, given under methods" in v("definitions.sentence")
    assert tables.by_definition(v) == "" and OWN in tables.definitions(v)
    methods = (Path(tables.__file__).parents[1] / "sections" / "_90_methods.qmd").read_text(encoding="utf-8")
    assert "tables.definitions(v)" in methods


def test_the_figure_says_its_numbers_in_words(tmp_path: Path) -> None:
    picture = draw_or_none("definitions", made(tmp_path, *content(definition(WIDE, apart={OWN: 50}))).values)
    assert picture is not None
    assert "London serious violence" in picture.alt and "confidence interval" in picture.alt


def test_every_number_of_an_outcome_that_rests_on_a_provisional_table_is_marked(tmp_path: Path) -> None:
    findings, evidence = run_content()
    evidence["tables"][0]["provisional"] = True
    found = made(tmp_path, findings, evidence, policy=default_policy())
    v = found.values
    for key in (
        "primary.value", "primary.interval", "primary.full", "primary.answer", "primary.caution", "primary.in_figures",
        "study.people", "outcome.rearrest.no_aid.summary",
    ):  # fmt: skip
        assert v(key).removesuffix(".").endswith(PROVISIONAL), key
    for text in (
        tables.flow(v),
        tables.balance(v),
        tables.attrition(v),
        tables.glance(v),
        tables.analyses(v),
    ):
        assert PROVISIONAL in text
    assert PROVISIONAL in draw_or_none("primary", v).caption  # type: ignore[union-attr]
    assert "provisional" in tables.withheld(v)


def test_a_final_table_marks_nothing_and_a_withheld_number_keeps_its_own_mark(tmp_path: Path) -> None:
    v = made(tmp_path, *run_content()).values
    assert not [key for key, text in v.texts.items() if PROVISIONAL in text]
    findings, evidence = run_content(people=(41, 43), events=(9, 17))
    evidence["tables"][0]["provisional"] = True
    hidden = made(tmp_path / "2", findings, evidence).values
    assert hidden("primary.value") == WITHHELD and PROVISIONAL not in hidden("primary.answer")


def test_breaks_in_recording_stand_on_the_page_with_the_studys_answer(tmp_path: Path) -> None:
    findings, evidence = run_content()
    assert tables.recording(made(tmp_path, findings, evidence).values) == ""
    evidence["protocol"]["recording_breaks"] = {"ecds_2017": "Both arms alike."}
    shown = tables.recording(made(tmp_path / "2", findings, evidence).values)
    assert "Both arms alike." in shown and "2017" in shown


def test_an_outcome_of_a_final_table_is_not_marked_for_another_that_is_provisional(tmp_path: Path) -> None:
    findings, evidence = run_content()
    evidence["tables"].append({**evidence["tables"][0], "name": "hospital", "provisional": True})
    evidence["sources"]["time_to_rearrest"] = ["life_release_cohort", "hospital"]
    v = made(tmp_path, findings, evidence).values
    assert not v("primary.value").endswith(PROVISIONAL)
    assert v("estimate.time_adjusted.value").endswith(PROVISIONAL)


def test_every_table_that_rests_on_provisional_rows_is_marked(tmp_path: Path) -> None:
    findings, evidence = run_content()
    evidence["tables"].append({**evidence["tables"][0], "name": "search", "provisional": True})
    evidence["links"] = [
        {"table": "search", "on": "person", "arm": arm, "units": n, "matched": m, "unmatched": n - m, "match_rate": m / n}
        for arm, n, m in ((None, 432, 390), (ARMS[0], 216, 200), (ARMS[1], 216, 190))
    ]  # fmt: skip
    findings["checks"].append(
        {"name": "match_rate:search", "question": "?", "verdict": "met", "statistic": 0.05, "note": "Alike."}
    )
    v = made(tmp_path, findings, evidence).values
    assert tables.links(v).count(PROVISIONAL) == 3 and tables.data(v).count(PROVISIONAL) == 1
    assert v("check.match_rate:search.statistic").endswith(PROVISIONAL)
    assert PROVISIONAL not in v("check.attrition.statistic") + tables.belief(v)
    evidence["tables"][0]["provisional"] = True
    loose = made(tmp_path / "2", findings, evidence).values
    assert loose("check.attrition.statistic").endswith(PROVISIONAL)
    assert PROVISIONAL in tables.belief(loose) and PROVISIONAL in tables.prior_sensitivity(loose)


def test_a_bayesian_main_analysis_is_told_once_and_not_under_every_definition(tmp_path: Path) -> None:
    findings, evidence = content(definition(WIDE, apart={OWN: 50}))
    findings["estimates"][-1]["interval"]["kind"] = "credible"
    v = made(tmp_path, findings, evidence).values
    assert tables.belief(v) == tables.belief(made(tmp_path / "2", *run_content()).values)


def test_a_check_that_could_not_be_assessed_is_not_among_all_that_were_met(tmp_path: Path) -> None:
    findings, evidence = run_content()
    assert made(tmp_path, findings, evidence).values("checks.summary") == "All checks were met."
    findings["checks"].append({**findings["checks"][0], "name": "third", "verdict": "not assessed"})
    said = made(tmp_path / "2", findings, evidence).values("checks.summary")
    assert said == "All checks that could be assessed were met; one could not be assessed."


def test_a_registered_page_says_what_was_named_or_could_be_seen_before(tmp_path: Path) -> None:
    findings, evidence = content(
        definition(WIDE, apart={OWN: 50}), definition(NEAR, apart={OWN: 50, WIDE: 50})
    )
    evidence["protocol"]["registration"] |= {"status": "registered", "where": "ISRCTN", "date": "2026-01-02"}
    for row in findings["estimates"]:
        row["registered"] = row["extra"].get("definition") != WIDE
    v = made(tmp_path, findings, evidence).values
    assert "Named only after registration, and exploratory: London serious violence." in v(
        "definitions.sentence"
    ).replace("london", "London")
    assert "before outcome data were seen" in v("study.status_sentence")
    findings["checks"].append(
        {
            "name": "registered_first",
            "question": "?",
            "verdict": "not met",
            "statistic": None,
            "note": "Before.",
        }
    )
    seen = made(tmp_path / "2", findings, evidence).values("study.status_sentence")
    assert "before outcome data were seen" not in seen and "had been extracted" in seen
