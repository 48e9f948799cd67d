"""All 21 cases of randomizr 1.0.0: chances to 1e-12, and numbers of possible draws exactly.

Where its numbers and ours differ, the difference is in what is counted. With places left over after
the whole parts, randomizr fills them by independent draws among the arms and counts every ordered way
of doing so, even ways that lead to the same assignment or that have no chance. We give an arm at
most one more place, and count the different assignments that can happen. `as_randomizr_counts` does
its sum from our whole places, and the two counts are shown side by side.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import factorial, prod
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from design_examples import make_design
from experiments.design import Design
from experiments.plan_of_places import Plan
from experiments.remainders import whole_and_left

HALVES = {"0": "1/2", "1": "1/2"}
THIRDS = {"T1": "1/3", "T2": "1/3", "T3": "1/3"}


def arms(*shares: str) -> dict[str, str]:
    labels = ("0", "1") if len(shares) == 2 else tuple(f"T{i + 1}" for i in range(len(shares)))
    return dict(zip(labels, shares, strict=True))


# name: scheme, arms, options, number of rows (or the file that has them), distinct draws where they
# differ from randomizr's count
CASES: dict[str, tuple[str, dict[str, str], dict[str, Any], int | str, int | None]] = {
    "complete N=100": ("complete", HALVES, {}, 100, None),
    "complete N=101": ("complete", HALVES, {}, 101, None),
    "complete N=100 m=30": ("complete", HALVES, {"counts": {"1": 30}}, 100, None),
    "complete N=7 prob=.5": ("complete", HALVES, {}, 7, None),
    "complete N=100 prob=.111": ("complete", arms("889/1000", "111/1000"), {}, 100, None),
    "complete N=100 m_each=30,30,40": (
        "complete",
        THIRDS,
        {"counts": {"T1": 30, "T2": 30, "T3": 40}},
        100,
        None,
    ),
    "complete N=100 num_arms=3": ("complete", THIRDS, {}, 100, None),
    "complete N=100 prob_each=.2,.7,.1": ("complete", arms("1/5", "7/10", "1/10"), {}, 100, None),
    "complete N=11 prob_each=.2,.7,.1": ("complete", arms("1/5", "7/10", "1/10"), {}, 11, None),
    "simple N=100 prob=.3": ("simple", arms("7/10", "3/10"), {}, 100, None),
    "block 50/100/200 default": ("blocked", HALVES, {"block_by": ["block"]}, "blocks", None),
    "block m=10": (
        "blocked",
        HALVES,
        {"block_by": ["block"], "counts_by_block": {"A": {"1": 20}, "B": {"1": 30}, "C": {"1": 40}}},
        "blocks",
        None,
    ),
    "block prob=.1,.2,.3": (
        "blocked",
        HALVES,
        {
            "block_by": ["block"],
            "shares_by_block": {
                "A": {"0": "9/10", "1": "1/10"},
                "B": {"0": "4/5", "1": "1/5"},
                "C": {"0": "7/10", "1": "3/10"},
            },
        },
        "blocks",
        None,
    ),
    "block prob_each .1,.1,.8": (
        "blocked",
        arms("1/10", "1/10", "4/5"),
        {"block_by": ["block"]},
        "blocks",
        None,
    ),
    "block block_m_each": (
        "blocked",
        HALVES,
        {
            "block_by": ["block"],
            "counts_by_block": {
                "A": {"0": 25, "1": 25},
                "B": {"0": 50, "1": 50},
                "C": {"0": 100, "1": 100},
            },
        },
        "blocks",
        None,
    ),
    "cluster 15 default": ("clustered", HALVES, {"cluster": "cluster"}, "clusters", None),
    "cluster 15 m=5": ("clustered", HALVES, {"cluster": "cluster", "counts": {"1": 5}}, "clusters", None),
    "cluster 15 3 arms": ("clustered", THIRDS, {"cluster": "cluster"}, "clusters", None),
    "block_cluster default": (
        "blocked_clusters",
        HALVES,
        {"cluster": "cluster", "block_by": ["block"]},
        "clusters",
        None,
    ),
    # Five clusters a block. Whole places 1, 1, 1 and two over: ours 3 x 5!/(2! 2! 1!) = 90 a block.
    "block_cluster num_arms=3": (
        "blocked_clusters",
        THIRDS,
        {"cluster": "cluster", "block_by": ["block"]},
        "clusters",
        90**3,
    ),
    # Whole places 1, 2, 1 and one over, for T2 or T3 alone: ours 5!/(1! 3! 1!) + 5!/(1! 2! 2!) = 50.
    "block_cluster prob_each .2,.5,.3": (
        "blocked_clusters",
        arms("1/5", "1/2", "3/10"),
        {"cluster": "cluster", "block_by": ["block"]},
        "clusters",
        50**3,
    ),
}


def roster_of(rows: int | str, folder: Any) -> pd.DataFrame:
    if isinstance(rows, int):
        return pd.DataFrame(index=pd.RangeIndex(rows))
    return pd.read_csv(folder / f"{rows}.csv")


def as_randomizr_counts(plan: Plan) -> int:
    """Ordered ways of handing out the places left over, times arrangements, over the strata."""
    return prod(
        _ordered_ways(int(size), shares) for size, shares in zip(plan.sizes, plan.shares, strict=True)
    )


def _ordered_ways(size: int, shares: tuple[Fraction, ...]) -> int:
    whole, left = whole_and_left(size, shares)
    total = 0
    for extra in product(range(len(shares)), repeat=int(sum(left))):
        counts = [w + extra.count(k) for k, w in enumerate(whole)]
        total += factorial(size) // prod(factorial(c) for c in counts)
    return total


def test_every_case_is_here(golden: Any) -> None:
    held = set(golden("randomizr_probabilities").expected)
    assert len(CASES) == 21
    assert held - set(CASES) == {"permutation_matrix N=4 m=2", "permutation_probs N=3 prob_each .51/.49"}


@pytest.mark.parametrize("name", CASES)
def test_chances_match(name: str, golden: Any) -> None:
    reference = golden("randomizr_probabilities")
    wanted = reference.expected[name]["prob"]
    scheme, shares, options, rows, _ = CASES[name]
    design: Design = make_design(scheme, shares, options)
    ours = design.chance(roster_of(rows, reference.folder))
    assert [f"prob_{arm}" for arm in ours.columns] == wanted["colnames"]
    tolerance = reference.tolerance["prob"]
    assert_allclose(ours.iloc[0], wanted["first"], rtol=0, atol=tolerance)
    assert_allclose(ours.sum(), wanted["colsum"], rtol=tolerance)
    unique = np.unique(np.round(ours.to_numpy(), 13), axis=0)
    theirs = np.array([[row[c] for c in wanted["colnames"]] for row in wanted["unique"]])
    # The file prints 15 digits, so a third may differ from ours by 5e-16.
    assert_allclose(unique, theirs[np.lexsort(theirs.T[::-1])], rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
def test_numbers_of_draws_match(name: str, golden: Any) -> None:
    reference = golden("randomizr_probabilities")
    wanted = reference.expected[name]["num_permutations"]
    scheme, shares, options, rows, distinct = CASES[name]
    if wanted is None:
        pytest.skip("the referee gives no number here")
    design: Any = make_design(scheme, shares, options)
    roster = roster_of(rows, reference.folder)
    ours = design.number_of_draws(roster).number
    if distinct is None:
        # The file holds doubles: 2^100 is there to 15 digits.
        assert_allclose(float(ours), wanted, rtol=1e-14)
    else:
        assert ours == distinct
        assert as_randomizr_counts(design.layout(roster).plan) == wanted


def test_the_permutation_matrix_matches(golden: Any) -> None:
    wanted = golden("randomizr_probabilities").expected["permutation_matrix N=4 m=2"]
    listed = make_design("complete", HALVES, {"counts": {"1": 2}}).every_draw(roster_of(4, None), 100)
    theirs = {tuple(column) for column in zip(*wanted["matrix"], strict=True)}
    assert {tuple(row) for row in listed.codes.tolist()} == theirs
    assert_allclose(listed.probability, wanted["perm_probs"], rtol=0, atol=1e-12)


def test_the_permutation_probabilities_match(golden: Any) -> None:
    wanted = golden("randomizr_probabilities").expected["permutation_probs N=3 prob_each .51/.49"]
    design = make_design("complete", arms("51/100", "49/100"), {})
    listed = design.every_draw(roster_of(3, None), 100)
    assert len(listed.codes) == wanted["n"]
    assert_allclose(np.sort(listed.probability), np.sort(wanted["perm_probs"]), rtol=0, atol=1e-12)
