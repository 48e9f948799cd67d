"""Places left over: the law is exact, keeps every share exactly, and is what the draws follow."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from experiments.remainders import law, mean_products, places
from experiments.roster import DesignRefused


@st.composite
def shares(draw: st.DrawFn) -> tuple[Fraction, ...]:
    parts = draw(st.lists(st.integers(1, 12), min_size=2, max_size=5))
    return tuple(Fraction(p, sum(parts)) for p in parts)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), shares())
def test_the_law_keeps_every_share_exactly(units: int, f: tuple[Fraction, ...]) -> None:
    found = law(units, f)
    assert sum(p for _, p in found) == 1
    for k, share in enumerate(f):
        assert sum(p * counts[k] for counts, p in found) == units * share
        assert all(0 <= counts[k] - int(units * share) <= 1 for counts, _ in found)
    assert all(sum(counts) == units for counts, _ in found)


@pytest.mark.parametrize(
    ("units", "f"),
    [
        (5, (Fraction(1, 3),) * 3),
        (11, (Fraction(1, 5), Fraction(7, 10), Fraction(1, 10))),
        # Four unequal remainders that sum to two: the general systematic case.
        (7, (Fraction(3, 35), Fraction(8, 35), Fraction(11, 35), Fraction(13, 35))),
    ],
)
def test_draws_follow_the_law(units: int, f: tuple[Fraction, ...]) -> None:
    """A chi-square of 20,000 draws against the law; fixed seed, so it passes or fails for good."""
    found = law(units, f)
    drawn = places(units, f, 20_000, np.random.default_rng(1))
    seen = np.array([(drawn == np.array(counts)).all(axis=1).sum() for counts, _ in found])
    assert seen.sum() == 20_000
    if len(found) > 1:
        assert chisquare(seen, [float(p) * 20_000 for _, p in found]).pvalue > 1e-3


def test_mean_products_are_the_law_s() -> None:
    f = (Fraction(1, 2), Fraction(1, 2))
    # Five units: (2, 3) or (3, 2), so E[c1 c2] = 6 and E[c1^2] = (4 + 9) / 2.
    np.testing.assert_allclose(mean_products(5, f), [[6.5, 6.0], [6.0, 6.5]])


def test_shares_too_fine_for_exact_arithmetic_are_refused() -> None:
    fine = Fraction(1, 2**61 - 1)
    with pytest.raises(DesignRefused, match="62 bits"):
        places(3, (fine, 1 - fine), 1, np.random.default_rng(1))
