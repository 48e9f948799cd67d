"""A study from raw tables to findings: the invented mentoring trial, counted again with plain pandas from its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from data_contracts.derive.sdq import ITEMS
from data_contracts.read import find_contract
from data_contracts.read_folder import read_folder
from data_contracts.refusal import Refusal
from data_contracts.table import Dtype
from desist.dry_run import write_dry_run
from evaluation.derived import with_derived
from evaluation.describe import AGREED
from evaluation.links import link_audit, link_checks, stranger_checks
from evaluation.measure import measure
from evaluation.plan import make_plan
from evaluation.roster import SampleRefused, build_roster
from evaluation.run import Result, run_study
from experiments.load import find_study, protocol_from
from experiments.protocol import ProtocolRefused, declared
from small_tables import contract, study

STUDY = find_study("mentoring_rehearsal")
SETTLED = ("found", "no_record")
EXTRACTED = pd.Timestamp("2024-12-31")
"""Early enough that, with ninety days for recording, many people's year is not over."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mentoring") / "data"
    write_dry_run(STUDY, folder, rows=600, seed=20260707)
    offences = folder / "offences.csv"
    frame = pd.read_csv(offences, dtype=str, keep_default_na=False)
    late = (frame["offence_date"] > str(EXTRACTED.date())) | (frame["disposal_date"] > str(EXTRACTED.date()))
    frame[~late].to_csv(offences, index=False)
    vintage = folder / "offences.vintage.yaml"
    said = yaml.safe_load(vintage.read_text()) | {"extracted": EXTRACTED.date()}
    vintage.write_text(yaml.safe_dump(said))
    return folder


@pytest.fixture(scope="module")
def result(data: Path) -> Result:
    return run_study(STUDY, data)


def csv(data: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(data / f"{name}.csv", dtype={"person": str, "offence_code": str})


def days(start: pd.Timestamp, number: int) -> list[pd.Timestamp]:
    return [start + pd.Timedelta(days=i) for i in range(number)]


WITH_INJURY = {
    "2", "4/3", "4/7", "5A", "5B", "5C", "5D", "5E", "6", "7", "8F", "8G", "8H", "8J", "8K", "8N", "8P", "8S", "8T"
}  # fmt: skip
LONDON = {
    "1", "4/1", "4/2", "5D", "5A", "8F", "8H", "8N", "8P", "8S", "8T", "8G", "8J", "19C", "19D", "19E", "19F", "19G",
    "19H", "17A", "17B", "20A", "20B", "34B", "3B",
}  # fmt: skip
STRATEGY = {"1", "4/1", "4/2", "10D", "10A", "10B", "81"}
COUNTS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "violence_with_injury": lambda offence: offence["offence_code"] in WITH_INJURY,
    "london_serious_violence": lambda offence: offence["offence_code"] in LONDON,
    "serious_violence_strategy": lambda offence: offence["offence_code"] in STRATEGY or offence["knife"] == 1,
    "near_miss_homicide": lambda offence: offence["offence_code"] in {"2", "5D", "5A"},
}


@pytest.fixture(scope="module")
def clerk(data: Path) -> pd.DataFrame:
    """A row for each person: arm, whether known, days at liberty, and the count under each definition."""
    allocation, offences = csv(data, "allocation"), csv(data, "offences")
    stays, search = csv(data, "custody_spells"), csv(data, "identity_search")
    found = set(search.loc[search["result"].isin(SETTLED), "person"]) & agreed(data)
    until = EXTRACTED - pd.Timedelta(days=90)
    of_person = {who: rows.to_dict("records") for who, rows in offences.groupby("person")}
    inside = {who: rows.to_dict("records") for who, rows in stays.groupby("person")}
    out = []
    for person in allocation.to_dict("records"):
        window = days(pd.Timestamp(person["allocation_date"]) + pd.Timedelta(days=1), 365)
        locked = set()
        for stay in inside.get(person["person"], []):
            gone = pd.isna(stay["released"])
            end = window[-1] + pd.Timedelta(days=1) if gone else pd.Timestamp(stay["released"])
            locked |= {day for day in window if pd.Timestamp(stay["entered"]) <= day < end}
        at_liberty = len(window) - len(locked)
        known = person["person"] in found and window[-1] <= until and at_liberty > 0
        dated = [o for o in of_person.get(person["person"], []) if pd.Timestamp(o["offence_date"]) in window]
        counts = {name: sum(takes(o) for o in dated) for name, takes in COUNTS.items()}
        out.append(
            {"person": person["person"], "arm": person["arm"], "known": known, "days": at_liberty, **counts}
        )
    return pd.DataFrame(out).set_index("person")


