"""The arithmetic of randomisation tests against one assignment at a time, written the long way."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluation.inference import stratified_difference
from evaluation.inference.drawn_units import drawn_units
from evaluation.inference.randomisation_test import redraw_test
from evaluation.inference.statistics import scaled, shifted, statistic_of, variance_for
from experiments.designs.blocked import Blocked
from experiments.designs.clustered import Clustered
from experiments.designs.complete import Complete
from experiments.designs.matched_pairs import MatchedPairs
from experiments.subsets import draw_subsets
from redrawn_trials import HALVES, arms, drawn_sample


def studentised(y: Any, z: Any) -> float:
    """Neyman's t, one assignment, the long way."""
    y1, y0 = y[z == 1], y[z == 0]
    return float((y1.mean() - y0.mean()) / np.sqrt(y1.var(ddof=1) / len(y1) + y0.var(ddof=1) / len(y0)))


def listed(n: int, m: int) -> list[Any]:
    return [np.isin(np.arange(n), chosen).astype(int) for chosen in combinations(range(n), m)]


@pytest.fixture
def small() -> Any:
    rng = np.random.default_rng(4)
    roster = pd.DataFrame(index=range(9))
    codes = np.array([1, 0, 0, 1, 0, 1, 0, 0, 1])
    return Complete(arms=arms(Fraction(4, 9))), roster, codes, rng.normal(size=9) + 1.5 * codes


def p_the_long_way(y: Any, codes: Any, tau: float) -> float:
    null = y - tau * codes
    seen = abs(studentised(null, codes))
    return float(np.mean([abs(studentised(null, z)) >= seen - 1e-9 for z in listed(9, 4)]))


def test_p_values_and_interval_are_those_of_every_assignment(small: Any) -> None:
    design, roster, codes, y = small
    sample = drawn_sample(design, roster, codes, y)
    rng = np.random.default_rng(0)
    result = redraw_test(sample, statistic="studentised", redraws=200, level=0.90, rng=rng)
    assert result.exact and len(result.redrawn) == 126
    assert result.p == pytest.approx(p_the_long_way(y, codes, 0.0))
    for end, outwards in ((result.low, -1e-6), (result.high, 1e-6)):
        assert p_the_long_way(y, codes, end - outwards) > 0.10
        assert p_the_long_way(y, codes, end + outwards) <= 0.10


def test_ratio_interval_inverts_the_test_of_one_factor(small: Any) -> None:
    design, roster, codes, y = small
    counts = np.round(np.exp(y) * 2 + 1)
    sample = drawn_sample(design, roster, codes, counts, kind="count")
    rng = np.random.default_rng(0)
    result = redraw_test(sample, statistic="studentised", redraws=200, level=0.90, rng=rng, ratio=True)

    def p(ratio: float) -> float:
        null = np.where(codes == 1, counts / ratio, counts)
        seen = abs(studentised(null, codes))
        return float(np.mean([abs(studentised(null, z)) >= seen - 1e-9 for z in listed(9, 4)]))

    assert result.value == pytest.approx(counts[codes == 1].mean() / counts[codes == 0].mean())
    assert result.p == pytest.approx(p(1.0))
    assert p(result.low * 1.000001) > 0.10 >= p(result.low * 0.999999)
    assert p(result.high * 0.999999) > 0.10 >= p(result.high * 1.000001)


def test_too_few_assignments_leave_the_interval_open() -> None:
    """With three of six treated the smallest two-sided p is 2 / 20."""
    codes = np.array([1, 1, 1, 0, 0, 0])
    sample = drawn_sample(Complete(arms=HALVES), pd.DataFrame(index=range(6)), codes, [9, 8, 7, 1, 2, 3.5])
    result = redraw_test(
        sample, statistic="difference", redraws=100, level=0.95, rng=np.random.default_rng(0)
    )
    assert result.p == pytest.approx(0.1)
    assert np.isinf(result.low) and np.isinf(result.high)


def coefficients(sample: Any, *, ratio: bool = False) -> Any:
    units = drawn_units(sample, rate=False)
    a, b = scaled(units) if ratio else shifted(units)
    return statistic_of(units, a, b, variance_for(units))(units.treated[None, :])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(-3, 3))
