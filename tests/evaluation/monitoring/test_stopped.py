"""The estimate on the page after interim looks: adjusted, signed and scaled as the study's outcome is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import exp, log
from pathlib import Path
from typing import Any

import pytest

from evaluation.estimate import Estimate, EstimatorRefused, Interval
from evaluation.monitoring.stagewise import adjusted
from evaluation.monitoring.stopped import after_looks, monitored
from experiments.allocation.ledger import Ledger, LedgerTampered
from experiments.load import loads
from experiments.monitoring.declared import Bayesian, Monitoring, NormalPrior, Sequential
from experiments.monitoring.looks import bounds
from experiments.monitoring.record import FILE, Look, record_look
from experiments.protocol import Protocol

PLAN = Sequential(
    rule="pocock",
    alpha=0.05,
    sides=2,
    looks=(Fraction(1, 3), Fraction(2, 3), Fraction(1)),
    measure="people",
    maximum=600.0,
    report="median_unbiased",
)


def estimate(value: float, error: float, scale: str = "risk_difference") -> Estimate:
    low, high = (value - 1.96 * error, value + 1.96 * error)
    if scale == "risk_ratio":
        value, low, high = exp(value), exp(low), exp(high)
    return Estimate(
        estimand="arrest",
        estimator="difference_in_means",
        scale=scale,
        value=value,
        standard_error=error,
        interval=Interval(low=low, high=high, level=0.95, kind="confidence"),
        p_value=0.001,
        unit="proportion",
        units_used=400,
        extra={"analysis": "primary"},
    )


def looks(*z: float, last: str, final: bool = False) -> tuple[Look, ...]:
    """Looks at 200, 400, ... people with these statistics, and a standard error of 0.8 / sqrt(people)."""
    taken = []
    for k, value in enumerate(z):
        amount = 200.0 * (k + 1)
        error = 0.8 / amount**0.5
        action = last if k == len(z) - 1 else "go on"
        ends = final and k == len(z) - 1
        taken.append(
            Look(amount=amount, estimate=value * error, standard_error=error, final=ends, action=action)
        )
    return tuple(taken)


def test_a_trial_stopped_for_benefit_is_adjusted_in_the_direction_of_its_outcome() -> None:
    """Fewer arrests: Z is -2.6 at the second of three looks, beyond Pocock's 2.289."""
    taken = looks(-1.2, -2.6, last="stop for benefit")
    naive = estimate(taken[-1].estimate, taken[-1].standard_error)
    out = after_looks(naive, Monitoring(analysis="primary", sequential=PLAN), taken, towards=-1)
    told = out.extra["monitoring"]
    assert naive.value < out.value < 0, "pulled towards nothing"
    assert out.interval is not None and out.interval.low < out.value < out.interval.high < 0
    found = bounds(PLAN, [200.0, 400.0], final=False)
    by_hand = adjusted(
        [0.5 * taken[1].standard_error**-2, taken[1].standard_error**-2],
        found.lower, found.upper, 2.6, level=0.95, sides=2,
    )  # fmt: skip
    assert out.value == pytest.approx(-by_hand.median_unbiased)
    assert (out.interval.low, out.interval.high) == pytest.approx((-by_hand.high, -by_hand.low))
    assert out.p_value == by_hand.p_value < 0.05
    assert told["ordinary"]["value"] == naive.value
    assert told["said"] == "stop for benefit" and told["looks"] == 2 and not told["over_running"]
    assert out.extra["analysis"] == "primary", "what was in extra stays"


def test_the_bias_adjusted_estimate_is_reported_where_the_study_says_so() -> None:
    taken = looks(-1.2, -2.6, last="stop for benefit")
    naive = estimate(taken[-1].estimate, taken[-1].standard_error)
    plan = Monitoring(analysis="primary", sequential=replace(PLAN, report="bias_adjusted"))
    out = after_looks(naive, plan, taken, towards=-1)
    assert out.value == out.extra["monitoring"]["bias_adjusted"] != out.extra["monitoring"]["median_unbiased"]
    assert naive.value < out.value < 0


def test_ratios_are_adjusted_on_the_log_and_come_back_as_ratios() -> None:
    taken = looks(-1.2, -2.6, last="stop for benefit")
    plan = Monitoring(analysis="primary", sequential=PLAN)
    difference = after_looks(estimate(taken[-1].estimate, taken[-1].standard_error), plan, taken, towards=-1)
    ratio = after_looks(
        estimate(taken[-1].estimate, taken[-1].standard_error, "risk_ratio"), plan, taken, towards=-1
    )
    assert log(ratio.value) == pytest.approx(difference.value)
    assert ratio.interval is not None and difference.interval is not None
    assert log(ratio.interval.high) == pytest.approx(difference.interval.high)


def test_a_trial_that_ran_to_its_end_is_adjusted_a_little() -> None:
    taken = looks(0.4, 1.3, 2.5, last="stop for benefit", final=True)
    naive = estimate(taken[-1].estimate, taken[-1].standard_error)
    out = after_looks(naive, Monitoring(analysis="primary", sequential=PLAN), taken, towards=1)
    assert out.extra["monitoring"]["ended"]
    assert 0 < out.value < naive.value


