"""The gate: small groups are withheld, unknown things are withheld, and what is safe survives."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.disclosure import DisclosurePolicy, PolicyRefused, default_policy, load_policy
from data_contracts.refusal import Refusal
from reports.gate.counts import PeopleCounts, lopsided, quantile_refusal, too_few
from reports.gate.curves import coarse
from reports.gate.verdict import WITHHELD
from reports.release import Release, ReleaseRefused, read_release, read_releases, release
from synthetic_run import ARMS, run_content, steps, write_run

OPEN = load_policy("open_data")


def made(
    tmp_path: Path,
    findings: dict[str, Any],
    evidence: dict[str, Any],
    policy: DisclosurePolicy = OPEN,
    **more: Any,
) -> Release:
    run = write_run(tmp_path / "run", findings, evidence)
    return release(run, policy, tmp_path / "release", **more)


def text_of(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file())


def verdict(found: Release, key: str) -> str:
    return next(item.verdict for item in found.items if item.key == key)


@pytest.mark.parametrize("count", [10, 11])
def test_ten_and_eleven_people_survive(tmp_path: Path, count: int) -> None:
    found = made(tmp_path, *run_content(people=(40, 40), events=(count, 15)))
    assert found.values("outcome.rearrest.financial_aid.events") == str(count)
    assert found.values("primary.value") != WITHHELD
    assert verdict(found, "estimate.primary") == "released"


def test_nine_events_are_withheld_with_everything_made_from_them(tmp_path: Path) -> None:
    found = made(tmp_path, *run_content(people=(41, 43), events=(9, 17)))
    for key in (
        "outcome.rearrest.financial_aid.events",
        "outcome.rearrest.financial_aid.percent",
        "primary.value",
    ):
        assert found.values(key) == WITHHELD
    assert found.values("outcome.rearrest.no_aid.events") == "17"
    assert not [c for c in found.record["curves"] if c["arm"] == "financial_aid"]
    assert "withheld" in found.values("primary.answer")


def test_nine_without_the_event_are_as_few_as_nine_with_it(tmp_path: Path) -> None:
    found = made(tmp_path, *run_content(people=(60, 60), events=(51, 30)))
    assert found.values("outcome.rearrest.financial_aid.percent") == WITHHELD
    assert verdict(found, "estimate.primary") == "withheld"


@pytest.mark.parametrize("events", [0, 60])
def test_a_proportion_of_nobody_or_everybody_is_withheld(tmp_path: Path, events: int) -> None:
    found = made(tmp_path, *run_content(people=(60, 60), events=(events, 30)))
    assert found.values("outcome.rearrest.financial_aid.percent") == WITHHELD
    assert "100.0%" not in text_of(found.folder)
    assert "every" not in " ".join(i.reason for i in found.withheld if "financial_aid" in i.key)


def test_nine_children_with_thirty_offences_each_are_nine_people(tmp_path: Path) -> None:
    findings, evidence = run_content(people=(9, 40), events=(9, 20))
    evidence["protocol"]["outcomes"]["rearrest"]["kind"] = "count"
    for row in evidence["outcomes"]:
        if (row["outcome"], row["arm"]) == ("rearrest", ARMS[0]):
            row |= {"events": 270.0, "mean": 30.0, "sd": 4.0}
    for row in findings["estimates"]:
        row["extra"]["behind"][0] |= {"events": 270.0}
    found = made(tmp_path, findings, evidence)
    assert found.values("outcome.rearrest.financial_aid.events") == WITHHELD
    assert found.values("arm.financial_aid.people") == WITHHELD
    assert found.values("study.n") == WITHHELD, "the total less the other arm would be nine"
    assert found.record["tables"][0]["rows"] == WITHHELD
    assert verdict(found, "estimate.primary") == "withheld"
    assert "270" not in text_of(found.folder)


def test_an_unknown_number_of_an_estimator_is_withheld_and_its_estimate_is_not(tmp_path: Path) -> None:
    findings, evidence = run_content()
    findings["estimates"][0]["extra"]["lambda"] = 0.123456
    findings["estimates"][0]["extra"]["coefficients"] = {"married": 0.654321}
    found = made(tmp_path, findings, evidence)
    assert verdict(found, "estimate.primary.extra.lambda") == "withheld"
    assert verdict(found, "estimate.primary.extra.coefficients") == "withheld"
    assert verdict(found, "estimate.primary") == "released"
    assert "0.1234" not in text_of(found.folder)
    assert "0.6543" not in text_of(found.folder)


def test_unknown_parts_rows_and_checks_are_withheld(tmp_path: Path) -> None:
    findings, evidence = run_content()
    evidence["microdata"] = [{"person": "CANARY-1"}]
    evidence["checks"]["attrition"][0]["youngest"] = "CANARY-2"
    evidence["outcomes"][0]["oldest"] = "CANARY-3"
    evidence["tables"][0]["first_row"] = "CANARY-4"
    findings["checks"].append(
        {"name": "strange", "question": "?", "verdict": "met", "statistic": 31337.5, "note": "It is 31337.5."}
    )
    evidence["checks"]["strange"] = [{"minimum": 31337.5}]
    found = made(tmp_path, findings, evidence)
    text = text_of(found.folder)
    assert "CANARY" not in text
    assert "31337" not in text
    assert verdict(found, "check.strange.note") == "review"
    assert verdict(found, "check.strange.statistic") == "withheld"
    assert "refused" in next(i.reason for i in found.items if i.key == "check.strange.rows")


def test_an_estimate_with_nothing_said_of_the_people_behind_it_is_withheld(tmp_path: Path) -> None:
    findings, evidence = run_content()
    del findings["estimates"][0]["extra"]["behind"]
    found = made(tmp_path, findings, evidence)
    assert verdict(found, "estimate.primary") == "withheld"


def test_few_clusters_and_few_degrees_of_freedom_withhold_an_estimate(tmp_path: Path) -> None:
    findings, evidence = run_content()
    findings["estimates"][0]["extra"]["behind"][0]["clusters"] = 2
    findings["estimates"][1]["df"] = 9.0
    findings["estimates"][2]["df"], findings["estimates"][2]["clusters_used"] = 8.5, 12
    found = made(tmp_path, findings, evidence)
    assert verdict(found, "estimate.primary") == "withheld"
    assert verdict(found, "estimate.adjusted") == "withheld"
    assert verdict(found, "estimate.bayesian") == "released", (
        "few clusters are few degrees of freedom, not few people"
    )


def test_a_covariate_of_a_few_takes_its_difference_and_the_other_arms_mean_with_it(tmp_path: Path) -> None:
    findings, evidence = run_content()
    for table in (evidence["checks"]["balance"], evidence["balance"]):
        for row in table:
            if row["covariate"] == "married" and row["arm"] == ARMS[0]:
                m, n = 4 / 216, 216
                row |= {"mean": m, "sd": (m * (1 - m) * n / (n - 1)) ** 0.5}
    found = made(tmp_path, findings, evidence)
    rows = next(c["rows"] for c in found.record["checks"] if c["name"] == "balance")
    married = [r for r in rows if r["covariate"] == "married"]
    assert len(married) == 2
    assert all(r["mean"] == r["standardised_difference"] == WITHHELD for r in married)
    assert all(r["mean"] != WITHHELD for r in rows if r["covariate"] == "age")


def test_exact_counts_that_differ_by_a_few_do_not_both_print(tmp_path: Path) -> None:
    found = made(tmp_path, *run_content(observed=(212, 216)))
    assert found.values("arm.financial_aid.people") == "216"
    assert found.values("outcome.rearrest.financial_aid.observed") == WITHHELD
    assert found.values("primary.n") == WITHHELD
    assert found.values("check.attrition.statistic") == WITHHELD
    assert found.values("primary.value") != WITHHELD


def test_rounded_counts_add_up_and_percentages_are_made_from_them(tmp_path: Path) -> None:
    found = made(tmp_path, *run_content(people=(216, 218)), policy=default_policy())
    assert found.values("arm.financial_aid.people") == "215"
    assert found.values("arm.no_aid.people") == "220"
    assert found.values("study.n") == "435", "a total of the rounded parts, not of 434"
    assert found.values("outcome.rearrest.financial_aid.summary") == "50 of 215 (23.3%)"
    assert found.values("primary.n") == "435"


def test_effects_are_unchanged_beyond_rounding(tmp_path: Path) -> None:
    findings, evidence = run_content()
    found = made(tmp_path, findings, evidence, policy=default_policy())
    for raw, out in zip(findings["estimates"], found.record["estimates"], strict=True):
        spread = raw["standard_error"] or 0.042
        assert abs(raw["value"] - out["value"]) < spread / 50
        assert abs(raw["interval"]["high"] - out["interval"]["high"]) < spread / 50


def test_groups_are_judged_by_the_people_behind_each_and_one_alone_is_not_left_to_subtraction(
    tmp_path: Path,
) -> None:
    findings, evidence = run_content()
    sizes = {"first": (60, 60), "second": (40, 40), "third": (16, 16)}
    findings["estimates"][1]["extra"]["groups"] = [
        {
            "group": name,
            "behind": [
                {"arm": arm, "people": n, "events": n // 2 if n > 20 else 4, "clusters": None}
                for arm, n in zip(ARMS, pair, strict=True)
            ],
            "value": -0.0777, "standard_error": 0.05, "df": 50.0, "low": -0.17, "high": 0.02, "p_value": 0.1,
        }
        for name, pair in sizes.items()
    ]  # fmt: skip
    found = made(tmp_path, findings, evidence)
    rows = {r["group"]: r for r in found.record["estimates"][1]["extra"]["groups"]}
    assert rows["third"]["value"] == WITHHELD
    assert rows["second"]["value"] == WITHHELD, "the whole less the first would show the third"
    assert rows["first"]["value"] == -0.0777


def test_a_joined_table_that_misses_a_few_people_does_not_tell_how_few(tmp_path: Path) -> None:
    findings, evidence = run_content()
    evidence["tables"].append({**evidence["tables"][0], "name": "contacts", "rows": 428})
    evidence["links"] = [
        {"table": "contacts", "on": "person", "arm": arm, "units": units, "matched": matched, "unmatched": units - matched}
        for arm, units, matched in ((None, 432, 428), (ARMS[0], 216, 214), (ARMS[1], 216, 214))
    ]  # fmt: skip
    found = made(tmp_path, findings, evidence)
    assert [t["rows"] for t in found.record["tables"]] == [432, WITHHELD]
    assert all(
        row["matched"] == row["unmatched"] == row["match_rate"] == WITHHELD for row in found.record["links"]
    )


def test_joins_are_counted_by_arm_and_their_totals_made_from_the_arms(tmp_path: Path) -> None:
    findings, evidence = run_content()
    evidence["links"] = [
        {"table": "contacts", "on": "person", "arm": arm, "units": units, "matched": matched, "unmatched": units - matched}
        for arm, units, matched in ((None, 432, 405), (ARMS[0], 216, 204), (ARMS[1], 216, 201))
    ]  # fmt: skip
    findings["checks"].append(
        {
            "name": "match_rate:contacts",
            "question": "?",
            "verdict": "met",
            "statistic": 3 / 216,
            "note": "Largest 0.014.",
        }
    )
    found = made(tmp_path, findings, evidence)
    whole = found.record["links"][0]
    assert (whole["units"], whole["matched"], whole["unmatched"]) == (432, 405, 27)
    assert found.record["checks"][-1]["statistic"] == pytest.approx(3 / 216, rel=0.1)


def test_shares_of_people_are_judged_as_proportions(tmp_path: Path) -> None:
    findings, evidence = run_content()
    findings["estimates"][0]["extra"]["received_mean"] = {"no_aid": 0.02, "financial_aid": 0.9}
    findings["estimates"][1]["extra"]["received_mean"] = {"no_aid": 0.2, "financial_aid": 0.9}
    found = made(tmp_path, findings, evidence)
    assert verdict(found, "estimate.primary.extra.received_mean") == "withheld"
    assert verdict(found, "estimate.adjusted.extra.received_mean") == "released"


def test_an_interval_that_excludes_no_effect_by_a_hair_still_does_when_rounded(tmp_path: Path) -> None:
    findings, evidence = run_content()
    findings["estimates"][0]["interval"]["high"] = -0.000003
    found = made(tmp_path, findings, evidence)
    assert found.record["estimates"][0]["interval"]["high"] < 0
    assert "only just" in found.values("primary.caution")


def test_curves_step_on_at_least_the_threshold_of_events_and_end_at_the_window() -> None:
    points = coarse(steps(216, 66), 52.0, OPEN)
    assert points is not None
    survivors = [round(p["survival"] * 216) for p in points]
    drops = [a - b for a, b in itertools.pairwise(survivors)]
    assert all(drop == 0 or drop >= 10 for drop in drops)
    assert all(p["at_risk"] % 5 == 0 for p in points)
    assert points[-1]["time"] == 52.0
    assert coarse(steps(216, 9), 52.0, OPEN) is None
    assert (
        coarse(steps(60, 55), 52.0, OPEN) is None
        or coarse(steps(60, 55), 52.0, OPEN)[-1]["survival"] >= 10 / 60
    )  # type: ignore[index]


@settings(max_examples=60, deadline=None)
@given(people=st.integers(20, 400), share=st.floats(0, 1), last=st.floats(1, 52))
def test_no_curve_gives_back_a_group_below_the_threshold(people: int, share: float, last: float) -> None:
    points = coarse(steps(people, int(share * people)), 52.0, OPEN)
    if points is None:
        return
    left = [p["survival"] * people for p in points]
    for before, after in itertools.pairwise(left):
        assert before - after < 0.5 or before - after > 9
    assert left[-1] > 9


def test_secondary_suppression_has_a_door_and_what_it_names_is_withheld(tmp_path: Path) -> None:
    asked = {
        "flow.randomised.no_aid": "the other cell of a withheld one",
        "estimate.adjusted": "says too much",
    }
    found = made(tmp_path, *run_content(), suppress=[lambda record, items, policy: asked])
    assert found.values("arm.no_aid.people") == WITHHELD
    assert found.values("study.n") == WITHHELD
    assert verdict(found, "estimate.adjusted") == "withheld"


def test_an_audit_that_objects_stops_the_release_and_keeps_the_old_one(tmp_path: Path) -> None:
    kept = made(tmp_path, *run_content())
    with pytest.raises(ReleaseRefused, match=r"a cell falls to subtraction"):
        made(
            tmp_path, *run_content(events=(50, 60)),
            audits=[lambda record, items, policy, past: ["a cell falls to subtraction"]],
        )  # fmt: skip
    assert read_release(tmp_path / "release").fingerprint == kept.fingerprint


def test_labels_are_neutralised(tmp_path: Path) -> None:
    findings, evidence = run_content()
    label = "Aid <img src=x onerror=alert(1)> {{< env HOME >}} javascript:alert(1)\n```\n=cmd"
    evidence["protocol"]["arms"]["financial_aid"]["label"] = label
    found = made(tmp_path, findings, evidence)
    said = found.values("arm.financial_aid.label")
    assert "{{<" not in said
    assert "javascript:" not in said
    assert "```" not in said
    assert "\n" not in said


def test_a_release_is_never_edited(tmp_path: Path) -> None:
    found = made(tmp_path, *run_content())
    path = found.folder / "values.json"
    path.write_text(path.read_text().replace("48 of 216", "18 of 216"))
    with pytest.raises(ReleaseRefused, match="altered"):
        read_release(found.folder)


def test_findings_that_were_edited_are_refused(tmp_path: Path) -> None:
    findings, evidence = run_content()
    run = write_run(tmp_path / "run", findings, evidence)
    text = (run / "findings.json").read_text()
    (run / "findings.json").write_text(text.replace('"seed": 19711001', '"seed": 1'))
    with pytest.raises(Refusal):
        release(run, OPEN, tmp_path / "release")
    assert not (tmp_path / "release").exists()


def test_evidence_with_a_part_missing_is_refused(tmp_path: Path) -> None:
    findings, evidence = run_content()
    del evidence["outcomes"]
    with pytest.raises(ReleaseRefused, match="no outcomes"):
        made(tmp_path, findings, evidence)


def test_the_same_run_gives_the_same_release(tmp_path: Path) -> None:
    one = made(tmp_path / "a", *run_content())
    two = made(tmp_path / "b", *run_content())
    assert text_of(one.folder) == text_of(two.folder)


def test_two_releases_of_one_study_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        release(write_run(tmp_path / "run", *run_content()), OPEN, tmp_path / "all" / name)
    with pytest.raises(ReleaseRefused, match="two releases"):
        read_releases(tmp_path / "all")


def test_reasons_do_not_say_how_few() -> None:
    policy = default_policy()
    assert too_few(0, policy) == too_few(9, policy)
    assert lopsided(0, 50, policy) == lopsided(50, 50, policy) == lopsided(9, 50, policy)


def test_a_quantile_needs_the_threshold_on_both_sides() -> None:
    assert quantile_refusal(100, 0.1, OPEN) is None
    assert quantile_refusal(100, 0.95, OPEN) is not None


@given(counts=st.lists(st.integers(0, 400), max_size=8))
def test_no_two_released_exact_counts_of_the_same_people_differ_by_a_few(counts: list[int]) -> None:
    judge = PeopleCounts(OPEN)
    out = [n for n in counts if judge.refusal("arm", n) is None]
    assert all(a == b or abs(a - b) >= 10 for a in out for b in out if a and b)


def test_a_policy_is_loaded_strictly(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    base = (Path(load_policy.__code__.co_filename).parent / "policies" / "default.yaml").read_text()
    path.write_text(base)
    assert load_policy(path) == default_policy()
    for text, message in (
        (base + "threshold_rows: 5\n", "threshold_people"),
        (base.replace("threshold_people: 10", "threshold_people: 1"), "threshold_people"),
        (base.replace("rounding_base: 5", "rounding_base: 50"), "rounding_base"),
        (base.replace("threshold_people: 10\n", ""), "threshold_people"),
    ):
        path.write_text(text)
        with pytest.raises(Refusal, match=message):
            load_policy(path)
    with pytest.raises(PolicyRefused, match="open_data"):
        load_policy("open_dta")


def test_everything_withheld_is_recorded_with_a_reason_and_nothing_else_is(tmp_path: Path) -> None:
    found = made(tmp_path, *run_content(people=(30, 30), events=(4, 15)))
    recorded = json.loads((found.folder / "release.json").read_text())["items"]
    assert len(recorded) == len(found.items)
    assert all(item["reason"] for item in recorded)
    assert found.counts()["withheld"] > 0
    assert found.counts()["released"] > found.counts()["withheld"], "withholding everything is a failure"