def agreed(data: Path) -> set[str]:
    """The people of whom outcomes may be read."""
    people = csv(data, "participants")
    return set(people.loc[people["consent"] == "given", "person"])


def estimate(result: Result, analysis: str, definition: str | None = None) -> dict[str, Any]:
    (found,) = [
        row
        for row in result.findings.findings["estimates"]
        if row["extra"]["analysis"] == analysis and row["extra"].get("definition") == definition
    ]
    return found


def test_the_files_try_every_reason_for_a_missing_outcome(data: Path, clerk: pd.DataFrame) -> None:
    search = csv(data, "identity_search")
    refused = ~clerk.index.isin(agreed(data))
    unfound = ~clerk.index.isin(search.loc[search["result"].isin(SETTLED), "person"]) | refused
    started = csv(data, "allocation").set_index("person")["allocation_date"].pipe(pd.to_datetime)
    late = (started + pd.Timedelta(days=365) > EXTRACTED - pd.Timedelta(days=90)).to_numpy()
    throughout = (clerk["days"] == 0).to_numpy()
    assert refused.sum() > 10 and unfound.sum() > 20 and late.sum() > 100 and throughout.sum() > 0
    assert clerk["known"].sum() == (~unfound & ~late & ~throughout).sum() > 200


@pytest.mark.parametrize("definition", list(COUNTS))
def test_the_counts_of_each_arm_are_those_of_a_clerk_with_the_files(
    result: Result, clerk: pd.DataFrame, definition: str
) -> None:
    own = definition == "violence_with_injury"
    known = clerk[clerk["known"]]
    (shown,) = [d for d in result.findings.evidence["definitions"] if d["id"] == definition]
    behind = {
        row["arm"]: row for row in estimate(result, "primary", None if own else definition)["extra"]["behind"]
    }
    for row in shown["arms"]:
        arm = known[known["arm"] == row["arm"]]
        assert row["people"] == (clerk["arm"] == row["arm"]).sum()
        assert row["observed"] == behind[row["arm"]]["people"] == len(arm)
        assert row["events"] == behind[row["arm"]]["events"] == arm[definition].sum()
        assert row["exposure"] == pytest.approx(arm["days"].sum() / 365.25, rel=1e-12)
        assert row["mean"] == pytest.approx(arm[definition].mean(), rel=1e-12)
        assert row["sd"] == pytest.approx(arm[definition].std(), rel=1e-9)
    for pair in shown["apart"]:
        arm = known[known["arm"] == pair["arm"]]
        assert pair["people"] == (arm[definition] != arm[pair["against"]]).sum()
    assert len(shown["apart"]) == 2 * list(COUNTS).index(definition)


def test_the_flow_and_attrition_count_people_without_an_outcome(
    result: Result, clerk: pd.DataFrame, data: Path
) -> None:
    flow = {(row["stage"], row["arm"]): row["people"] for row in result.findings.findings["flow"]}
    for arm in ("mentoring", "usual"):
        of_arm = clerk[clerk["arm"] == arm]
        assert flow["randomised", arm] == len(of_arm)
        assert flow[AGREED, arm] == of_arm.index.isin(agreed(data)).sum() < len(of_arm)
        assert flow["primary outcome measured", arm] == of_arm["known"].sum()
        assert flow["in the primary analysis", arm] == of_arm["known"].sum()
    lost = {row["arm"]: row["lost"] for row in result.findings.evidence["checks"]["attrition"]}
    assert lost == (~clerk["known"]).groupby(clerk["arm"]).sum().to_dict()