def test_studentising_uses_the_variance_of_the_estimators(seed: int, tau: float) -> None:
    """In blocks it is Neyman's, in pairs that between pairs, at every hypothesised effect."""
    rng = np.random.default_rng(seed)
    block = np.repeat([0, 1, 2], [6, 8, 12])
    roster = pd.DataFrame({"site": block})
    blocked = Blocked(arms=HALVES, block_by=("site",))
    codes = blocked.draw_many(roster, 1, rng)[0]
    y = 50 + rng.normal(size=26) + block
    found = coefficients(drawn_sample(blocked, roster, codes, y))
    expected = stratified_difference.in_blocks(y - tau * codes, codes == 1, block)
    assert_allclose(found.difference(tau), expected.value, atol=1e-10)
    assert_allclose(found.variance(tau), expected.variance, rtol=1e-9)

    roster = pd.DataFrame({"couple": np.repeat(np.arange(13), 2)})
    paired = MatchedPairs(arms=HALVES, pair="couple")
    codes = paired.draw_many(roster, 1, rng)[0]
    found = coefficients(drawn_sample(paired, roster, codes, y))
    expected = stratified_difference.in_pairs(
        y - tau * codes, codes == 1, roster["couple"].to_numpy(np.int64)
    )
    assert_allclose(found.difference(tau), expected.value, atol=1e-10)
    assert_allclose(found.variance(tau), expected.variance, rtol=1e-9)


def test_clusters_count_by_their_size() -> None:
    rng = np.random.default_rng(8)
    school = np.repeat(np.arange(10), rng.integers(3, 12, 10))
    roster = pd.DataFrame({"school": school})
    design = Clustered(arms=HALVES, cluster="school")
    codes = design.draw_many(roster, 1, rng)[0]
    y = rng.normal(size=len(school)) + rng.normal(size=10)[school]
    found = coefficients(drawn_sample(design, roster, codes, y))
    assert_allclose(found.d0[0], y[codes == 1].mean() - y[codes == 0].mean())
    variance = 0.0
    for arm in (0, 1):
        inside = codes == arm
        residual = y[inside] - y[inside].mean()
        totals = [residual[school[inside] == s].sum() for s in np.unique(school[inside])]
        variance += 5 / 4 * np.square(totals).sum() / inside.sum() ** 2
    assert_allclose(found.v0[0], variance)


def test_unequal_chances_inside_a_stratum_are_weighted_away() -> None:
    """Hajek's weights for simple draws of one stratum, set beside the formula."""
    rng = np.random.default_rng(3)
    y, z = rng.normal(size=40), rng.integers(0, 2, 40)
    chance = np.where(np.arange(40) < 20, 0.3, 0.6)
    roster = pd.DataFrame(index=range(40))

    class Uneven(Complete):
        def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
            return pd.DataFrame({"control": 1 - chance, "treated": chance}, index=roster.index)

    found = coefficients(drawn_sample(Uneven(arms=HALVES), roster, z, y))
    value, variance = 0.0, 0.0
    for arm, p, sign in ((1, chance, 1), (0, 1 - chance, -1)):
        w, inside = 1 / p[z == arm], y[z == arm]
        mean = (w * inside).sum() / w.sum()
        value += sign * mean
        variance += len(w) / (len(w) - 1) * (w**2 * (inside - mean) ** 2).sum() / w.sum() ** 2
    assert_allclose(found.d0[0], value)
    assert_allclose(found.v0[0], variance)


@pytest.mark.parametrize(("units", "size"), [(5, 2), (6, 3), (5, 0), (4, 4), (7, 6)])
def test_every_subset_is_as_likely_as_any_other(units: int, size: int) -> None:
    """Chi-square over all subsets at 20,000 draws; its 99.9% point bounds chance."""
    drawn = draw_subsets(20_000, units, size, np.random.default_rng(12))
    assert (drawn.sum(axis=1) == size).all()
    code = drawn.astype(int) @ (1 << np.arange(units))
    subsets = [sum(bits[i] << i for i in range(units)) for bits in product((0, 1), repeat=units)]
    expected = [s for s in subsets if bin(s).count("1") == size]
    counts = np.array([(code == s).sum() for s in expected])
    assert counts.sum() == 20_000
    mean = 20_000 / len(expected)
    statistic = ((counts - mean) ** 2 / mean).sum()
    df = len(expected) - 1
    assert statistic <= df + 3.1 * np.sqrt(2 * df) + 7
