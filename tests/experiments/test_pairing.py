"""Optimal pairs, against brute force, another algorithm, and pairs that anybody can see."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from design_examples import make_design
from experiments.design import DesignRefused
from experiments.pairing import optimal_pairs, squared_distances

HALVES = {"mentoring": "1/2", "usual": "1/2"}


def cost(distance: np.ndarray, pair: np.ndarray) -> float:
    return sum(distance[np.ix_(pair == p, pair == p)].sum() / 2 for p in np.unique(pair))


def brute(distance: np.ndarray, free: tuple[int, ...]) -> float:
    if not free:
        return 0.0
    first, rest = free[0], free[1:]
    return min(distance[first, j] + brute(distance, tuple(k for k in rest if k != j)) for j in rest)


@pytest.mark.parametrize("units", [2, 4, 6, 8, 10])
def test_no_pairing_is_better(units: int) -> None:
    distance = squared_distances(np.random.default_rng(units).normal(size=(units, 2)), "mahalanobis")
    pair = optimal_pairs(distance)
    assert (np.bincount(pair) == 2).all()
    np.testing.assert_allclose(cost(distance, pair), brute(distance, tuple(range(units))), rtol=1e-9)


@pytest.mark.parametrize(("units", "columns"), [(40, 1), (60, 3), (80, 6)])
def test_it_agrees_with_the_blossom_algorithm(units: int, columns: int) -> None:
    """networkx's blossom algorithm, an independent exact method, on all pairs."""
    distance = squared_distances(np.random.default_rng(units).normal(size=(units, columns)), "mahalanobis")
    graph = nx.Graph()
    graph.add_weighted_edges_from((i, j, 1e3 - distance[i, j]) for i in range(units) for j in range(i))
    best = sum(distance[i, j] for i, j in nx.max_weight_matching(graph, maxcardinality=True))
    np.testing.assert_allclose(cost(distance, optimal_pairs(distance)), best, rtol=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_starting_from_one_neighbour_each_still_finds_the_best(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prices must bring in the edges that the nearest neighbours leave out."""
    monkeypatch.setattr("experiments.pairing.NEIGHBOURS", 1)
    distance = squared_distances(np.random.default_rng(seed).normal(size=(10, 2)), "mahalanobis")
    np.testing.assert_allclose(
        cost(distance, optimal_pairs(distance)), brute(distance, tuple(range(10))), rtol=1e-9
    )


def test_neighbours_far_from_everybody_else_still_get_paired() -> None:
    """Eleven near one another and one far away: its nearest neighbours all prefer others."""
    x = np.append(np.linspace(0, 1, 11), 100.0)[:, None]
    pair = optimal_pairs(squared_distances(x, "mahalanobis"))
    assert pair[11] == pair[10]


def test_the_distance_is_mahalanobis_and_ranks_forget_outliers() -> None:
    x = np.random.default_rng(1).normal(size=(30, 2)) @ np.array([[2.0, 1.0], [0.0, 0.5]])
    inverse = np.linalg.inv(np.cov(x, rowvar=False))
    step = x[3] - x[7]
    np.testing.assert_allclose(squared_distances(x, "mahalanobis")[3, 7], step @ inverse @ step)
    wild = x.copy()
    wild[np.argmax(x[:, 0]), 0] += 1e6
    np.testing.assert_allclose(
        squared_distances(x, "rank mahalanobis"), squared_distances(wild, "rank mahalanobis")
    )


def test_pairs_of_clusters_are_made_on_their_means_within_exact_groups() -> None:
    rng = np.random.default_rng(2)
    school = np.repeat(np.arange(8), 5)
    roster = pd.DataFrame(
        {
            "school": school,
            "borough": np.where(school % 2 == 0, "east", "west"),
            "rate": np.array([1, 1, 9, 9, 1.1, 1.1, 9.1, 9.1])[school] + rng.normal(size=40) * 0.01,
        },
        index=[f"p{i}" for i in range(40)],
    )
    design = make_design(
        "matched_pairs",
        HALVES,
        {
            "pair": "pair",
            "match_on": ["rate"],
            "exact_on": ["borough"],
            "distance": "mahalanobis",
            "cluster": "school",
        },
    )
    pairs = design.pairs(roster)  # type: ignore[attr-defined]
    met = {frozenset(group) for group in pd.Series(school).groupby(pairs.to_numpy()).unique().map(tuple)}
    assert met == {frozenset(p) for p in ((0, 4), (2, 6), (1, 5), (3, 7))}
    drawn = design.draw(roster, rng)
    assert drawn.detail is not None
    assert drawn.arm.groupby(school).nunique().max() == 1
    stored = roster.assign(pair=pairs)
    assert (
        drawn.arm[school < 8].groupby([stored["pair"], stored["school"]]).first().groupby("pair").nunique()
        == 2
    ).all()


def test_an_odd_number_and_uneven_pairs_are_refused() -> None:
    roster = pd.DataFrame({"age": np.arange(5.0)}, index=list("abcde"))
    made = make_design(
        "matched_pairs", HALVES, {"pair": "pair", "match_on": ["age"], "distance": "mahalanobis"}
    )
    with pytest.raises(DesignRefused, match="5 units to pair"):
        made.draw(roster, np.random.default_rng(1))
    given = make_design("matched_pairs", HALVES, {"pair": "pair"})
    with pytest.raises(DesignRefused, match="1 of 2 pairs or sets of a size that the shares do not divide"):
        given.draw(roster.assign(pair=["x", "x", "y", "y", "y"]), np.random.default_rng(1))


def test_sets_of_three_arms_come_from_the_roster() -> None:
    thirds = {"mentoring": "1/3", "coaching": "1/3", "usual": "1/3"}
    roster = pd.DataFrame({"trio": list("xxxyyy"), "age": np.arange(6.0)}, index=list("abcdef"))
    design = make_design("matched_pairs", thirds, {"pair": "trio"})
    assert design.number_of_draws(roster).number == 36
    with pytest.raises(DesignRefused, match="two arms of equal share"):
        make_design(
            "matched_pairs", thirds, {"pair": "set", "match_on": ["age"], "distance": "mahalanobis"}
        ).draw(roster, np.random.default_rng(1))