@pytest.fixture(scope="module")
def plain(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The study without blocks and covariates, so that its effects can be had by dividing and subtracting."""
    protocol = yaml.safe_load(STUDY.read_text())
    protocol["analyses"]["primary"] |= {"covariates": [], "model": "poisson"}
    protocol["design"] = {"scheme": "complete"}
    changed = tmp_path_factory.mktemp("plain") / "mentoring_rehearsal.yaml"
    changed.write_text(yaml.safe_dump(protocol))
    return run_study(changed, data)


def test_the_rate_ratio_of_each_definition_is_that_of_the_clerk(plain: Result, clerk: pd.DataFrame) -> None:
    """A Poisson model with the arm alone is the ratio of the two rates."""
    for definition in COUNTS:
        own = definition == "violence_with_injury"
        totals = clerk[clerk["known"]].groupby("arm")[[definition, "days"]].sum()
        rate = totals[definition] / totals["days"]
        found = estimate(plain, "primary", None if own else definition)
        assert found["value"] == pytest.approx(rate["mentoring"] / rate["usual"], rel=1e-9)


def test_proven_reoffending_is_that_of_a_clerk_with_the_files(plain: Result, data: Path) -> None:
    allocation, offences, search = (
        csv(data, "allocation"),
        csv(data, "offences"),
        csv(data, "identity_search"),
    )
    found = set(search.loc[search["result"].isin(SETTLED), "person"]) & agreed(data)
    proven = offences[
        ~offences["disposal"].isin(["pending", "no_further_action", "community_resolution", "outcome_22"])
    ]
    rows = []
    for person in allocation.to_dict("records"):
        index = pd.Timestamp(person["allocation_date"])
        year, wait = index + pd.DateOffset(years=1), index + pd.DateOffset(months=18)
        own = proven[proven["person"] == person["person"]]
        on, decided = pd.to_datetime(own["offence_date"]), pd.to_datetime(own["disposal_date"])
        hit = ((on >= index) & (on < year) & (decided >= index) & (decided < wait)).any()
        known = person["person"] in found and wait - pd.Timedelta(days=1) <= EXTRACTED
        rows.append({"arm": person["arm"], "known": known, "hit": hit})
    frame = pd.DataFrame(rows)
    known = frame[frame["known"]]
    share = known.groupby("arm")["hit"].mean()
    behind = estimate(plain, "proven")
    assert behind["value"] == pytest.approx(share["mentoring"] - share["usual"], abs=1e-12)
    for row in behind["extra"]["behind"]:
        assert row["people"] == (known["arm"] == row["arm"]).sum()
        assert row["events"] == known.loc[known["arm"] == row["arm"], "hit"].sum()


def test_a_table_of_events_is_not_judged_by_who_has_rows(result: Result, data: Path) -> None:
    checks = {c["name"]: c for c in result.findings.findings["checks"] if c["name"].startswith("match_rate")}
    assert set(checks) == {
        "match_rate:participants", "match_rate:identity_search", "match_rate:sdq_survey", "match_rate:srds_survey",
        "match_rate:custody_spells",
    }  # fmt: skip
    assert checks["match_rate:custody_spells"]["verdict"] == "not assessed"
    search, allocation = csv(data, "identity_search"), csv(data, "allocation")
    found = allocation["person"].isin(search.loc[search["result"].isin(SETTLED), "person"])
    rates = found.groupby(allocation["arm"]).mean()
    assert checks["match_rate:identity_search"]["statistic"] == pytest.approx(
        abs(rates.diff().iloc[-1]), abs=1e-12
    )
    links = {(row["table"], row["arm"]): row for row in result.findings.evidence["links"]}
    assert links["identity_search", None]["matched"] == found.sum()
    assert not {"offences", "custody_spells"} & {table for table, _ in links}


def test_rows_that_belong_to_nobody_are_told_and_counted_for_nobody(
    result: Result, data: Path, tmp_path: Path
) -> None:
    checks = {c["name"]: c["verdict"] for c in result.findings.findings["checks"]}
    assert checks["rows_of_nobody:offences"] == "met"
    contracts = {name: find_contract(name) for name in result.protocol.tables}
    tables = read_folder(contracts, data, acknowledged=result.protocol.recording_breaks)
    frame = tables["offences"].frame
    stranger = frame.head(1).assign(person="Q99999", offence="OX")
    tables["offences"] = replace(tables["offences"], frame=pd.concat([frame, stranger], ignore_index=True))
    found = {
        c.name: c for c in stranger_checks(result.protocol, tables, build_roster(result.protocol, tables))
    }
    assert found["rows_of_nobody:offences"].verdict == "not met"
    assert "Q99999" not in found["rows_of_nobody:offences"].note


def test_a_survey_is_matched_at_the_wave_that_is_the_outcome(result: Result, data: Path) -> None:
    """Somebody who answered at baseline alone was not found at follow-up."""
    protocol = result.protocol
    contracts = {name: find_contract(name) for name in protocol.tables}
    tables = read_folder(contracts, data, acknowledged=protocol.recording_breaks)
    frame = tables["sdq_survey"].frame
    lost = frame["person"].isin(sorted(frame["person"].unique())[:100]) & (frame["wave"] == "follow_up")
    tables["sdq_survey"] = replace(tables["sdq_survey"], frame=frame[~lost])
    links = link_audit(protocol, tables, build_roster(protocol, tables))
    (whole,) = [row for row in links if row["table"] == "sdq_survey" and row["arm"] is None]
    assert whole["unmatched"] == lost.sum() == 100


def test_without_a_search_nobody_can_say_who_was_found(data: Path) -> None:
    checks, links = linked(data, lambda derive: {**derive, "without_rows": "no events"})
    assert checks["match_rate:offences"] == "not assessed"
    assert "match_rate:identity_search" not in checks
    assert "offences" not in links


def test_a_roster_that_says_who_was_found_is_audited(data: Path) -> None:
    """The search may be a column of the roster itself; its arms are compared like those of any search."""
    search = csv(data, "identity_search")
    known = set(search.loc[search["result"].isin(SETTLED), "person"])

    def offered_alone(frame: pd.DataFrame) -> pd.DataFrame:
        found = frame["person"].isin(known) & (frame["arm"] == "mentoring")
        return frame.assign(sequence=found.astype("int64"))

    own = {"table": "allocation", "by": "person", "known": "sequence == 1"}
    checks, links = linked(data, lambda derive: {**derive, "without_rows": own}, roster=offered_alone)
    assert checks["match_rate:allocation"] == "not met"
    allocation = csv(data, "allocation")
    of_mentoring = allocation.loc[allocation["arm"] == "mentoring", "person"]
    assert links["allocation"] == {"mentoring": of_mentoring.isin(known).sum(), "usual": 0}


def linked(
    data: Path,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    roster: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame,
) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
    """(verdicts of match rates, matched by table and arm) of the study with other counted outcomes."""
    content = declared(protocol_from(yaml.safe_load(STUDY.read_text()), where="mentoring"))
    for name in ("violence", "proven"):
        content["outcomes"][name]["derive"] = change(content["outcomes"][name]["derive"])
    protocol = protocol_from(content, where="changed")
    contracts = {name: find_contract(name) for name in protocol.tables}
    plan = make_plan(protocol, contracts)
    tables = read_folder(contracts, data, acknowledged=protocol.recording_breaks)
    tables["allocation"] = replace(tables["allocation"], frame=roster(tables["allocation"].frame))
    people = with_derived(protocol, tables, build_roster(protocol, tables), plan.definitions)
    links = link_audit(protocol, tables, people)
    matched: dict[str, dict[str, int]] = {}
    for row in links:
        if row["arm"] is not None:
            matched.setdefault(row["table"], {})[row["arm"]] = row["matched"]
    return {check.name: check.verdict for check in link_checks(protocol, links)}, matched


def test_scores_before_and_after_are_those_of_the_wave_that_was_named(data: Path, result: Result) -> None:
    """Variety: how many acts were done at least once, of people who answered fifteen or more of nineteen."""
    survey = csv(data, "srds_survey").merge(
        csv(data, "allocation")[["person", "arm", "allocation_date"]], on="person"
    )
    acts = survey[[f"srds_{i:02d}" for i in range(1, 20)]]
    enough = acts.notna().sum(axis=1) >= 15
    gap = (pd.to_datetime(survey["survey_date"]) - pd.to_datetime(survey["allocation_date"])).dt.days
    inside = np.where(survey["wave"] == "baseline", gap <= 700, (gap >= -400) & (gap <= 700))
    survey["variety"] = (acts > 0).sum(axis=1).where(enough & inside)
    after = survey[(survey["wave"] == "follow_up") & survey["person"].isin(agreed(data))]
    (mentoring, usual) = (
        next(
            row
            for row in result.findings.evidence["outcomes"]
            if row["outcome"] == "self_reported" and row["arm"] == arm
        )
        for arm in ("mentoring", "usual")
    )
    for row in (mentoring, usual):
        scores = after.loc[after["arm"] == row["arm"], "variety"].dropna()
        assert row["observed"] == len(scores)
        assert row["mean"] == pytest.approx(scores.mean(), rel=1e-12)


def test_people_without_a_baseline_score_stay_with_the_mean_of_everybody(data: Path, result: Result) -> None:
    """The effect is that of least squares on arm, blocks and the filled baseline."""
    content = declared(protocol_from(yaml.safe_load(STUDY.read_text()), where="mentoring"))
    protocol = protocol_from(content, where="mentoring")
    contracts = {name: find_contract(name) for name in protocol.tables}
    tables = read_folder(contracts, data, acknowledged=protocol.recording_breaks)
    roster = with_derived(protocol, tables, build_roster(protocol, tables), {})
    scores = roster.derived["difficulties"]
    assert scores["total_before"].isna().sum() > 0
    willing = roster.frame["person"].isin(agreed(data)).to_numpy()
    before = scores["total_before"].fillna(scores["total_before"][willing].mean()).to_numpy()
    offered = (roster.frame["arm"] == "mentoring").to_numpy(dtype=float)
    blocks = pd.get_dummies(roster.frame["block"], dtype=float).to_numpy()
    known = scores["total"].notna().to_numpy() & willing
    design = np.column_stack([offered, before, blocks])[known]
    effect = np.linalg.lstsq(design, scores["total"].to_numpy()[known])[0][0]
    found = estimate(result, "difficulties")
    assert found["value"] == pytest.approx(effect, abs=1e-9)
    assert sum(row["people"] for row in found["extra"]["behind"]) == known.sum()


def test_gaps_of_a_baseline_are_filled_where_chance_made_the_arms_and_somebody_has_one(data: Path) -> None:
    content = declared(protocol_from(yaml.safe_load(STUDY.read_text()), where="mentoring"))
    content["outcomes"]["difficulties"].pop("baseline")
    with pytest.raises(Refusal, match="while no baseline is named"):
        protocol_from(content, where="spoilt")
    content["outcomes"]["difficulties"]["baseline"] = "total_before"
    protocol = protocol_from(content, where="whole")
    contracts = {name: find_contract(name) for name in protocol.tables}
    tables = read_folder(contracts, data, acknowledged=protocol.recording_breaks)
    survey = tables["sdq_survey"].frame
    gone = survey.where(survey["wave"] != "baseline", survey.assign(**dict.fromkeys(ITEMS, np.nan)))
    tables["sdq_survey"] = replace(tables["sdq_survey"], frame=gone)
    roster = with_derived(protocol, tables, build_roster(protocol, tables), {})
    with pytest.raises(SampleRefused, match="nobody with the baseline measure"):
        measure(protocol, "difficulties", tables, roster)


def test_gaps_of_a_baseline_are_not_filled_where_nobody_drew_the_arms() -> None:
    outcome = {
        "table": "people",
        "column": "after",
        "baseline": "before",
        "baseline_gaps": "mean of everybody",
    }
    columns: dict[str, Dtype] = {"person": "string", "arm": "string", "before": "number", "after": "number"}
    contracts = {"people": contract("people", columns)}
    make_plan(study(outcome), contracts)
    cohort = {
        "scheme": "matched_cohort", "match_on": [], "exact_on": ["arm"], "method": "exact", "estimand": "treated",
        "per_treated": 1, "caliper": None, "reuse": False, "confounders_not_measured": "Motivation.",
    }  # fmt: skip
    with pytest.raises(ProtocolRefused, match="in a design that nobody drew"):
        make_plan(study(outcome, design=cohort), contracts)


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("consent == 'yes'", "which looks for 'yes' in 'consent'"),
        ("agreed == 1", "'agreed'"),
        ("consent == 1", "compares values of different types"),
    ],
)
def test_a_condition_of_consent_that_nobody_can_meet_is_refused_before_data_are_read(
    condition: str, says: str
) -> None:
    """Left to run it would hold of nobody, and every outcome would be missing."""
    content = yaml.safe_load(STUDY.read_text())
    content["population"]["consent"] = condition
    protocol = protocol_from(content, where="spoilt")
    with pytest.raises(Refusal, match=says) as refused:
        make_plan(protocol, {name: find_contract(name) for name in protocol.tables})
    assert refused.value.where == "population.consent"
