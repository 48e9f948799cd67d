"""Internal pilots: colours at the limits, exact intervals and tests, and sizes that can tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from experiments.monitoring.declared import Criterion, MonitoringRefused
from experiments.monitoring.pilot import advise, chances, judge, people_needed

CONSENT = Criterion(
    question="What share of those eligible consented?",
    kind="proportion",
    better="higher",
    green=0.7,
    red=0.5,
    alpha=0.05,
)
LOST = Criterion(
    question="What share was lost to follow-up?",
    kind="proportion",
    better="lower",
    green=0.1,
    red=0.3,
    alpha=0.05,
)
RECRUITED = Criterion(
    question="How many were recruited a site-month?",
    kind="rate",
    better="higher",
    green=4.0,
    red=2.0,
    alpha=0.05,
)


@pytest.mark.parametrize(
    "criterion, count, out_of, expected",
    [
        (CONSENT, 70, 100, "green"),
        (CONSENT, 14, 20, "green"),
        (CONSENT, 69, 100, "amber"),
        (CONSENT, 51, 100, "amber"),
        (CONSENT, 50, 100, "red"),
        (CONSENT, 0, 10, "red"),
        (LOST, 10, 100, "green"),
        (LOST, 11, 100, "amber"),
        (LOST, 30, 100, "red"),
        (LOST, 3, 10, "red"),
        (RECRUITED, 24, 6.0, "green"),
        (RECRUITED, 15, 6.0, "amber"),
        (RECRUITED, 9, 4.5, "red"),
    ],
)
def test_a_limit_belongs_to_its_own_colour(
    criterion: Criterion, count: int, out_of: float, expected: str
) -> None:
    assert judge(criterion, count, out_of, level=0.95).colour == expected


def test_intervals_and_tests_are_the_exact_ones() -> None:
    """Against scipy's own exact binomial test and interval."""
    for count, people in ((76, 102), (0, 12), (12, 12)):
        found = judge(CONSENT, count, people, level=0.95)
        theirs = binomtest(count, people, 0.5, alternative="greater")
        interval = binomtest(count, people).proportion_ci(0.95, "exact")
        assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert judge(LOST, 4, 60, level=0.9).p_value == pytest.approx(
        binomtest(4, 60, 0.3, alternative="less").pvalue, rel=1e-9
    )


def test_a_rates_interval_is_garwoods() -> None:
    """10 events in one unit of time: 4.795 to 18.390 (Garwood 1936; any table of exact Poisson limits)."""
    found = judge(RECRUITED, 10, 1.0, level=0.95)
    assert (found.low, found.high) == pytest.approx((4.795, 18.390), abs=5e-4)
    none = judge(RECRUITED, 0, 2.0, level=0.95)
    assert none.low == 0 and none.high == pytest.approx(3.689 / 2, abs=5e-4)


@pytest.mark.parametrize(
    "colours, advice",
    [
        (("green", "green"), "go on"),
        (("green", "amber"), "go on with changes"),
        (("amber", "red"), "do not go on as designed"),
        (("green", "red"), "do not go on as designed"),
    ],
)
def test_all_green_goes_on_and_any_red_does_not(colours: tuple[Any, Any], advice: str) -> None:
    assert advise({"a": colours[0], "b": colours[1]}) == advice


def test_no_criteria_is_no_advice() -> None:
    with pytest.raises(MonitoringRefused, match="no criteria"):
        advise({})


@pytest.mark.parametrize(
    "criterion, truth, out_of", [(CONSENT, 0.62, 40), (LOST, 0.2, 33), (RECRUITED, 3.1, 8.0)]
)
def test_chances_of_colours_are_those_of_simulated_pilots(
    criterion: Criterion, truth: float, out_of: float
) -> None:
    """20,000 pilots: each colour within 4.5 standard errors."""
    rng = np.random.default_rng(1)
    counts = (
        rng.binomial(int(out_of), truth, 20_000)
        if criterion.kind == "proportion"
        else rng.poisson(truth * out_of, 20_000)
    )
    colours = {int(c): judge(criterion, int(c), out_of, level=0.95).colour for c in np.unique(counts)}
    seen = np.array([colours[int(c)] for c in counts])
    found = chances(criterion, truth, out_of)
    assert sum(found.values()) == pytest.approx(1, abs=1e-9)
    for name, chance in found.items():
        assert (seen == name).mean() == pytest.approx(chance, abs=4.5 * 0.5 / 20_000**0.5)


@pytest.mark.parametrize("criterion, power", [(CONSENT, 0.8), (CONSENT, 0.9), (LOST, 0.8)])
def test_the_size_asked_for_has_the_power_and_every_larger_one_too(
    criterion: Criterion, power: float
) -> None:
    """The power of the exact test, computed here from the binomial law alone."""

    def exact(people: int) -> float:
        counts = np.arange(people + 1)
        if criterion.better == "higher":
            p = binom.sf(counts - 1, people, criterion.red)
        else:
            p = binom.cdf(counts, people, criterion.red)
        return float(binom.pmf(counts, people, criterion.green)[p <= criterion.alpha].sum())

    needed = people_needed(criterion, power)
    assert exact(needed - 1) < power
    assert all(exact(people) >= power for people in range(needed, needed + 120))


@pytest.mark.parametrize("count, out_of", [(5, 4), (-1, 4), (0, 0), (2, 4.5)])
def test_counts_that_cannot_be_are_refused(count: int, out_of: float) -> None:
    with pytest.raises(MonitoringRefused, match="Give the counts themselves"):
        judge(CONSENT, count, out_of, level=0.95)


@pytest.mark.parametrize(
    "changes", [{"green": 0.4}, {"green": 70.0}, {"red": -0.1}, {"alpha": 5.0}, {"better": "lower"}]
)
def test_limits_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    from dataclasses import replace

    with pytest.raises(MonitoringRefused):
        replace(CONSENT, **changes)
