"""Values and their wording: rounding, signs, intervals, windows, natural frequencies, standing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.disclosure import load_policy
from reports import wording as w
from reports.neutral import csv_cell, html, markdown, plain
from reports.release import release
from reports.tables.effects_frame import effects_frame
from reports.values import UnknownValue, Values, absent
from synthetic_run import run_content, write_run


@pytest.fixture
def v(tmp_path: Path) -> Values:
    return release(
        write_run(tmp_path / "run", *run_content()), load_policy("open_data"), tmp_path / "rel"
    ).values


def changed(tmp_path: Path, row: dict[str, object]) -> Values:
    findings, evidence = run_content()
    findings["estimates"][0] |= row
    return release(
        write_run(tmp_path / "run", findings, evidence), load_policy("open_data"), tmp_path / "rel"
    ).values


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (364, "52 weeks"), (365, "12 months"), (366, "12 months"), (730, "24 months"), (7, "1 week"), (28, "4 weeks"),
        (30, "1 month"), (90, "3 months"), (183, "6 months"), (182, "26 weeks"), (1, "1 day"), (100, "100 days"),
    ],
)  # fmt: skip
def test_a_window_is_said_in_words(days: int, said: str) -> None:
    assert w.follow_up(days) == said


@pytest.mark.parametrize(
    ("value", "places", "said"),
    [
        (-8.333, 1, "−8.3"),
        (-0.04, 1, "0.0"),
        (1234.5, 0, "1,235"),
        (0.0, 2, "0.00"),
        (12345.678, 2, "12,345.68"),
    ],
)
def test_numbers_have_true_minus_signs_and_never_minus_zero(value: float, places: int, said: str) -> None:
    assert w.number(value, places) == said


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.0489, "p = 0.049"), (0.0496, "p = 0.0496"), (0.05, "p = 0.050"), (0.0504, "p = 0.0504"),
        (0.0, "p < 0.001"), (1.0, "p > 0.999"), (0.5, "p = 0.500"),
    ],
)  # fmt: skip
def test_a_p_value_is_never_rounded_to_nothing_or_on_to_a_limit(p: float, said: str) -> None:
    assert w.p_value(p) == said


@given(value=st.floats(-0.9, 0.9), spread=st.floats(0.001, 0.3))
def test_an_end_that_is_not_zero_never_prints_as_zero_while_three_more_decimals_can_help(
    value: float, spread: float
) -> None:
    low, high = value - 1.96 * spread, value + 1.96 * spread
    digits = w.places("risk_difference", spread, [value, low, high])
    for end in (value, low, high):
        if abs(end) > 5e-5:
            assert w.number(100 * end, digits).strip("−0.") != ""


def test_intervals_carry_level_and_kind(v: Values) -> None:
    assert v("primary.interval_name") == "95% confidence interval"
    assert v("estimate.bayesian.interval_name") == "95% credible interval"
    assert w.interval_name(0.995, "credible") == "99.5% credible interval"
    assert v("primary.full") == "−8.33 percentage points (95% confidence interval −16.63 to −0.04)"
    assert w.span("risk_difference", None, 0.1, 1) == "below 10.0"


def test_a_risk_difference_is_said_as_a_natural_frequency(v: Values) -> None:
    assert v("primary.natural") == "8 fewer men re-arrested in every hundred"
    assert w.fewer_in_hundred(0.031, "proportion of children excluded", "Exclusion") == (
        "3 more children excluded in every hundred"
    )
    assert (
        w.fewer_in_hundred(-0.02, "yes or no", "Any violence")
        == "2 fewer people with any violence in every hundred"
    )


def test_ratios_are_said_as_changes(v: Values) -> None:
    assert v("estimate.time_adjusted.natural") == "a 32% lower rate at any moment"
    assert "first re-arrest came later" in v("estimate.time_adjusted.answer")


def test_an_interval_that_includes_no_effect_is_never_said_to_show_one(v: Values) -> None:
    said = v("estimate.adjusted.answer")
    assert said.startswith("There is no clear evidence")
    assert "less common" not in said
    assert "includes no effect" in v("estimate.adjusted.caution")


def test_an_interval_that_excludes_it_by_a_hair_says_so(v: Values) -> None:
    assert "only just" in v("primary.caution")
    assert "weak" in v("primary.caution")


def test_harm_is_called_harm_and_not_success(tmp_path: Path) -> None:
    v = changed(
        tmp_path,
        {
            "value": 0.12,
            "interval": {"low": 0.05, "high": 0.19, "level": 0.95, "kind": "confidence"},
            "p_value": 0.001,
        },
    )
    assert "was more common" in v("primary.answer")
    assert "12 more men re-arrested" in v("primary.answer")
    assert "only just" not in v("primary.caution")
    assert "falls short" in v("primary.worthwhile")


@pytest.mark.parametrize(("high", "said"), [(-0.06, "lies beyond it"), (0.01, "both larger and smaller")])
def test_the_interval_is_set_against_the_smallest_worthwhile_effect(
    tmp_path: Path, high: float, said: str
) -> None:
    v = changed(tmp_path, {"interval": {"low": -0.15, "high": high, "level": 0.95, "kind": "confidence"}})
    assert said in v("primary.worthwhile")


def test_standing_is_said_of_every_estimate(tmp_path: Path) -> None:
    findings, evidence = run_content()
    evidence["protocol"]["registration"] = {
        "status": "registered", "where": "ISRCTN", "date": "2026-01-02", "outcome_data_seen": False, "note": "n",
        "protocol": "p.yaml", "sha256": "0" * 64,
    }  # fmt: skip
    findings["estimates"][0]["registered"] = True
    evidence["deviations"] = [
        {
            "path": "outcomes.rearrest.follow_up_days", "registered": "364", "run": "180", "amended": None,
            "reason": None, "verdict": "not amended", "affects": ["adjusted"],
        }
    ]  # fmt: skip
    v = release(
        write_run(tmp_path / "run", findings, evidence), load_policy("open_data"), tmp_path / "rel"
    ).values
    assert v("primary.status") == "registered"
    assert v("estimate.adjusted.status") == "exploratory"
    assert "Registered at ISRCTN on 2026-01-02" in v("study.status_sentence")
    assert "adjusted" in v("deviations.summary")
    assert v("deviations.headline") == "Changes since registration are listed below."
    findings["estimates"][0]["registered"] = False
    v = release(
        write_run(tmp_path / "run", findings, evidence), load_policy("open_data"), tmp_path / "rel"
    ).values
    assert "exploratory" in v("deviations.headline")


def test_a_study_that_declares_no_bayesian_analysis_is_not_said_to_have_withheld_one(tmp_path: Path) -> None:
    findings, evidence = run_content()
    bayesian = [n for n, a in evidence["protocol"]["analyses"].items() if a["estimator"].startswith("bayes_")]
    for name in bayesian:
        del evidence["protocol"]["analyses"][name]
    findings["estimates"] = [e for e in findings["estimates"] if not e["estimator"].startswith("bayes_")]
    v = release(
        write_run(tmp_path / "run", findings, evidence), load_policy("open_data"), tmp_path / "rel"
    ).values
    assert v("agreement.sentence") == "The study declares no Bayesian analysis of the primary question."


def test_a_retrospective_study_says_so(v: Values) -> None:
    assert v("primary.status") == "retrospective re-analysis"
    assert "nothing was registered" in v("study.status_sentence")


def test_an_unknown_key_gets_the_nearest_spelling(v: Values) -> None:
    with pytest.raises(UnknownValue, match=r"Did you mean 'primary\.interval'"):
        v("primary.intervall")
    with pytest.raises(UnknownValue, match=r"study\.\*"):
        v("nonsense")


def test_a_value_carries_its_key_and_the_fingerprint_of_the_findings(v: Values) -> None:
    found = v.value("primary.value")
    assert (found.key, len(found.fingerprint)) == ("primary.value", 64)


def test_without_a_release_everything_is_marked_not_available() -> None:
    assert absent("any")("primary.value") == "[x]"


def test_no_value_holds_a_straight_quote_or_a_line_break(v: Values) -> None:
    for key in v:
        assert not set("'\"\n\\") & set(v(key)), key


def test_several_questions_show_their_corrected_p_value(tmp_path: Path) -> None:
    findings, evidence = run_content()
    findings["estimates"][0]["extra"]["family"] = {
        "name": "both", "method": "holm", "questions": 2, "adjusted_p_value": 0.0978,
    }  # fmt: skip
    v = release(
        write_run(tmp_path / "run", findings, evidence), load_policy("open_data"), tmp_path / "rel"
    ).values
    assert v("primary.p_adjusted") == "p = 0.098 (Holm)"


def test_effects_as_a_frame_are_the_same_texts(v: Values) -> None:
    frame = effects_frame(v)
    assert frame.loc["primary", "effect"] == v("primary.value")
    assert list(frame["status"].unique()) == ["retrospective re-analysis"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-0.5", "-0.5"), ("plain", "plain"), ("+cmd|' /C", "'+cmd|' /C")],
)
def test_a_spreadsheet_never_computes_a_label(text: str, said: str) -> None:
    assert csv_cell(text) == said


@given(st.text(max_size=60))
def test_neutral_text_opens_no_tag_no_shortcode_and_no_second_line(text: str) -> None:
    assert "<" not in html(text)
    assert "{{" not in plain(text)
    assert "\n" not in plain(text)
    assert plain(plain(text)) == plain(text)


def test_markdown_is_escaped() -> None:
    assert markdown("*a* [b](javascript:x) `c`") == r"\*a\* \[b\]\(javascript \:x\) \`c\`"


@pytest.mark.parametrize("ratio", [1.355, 1.365, 1.385, 0.645, 0.655, 1.005])
def test_a_ratio_and_its_change_in_percent_round_the_same_way(ratio: float) -> None:
    said = w.change_in_percent(ratio)
    change = round(abs(100 * (float(w.number(ratio, 2)) - 1)))
    assert said == (
        "almost no different" if change == 0 else f"{change}% {'lower' if ratio < 1 else 'higher'}"
    )


def test_the_acronyms_of_the_field_keep_their_capitals() -> None:
    assert w.table_name("sdq_survey") == "SDQ survey" and w.table_name("custody_spells") == "custody spells"
