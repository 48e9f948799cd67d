"""Looks: what the plan says at each, refusals of what it does not provide for, and the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from data_contracts.declared import build, plain
from data_contracts.refusal import Refusal
from experiments.allocation.ledger import Ledger, LedgerTampered
from experiments.monitoring.declared import Criterion, Futility, Monitoring, MonitoringRefused, Sequential
from experiments.monitoring.looks import bounds, decide
from experiments.monitoring.record import Look, check_look, looks_in, record_look, record_pilot
from experiments.monitoring.summary import promises

Plans = Callable[..., Sequential]
FINGERPRINT = "ab" * 32


@pytest.mark.parametrize(
    "statistics, final, action",
    [
        ([0.5], False, "go on"),
        ([4.6], False, "stop for benefit"),
        ([-4.6], False, "stop for harm"),
        ([0.5, 3.3], False, "stop for benefit"),
        ([0.5, 1.0, 1.1, 0.9, 2.05], True, "stop for benefit"),
        ([0.5, 1.0, 1.1, 0.9, 2.03], True, "end without benefit"),
        ([0.5, 1.0, 1.1, 0.9, -2.05], True, "stop for harm"),
    ],
)
def test_the_plan_says_what_its_bounds_say(
    plan: Plans, statistics: list[float], final: bool, action: str
) -> None:
    amounts = [100.0 * (k + 1) for k in range(len(statistics))]
    assert decide(plan("obrien_fleming"), amounts, statistics, final=final).action == action


def test_futility_is_said_and_may_be_overruled_only_where_it_does_not_bind(plan: Plans) -> None:
    for binding in (False, True):
        rule = Futility(rule="lan_demets_pocock", beta=0.2, binding=binding)
        made = plan("lan_demets_obrien_fleming", 3, alpha=0.025, sides=1, maximum=300.0, futility=rule)
        assert decide(made, [100.0], [-0.5], final=False).action == "stop for futility"
        if binding:
            with pytest.raises(MonitoringRefused, match="no further look once a bound was crossed"):
                decide(made, [100.0, 200.0], [-0.5, 1.0], final=False)
        else:
            assert decide(made, [100.0, 200.0], [-0.5, 1.6], final=False).action == "go on"


def test_a_look_after_one_that_stopped_the_trial_is_refused(plan: Plans) -> None:
    with pytest.raises(MonitoringRefused, match=r"look 2.*stop for benefit"):
        decide(plan("pocock"), [100.0, 200.0], [2.6, 1.0], final=False)


@pytest.mark.parametrize(
    "amounts, final",
    [
        ([], True),
        ([0.0], False),
        ([100.0, 100.0], False),
        ([200.0, 100.0], False),
        ([500.0], False),
        ([100.0, 600.0], False),
        ([600.0, 700.0], True),
        ([float("nan")], False),
    ],
)
def test_information_that_cannot_be_is_refused(plan: Plans, amounts: list[float], final: bool) -> None:
    with pytest.raises(MonitoringRefused, match="information"):
        bounds(plan("pocock"), amounts, final=final)


@pytest.mark.parametrize(
    "changes, where",
    [
        ({"looks": ()}, "looks"),
        ({"looks": (Fraction(1, 2), Fraction(1, 2), Fraction(1))}, "looks"),
        ({"looks": (Fraction(1, 2),)}, "looks"),
        ({"looks": (Fraction(0), Fraction(1))}, "looks"),
        ({"alpha": 5.0}, "alpha"),
        ({"alpha": 0.0}, "alpha"),
        ({"shape": 2.0}, "shape"),
        ({"rule": "hwang_shih_decani"}, "shape"),
        ({"rule": "power", "shape": -1.0}, "shape"),
        ({"rule": "wang_tsiatis", "shape": 0.7}, "shape"),
        ({"maximum": 0.0}, "maximum"),
        ({"futility": Futility(rule="lan_demets_pocock", beta=0.2, binding=True)}, "futility"),
    ],
)
def test_a_plan_that_does_not_say_when_to_stop_is_refused(
    plan: Plans, changes: dict[str, Any], where: str
) -> None:
    with pytest.raises(MonitoringRefused) as error:
        replace(plan("pocock"), **changes)
    assert error.value.where == where


DECLARED = {
    "analysis": "primary",
    "sequential": {
        "rule": "hwang_shih_decani",
        "shape": -4,
        "alpha": 0.025,
        "sides": 1,
        "looks": ["1/3", "2/3", 1],
        "measure": "people with the outcome",
        "maximum": 600,
        "report": "median_unbiased",
        "futility": {"rule": "hwang_shih_decani", "shape": -2, "beta": 0.1, "binding": False},
    },
    "pilot": {
        "consent": {
            "question": "Share consenting",
            "kind": "proportion",
            "better": "higher",
            "green": 0.7,
            "red": 0.5,
            "alpha": 0.05,
        }
    },
}


def test_a_plan_is_declared_in_the_study_and_comes_back_exactly() -> None:
    made = build(Monitoring, DECLARED, path="monitoring")
    assert build(Monitoring, plain(made), path="monitoring") == made
    told = promises(made, towards=1)
    assert [round(row["upper"], 2) for row in told["bounds"]] == [3.01, 2.55, 2.0]
    assert told["promises"]["information_at_most_over_one_look_power_0.9"] == pytest.approx(1.07, abs=0.005)


@pytest.mark.parametrize(
    "content, where",
    [
        ({**DECLARED, "analysis": None}, "monitoring"),
        ({"analysis": "primary"}, "monitoring"),
        ({}, "monitoring"),
        ({**DECLARED, "sequental": {}}, "monitoring.sequental"),
        (
            {**DECLARED, "sequential": {**DECLARED["sequential"], "alpha": "5%"}},
            "monitoring.sequential.alpha",
        ),  # type: ignore[dict-item]
    ],
)
def test_a_block_that_says_nothing_or_too_much_is_refused(content: Any, where: str) -> None:
    with pytest.raises(Refusal) as error:
        build(Monitoring, content, path="monitoring")
    assert error.value.where.startswith(where)


@pytest.fixture
def monitoring(plan: Plans) -> Monitoring:
    pilot = Criterion(question="Consent", kind="proportion", better="higher", green=0.7, red=0.5, alpha=0.05)
    return Monitoring(analysis="primary", sequential=plan("obrien_fleming"), pilot={"consent": pilot})


def look(amount: float, z: float, *, final: bool = False) -> Look:
    return Look(amount=amount, estimate=z * 0.1, standard_error=0.1, final=final)


def test_looks_are_entered_with_what_the_plan_said(monitoring: Monitoring, tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "looks.jsonl")
    for amount, z in ((100.0, -0.5), (200.0, -1.9)):
        _, said = record_look(ledger, monitoring, look(amount, z), towards=-1, fingerprint=FINGERPRINT)
        assert said["action"] == "go on"
    _, said = record_look(ledger, monitoring, look(310.0, -2.7), towards=-1, fingerprint=FINGERPRINT)
    assert said["action"] == "stop for benefit"
    taken = looks_in(ledger.entries())
    assert [t.action for t in taken] == ["go on", "go on", "stop for benefit"]
    assert taken[2].estimate == look(310.0, -2.7).estimate, "numbers come back exactly"
    before = ledger.head
    with pytest.raises(MonitoringRefused, match="no further look"):
        record_look(ledger, monitoring, look(400.0, -2.7), towards=-1, fingerprint=FINGERPRINT)
    assert ledger.head == before


def test_a_record_is_tied_to_the_protocol(monitoring: Monitoring, tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "looks.jsonl")
    record_look(ledger, monitoring, look(100.0, 1.0), towards=1, fingerprint=FINGERPRINT)
    with pytest.raises(LedgerTampered, match="another protocol"):
        record_look(ledger, monitoring, look(200.0, 1.0), towards=1, fingerprint="cd" * 32)


def test_nothing_follows_the_final_analysis(monitoring: Monitoring, tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "looks.jsonl")
    record_look(ledger, monitoring, look(480.0, 1.0, final=True), towards=1, fingerprint=FINGERPRINT)
    with pytest.raises(MonitoringRefused, match="after the final analysis"):
        record_look(ledger, monitoring, look(490.0, 1.0), towards=1, fingerprint=FINGERPRINT)


def test_the_pilot_is_entered_whole_or_not_at_all(monitoring: Monitoring, tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "looks.jsonl")
    choices: dict[str, Any] = {"level": 0.95, "fingerprint": FINGERPRINT}
    with pytest.raises(MonitoringRefused, match="counts for every criterion: consent"):
        record_pilot(ledger, monitoring, {}, **choices)
    entry, judged, advice = record_pilot(ledger, monitoring, {"consent": (76, 102)}, **choices)
    assert advice == "go on" and judged["consent"].colour == "green"
    assert entry.body["criteria"]["consent"]["count"] == 76


def test_a_look_that_is_no_number_is_refused() -> None:
    for wrong in (replace(look(1, 1), estimate=float("nan")), replace(look(1, 1), standard_error=0.0)):
        with pytest.raises(MonitoringRefused, match="not a number"):
            check_look(wrong)