def test_without_looks_nothing_changes_and_it_says_so() -> None:
    naive = estimate(0.1, 0.03)
    out = after_looks(naive, Monitoring(analysis="primary", sequential=PLAN), (), towards=1)
    assert replace(out, extra=naive.extra) == naive
    assert out.extra["monitoring"] == {"looks": 0}


def test_data_after_the_stop_are_over_running() -> None:
    taken = looks(-1.2, -2.6, last="stop for benefit")
    later = estimate(taken[-1].estimate * 0.9, taken[-1].standard_error * 0.95)
    out = after_looks(later, Monitoring(analysis="primary", sequential=PLAN), taken, towards=-1)
    at_stop = after_looks(
        estimate(taken[-1].estimate, taken[-1].standard_error),
        Monitoring(analysis="primary", sequential=PLAN),
        taken,
        towards=-1,
    )
    assert out.extra["monitoring"]["over_running"]
    assert out.value == at_stop.value
    assert out.extra["monitoring"]["ordinary"]["value"] == later.value


def test_a_posterior_stands_as_it_is_with_the_error_of_its_rule_beside_it() -> None:
    rule = Bayesian(
        prior=NormalPrior(mean=0.0, sd=0.2), margin=0.0, success=0.99, final=0.975, futility=0.05,
        looks=PLAN.looks, measure="people", maximum=600.0, final_standard_error=0.033,
    )  # fmt: skip
    naive = estimate(-0.1, 0.04)
    plan = Monitoring(analysis="primary", bayesian=rule)
    out = after_looks(naive, plan, looks(-1.2, -2.6, last="stop for benefit"), towards=-1)
    assert out.value == naive.value
    assert 0.005 < out.extra["monitoring"]["false_success"] < 0.06


def test_an_estimate_without_a_standard_error_cannot_be_monitored() -> None:
    naive = replace(estimate(0.1, 0.03), standard_error=None)
    with pytest.raises(EstimatorRefused, match="without a standard error"):
        after_looks(
            naive, Monitoring(analysis="primary", sequential=PLAN), looks(1.0, last="go on"), towards=1
        )


STUDY = """
id: calder
title: Mentoring in Calder
seed: 1
registration: {status: exploratory, outcome_data_seen: false, note: a test}
population: {unit: person, eligible: anybody, roster: participants, id: person, arm: arm}
arms: {mentoring: {label: Mentoring, share: 1/2}, usual: {label: Usual, share: 1/2, reference: true}}
design: {scheme: complete}
outcomes:
  arrest: {label: Arrest, role: primary, table: participants, column: arrested, kind: binary,
    follow_up_days: 365, unit: proportion, better: lower}
estimands:
  arrest: {outcome: arrest, contrast: [mentoring, usual], population: all, scale: risk_difference, intercurrent: {}}
analyses:
  primary: {estimand: arrest, estimator: difference_in_means, variance: neyman, level: 0.95, missing: {primary: complete_case}}
  other: {estimand: arrest, role: supporting, estimator: difference_in_means, variance: neyman, level: 0.9, missing: {primary: complete_case}}
checks: {}
monitoring:
  analysis: primary
  sequential: {rule: pocock, alpha: 0.05, sides: 2, looks: [1/3, 2/3, 1], measure: people, maximum: 600, report: median_unbiased}
"""


@pytest.fixture
def protocol() -> Protocol:
    return loads(STUDY, name="calder.yaml")


def test_a_run_adjusts_the_monitored_analysis_by_the_record_in_its_data(
    protocol: Protocol, tmp_path: Path
) -> None:
    taken = looks(-1.2, -2.6, last="")
    ledger = Ledger(path=tmp_path / FILE)
    plan: Any = protocol.monitoring
    for look in taken:
        _, said = record_look(ledger, plan, look, towards=-1, fingerprint=protocol.fingerprint)
    assert said["action"] == "stop for benefit"
    naive = estimate(taken[-1].estimate, taken[-1].standard_error)
    out = monitored(protocol, "primary", naive, tmp_path)
    assert naive.value < out.value < 0 and not out.extra["monitoring"]["over_running"]
    assert monitored(protocol, "other", naive, tmp_path) is naive
    changed = loads(STUDY.replace("maximum: 600", "maximum: 700"), name="calder.yaml")
    with pytest.raises(LedgerTampered, match="another protocol"):
        monitored(changed, "primary", naive, tmp_path)
    assert monitored(protocol, "primary", naive, tmp_path / "none").extra["monitoring"] == {"looks": 0}


def test_the_plan_is_part_of_what_the_protocols_fingerprint_covers(protocol: Protocol) -> None:
    other = loads(STUDY.replace("alpha: 0.05", "alpha: 0.04"), name="calder.yaml")
    assert protocol.fingerprint != other.fingerprint


def test_an_analysis_that_is_not_there_cannot_be_monitored() -> None:
    from data_contracts.refusal import Refusal

    with pytest.raises(Refusal, match=r"monitoring\.analysis"):
        loads(STUDY.replace("analysis: primary", "analysis: primry"), name="calder.yaml")
