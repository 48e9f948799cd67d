"""Corrections for several questions against R's p.adjust, and against their own definitions."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluation.inference.corrections import Correction, FamilyRefused, corrected

OURS: dict[str, Correction] = {
    "holm": "holm",
    "hochberg": "hochberg",
    "hommel": "hommel",
    "bonferroni": "bonferroni",
    "BH": "benjamini_hochberg",
    "fdr": "benjamini_hochberg",
    "BY": "benjamini_yekutieli",
    "none": "none",
}


@pytest.mark.parametrize("method", OURS)
def test_matches_p_adjust_in_any_order(golden: Any, method: str) -> None:
    case = golden("padjust")
    p = np.array(case.expected["p"])
    shuffle = np.random.default_rng(3).permutation(len(p))
    adjusted = corrected(p[shuffle], OURS[method])
    assert_allclose(adjusted, np.array(case.expected[method])[shuffle], atol=case.tolerance["p"], rtol=0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=7))
def test_hommel_is_the_closed_test_of_simes_tests(values: list[float]) -> None:
    """An adjusted p is the largest Simes p-value over all the subsets that hold the question."""
    p = np.array(values)
    expected = np.zeros(len(p))
    for size in range(1, len(p) + 1):
        for subset in combinations(range(len(p)), size):
            ranked = np.sort(p[list(subset)])
            simes = (size * ranked / np.arange(1, size + 1)).min()
            for member in subset:
                expected[member] = max(expected[member], simes)
    assert_allclose(corrected(p, "hommel"), np.minimum(expected, 1.0), atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_stronger_procedures_never_give_larger_p_values(values: list[float]) -> None:
    p = np.array(values)
    chain = [corrected(p, m) for m in ("none", "hommel", "hochberg", "holm", "bonferroni")]
    for stronger, weaker in pairwise(chain):
        assert (stronger <= weaker + 1e-12).all()


def test_a_missing_p_value_is_counted_not_dropped() -> None:
    with pytest.raises(FamilyRefused, match="1 of 3 missing"):
        corrected(np.array([0.1, np.nan, 0.2]), "holm")
