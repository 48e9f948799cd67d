"""Totals, times at risk, degrees of freedom and notes: none tells a count that the gate withheld beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_contracts.disclosure import DisclosurePolicy, default_policy, load_policy
from reports.gate.counts import PeopleCounts
from reports.gate.links import judge_links
from reports.gate.participants import judge_summary
from reports.gate.verdict import WITHHELD, Ledger
from reports.release import Release, release
from synthetic_run import ARMS, run_content, write_run

OPEN = load_policy("open_data")
EXACT = replace(OPEN, zeros_disclosive=True)


def made(tmp_path: Path, *parts: Any, policy: DisclosurePolicy) -> Release:
    return release(write_run(tmp_path / "run", *parts), policy, tmp_path / "release")


def searched(matched: tuple[int, int], units: int = 216, strangers: int = 0) -> list[dict[str, Any]]:
    """The audit of a table with one row to everybody who was found, and to some strangers."""
    arms = [(arm, units, found) for arm, found in zip(ARMS, matched, strict=True)]
    head = {"table": "search", "on": "person"}
    rows = [
        {**head, "arm": arm, "units": n, "matched": found, "unmatched": n - found, "match_rate": found / n}
        for arm, n, found in [(None, 2 * units, sum(matched)), *arms]
    ]
    keys = sum(matched) + strangers
    rows[0] |= {"rows_in": keys, "keys_unique": keys, "keys_missing": 0, "rows_of_nobody": strangers}
    return rows


@pytest.mark.parametrize("policy", [EXACT, default_policy()])
def test_the_size_of_a_table_does_not_give_an_arm_that_is_withheld(policy: DisclosurePolicy) -> None:
    """213 of 216 were found in one arm: keys less those of the other arm would say so."""
    people = PeopleCounts(policy)
    for arm in ARMS:
        people.refusal(arm, 216)
    whole, *arms = judge_links(searched((213, 200)), people, Ledger())
    if policy.rounding_base == 1:
        assert arms[0]["matched"] == WITHHELD and arms[1]["matched"] == 200
        assert whole["keys_unique"] == whole["rows_in"] == WITHHELD
    assert 413 not in whole.values()


def test_keys_less_those_of_the_roster_do_not_count_a_few_strangers() -> None:
    whole = judge_links(searched((200, 190), strangers=5), PeopleCounts(EXACT), Ledger())[0]
    assert whole["matched"] == 390
    assert whole["keys_unique"] == whole["rows_in"] == whole["rows_of_nobody"] == WITHHELD


def test_those_who_were_not_found_do_not_give_those_who_were() -> None:
    """206 of 216 were found and 204 measured: 216 less ten less 204 are the two in custody throughout."""
    people = PeopleCounts(EXACT)
    for arm in ARMS:
        people.refusal(arm, 216)
        people.refusal(arm, 204)
    _, *arms = judge_links(searched((206, 206)), people, Ledger())
    assert [row["unmatched"] for row in arms] == [row["matched"] for row in arms] == [WITHHELD, WITHHELD]


def test_those_who_were_lost_do_not_give_those_who_were_measured(tmp_path: Path) -> None:
    """A secondary outcome was measured for 202: 216 less the twelve lost would be 204, and two people more."""
    findings, evidence = run_content(observed=(204, 204))
    for row in findings["flow"][3:]:
        row["people"] = 202
    found = made(tmp_path, findings, evidence, policy=EXACT)
    rows = next(check for check in found.record["checks"] if check["name"] == "attrition")["rows"]
    assert [row["lost"] for row in rows] == [row["share_lost"] for row in rows] == [WITHHELD, WITHHELD]
    plain = made(tmp_path / "2", *run_content(observed=(204, 204)), policy=EXACT).record["checks"]
    assert next(c for c in plain if c["name"] == "attrition")["rows"][0]["lost"] == 12


@pytest.mark.parametrize(("kind", "part"), [("binary", "events"), ("count", "exposure")])
@pytest.mark.parametrize(("seen", "printed"), [(214, False), (206, True), (205, True)])
def test_what_goes_with_a_withheld_count_of_people_measured_goes_with_it(
    kind: str, part: str, seen: int, printed: bool
) -> None:
    """A year for each of 214 is 78,110 days: 216 less that is the two whose outcome is not known."""
    people = PeopleCounts(EXACT)
    people.refusal("aid", 216)
    row = {
        "outcome": "violence", "arm": "aid", "people": 216, "observed": seen, "events": 60.0, "mean": 0.3, "sd": None,
        "exposure": 365.0 * seen if kind == "count" else None,
    }  # fmt: skip
    found = judge_summary(row, kind, people, Ledger(), "outcome.violence.aid")
    assert (found["observed"] == seen) is (found[part] != WITHHELD) is printed


def test_a_table_of_everybody_who_was_found_still_prints_its_size() -> None:
    whole = judge_links(searched((200, 190)), PeopleCounts(OPEN), Ledger())[0]
    assert (whole["matched"], whole["keys_unique"], whole["rows_of_nobody"]) == (390, 390, 0)


def test_time_at_risk_does_not_tell_the_exact_number_of_like_windows() -> None:
    """A year each: 78,800 days are 216 people and 78,500 are 215, whose rounded counts are the same."""

    def days(seen: int, policy: DisclosurePolicy) -> float:
        row = {
            "outcome": "violence", "arm": "aid", "people": 216, "observed": seen, "events": 120.0, "mean": 0.5,
            "sd": 1.0, "exposure": 365.0 * seen,
        }  # fmt: skip
        found = judge_summary(row, "count", PeopleCounts(policy), Ledger(), "outcome.violence.aid")
        return float(found["exposure"])

    assert days(216, default_policy()) == days(215, default_policy()) == days(213, default_policy())
    assert (days(216, OPEN), days(206, OPEN)) == (78_800.0, 75_200.0)


def test_degrees_of_freedom_are_rounded_where_counts_are(tmp_path: Path) -> None:
    """People less parameters is a count of people: two outcomes with 427 and 425 would show two."""
    findings, evidence = run_content()
    first = findings["estimates"][0]
    first["extra"]["joint_test"] = {"f": 1.2, "numerator_df": 1, "denominator_df": 423.0, "p_value": 0.3}
    first["extra"]["first_stage"] = {"f": 30.0, "df": [1, 423.0], "p_value": 0.001}
    primary, adjusted, *_ = made(tmp_path, findings, evidence, policy=default_policy()).record["estimates"]
    assert (primary["df"], adjusted["df"]) == (425.0, 420.0)
    assert primary["extra"]["joint_test"]["numerator_df"] == 1
    assert primary["extra"]["joint_test"]["denominator_df"] == 425.0
    assert primary["extra"]["first_stage"]["df"] == [1, 425.0]
    exact = made(tmp_path / "2", findings, evidence, policy=OPEN).record["estimates"]
    assert exact[1]["df"] == 418.0 and exact[0]["extra"]["joint_test"]["denominator_df"] == 423.0


@pytest.mark.parametrize(("matched", "told"), [((216, 216), False), ((200, 190), True)])
def test_the_note_of_a_match_rate_does_not_say_that_nobody_was_missed(
    tmp_path: Path, matched: tuple[int, int], told: bool
) -> None:
    findings, evidence = run_content()
    evidence["links"] = searched(matched)
    findings["checks"].append(
        {
            "name": "match_rate:search",
            "question": "?",
            "verdict": "met",
            "statistic": 0.0,
            "note": "The same.",
        }
    )
    found = made(tmp_path, findings, evidence, policy=default_policy())
    assert (found.values("check.match_rate:search.note") == "The same.") is told
    assert found.record["links"][1]["unmatched"] == (15 if told else WITHHELD)


def test_the_note_on_balance_names_no_covariate_that_is_withheld(tmp_path: Path) -> None:
    """'Recorded for fewer than two people in an arm' is a count of nobody, or of one."""
    findings, evidence = run_content()
    for row in evidence["checks"]["balance"]:
        if row["covariate"] == "married":
            row |= {"n": 1, "mean": 1.0, "sd": None}
    note = "Largest for work_experience. Recorded for fewer than two people in an arm: married."
    findings["checks"][0] |= {"verdict": "not assessed", "note": note}
    found = made(tmp_path, findings, evidence, policy=EXACT)
    assert found.values("check.balance.note") == WITHHELD
    assert "fewer than two" not in "".join(p.read_text(encoding="utf-8") for p in found.folder.iterdir())
    plain = made(tmp_path / "2", *run_content(), policy=EXACT)
    assert plain.values("check.balance.note") == "Largest for work_experience."
