"""Schedules over periods: what the declaration refuses, and what draws keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from design_examples import make_design
from experiments.design import DesignRefused

WEDGE: dict[str, Any] = {
    "cluster": "school",
    "period": "term",
    "periods": [1, 2, 3],
    "measurement": "cross-sectional",
    "schedule": {"early": ["usual", "new", "new"], "late": ["usual", "usual", "new"]},
}
HALVES = {"usual": "1/2", "new": "1/2"}


def cells(clusters: int, periods: int, **columns: Any) -> pd.DataFrame:
    """One row per cluster and period."""
    cluster = np.repeat(np.arange(clusters), periods)
    made = {"school": cluster, "term": np.tile(np.arange(1, periods + 1), clusters)}
    made |= {name: np.asarray(values)[cluster] for name, values in columns.items()}
    return pd.DataFrame(made, index=[f"r{i}" for i in range(len(cluster))])


def test_a_wedge_only_moves_forwards_and_sequences_are_even() -> None:
    design = make_design("stepped_wedge", HALVES, WEDGE)
    roster = cells(10, 3)
    codes = design.draw_many(roster, 500, np.random.default_rng(1)).reshape(500, 10, 3)
    assert (np.diff(codes, axis=2) >= 0).all()
    assert (codes[:, :, 1].sum(axis=1) == 5).all()
    drawn = design.draw(roster, np.random.default_rng(2))
    assert drawn.detail is not None
    early = drawn.detail["sequence"] == "early"
    assert ((drawn.arm == "new") == (roster["term"] >= np.where(early, 2, 3))).all()


def test_people_of_a_cluster_and_period_share_an_arm() -> None:
    roster = pd.concat([cells(6, 3)] * 4).reset_index(drop=True)
    codes = make_design("stepped_wedge", HALVES, WEDGE).draw_many(roster, 50, np.random.default_rng(1))
    for _, rows in roster.groupby(["school", "term"]).groups.items():
        assert (codes[:, rows] == codes[:, rows[:1]]).all()


def test_batches_open_their_own_sequences() -> None:
    wedge = {
        "cluster": "school",
        "period": "term",
        "periods": [1, 2, 3, 4],
        "measurement": "cross-sectional",
        "schedule": {
            "a": ["usual", "new", "new", "-"],
            "b": ["usual", "usual", "new", "-"],
            "c": ["-", "usual", "new", "new"],
            "d": ["-", "usual", "usual", "new"],
        },
        "batch": "batch",
        "batch_sequences": {"first": ["a", "b"], "second": ["c", "d"]},
    }
    design = make_design("stepped_wedge", HALVES, wedge)
    roster = cells(9, 4, batch=["first"] * 4 + ["second"] * 5)
    codes = design.draw_many(roster, 300, np.random.default_rng(1)).reshape(300, 9, 4)
    assert (codes[:, :4, 3] == -1).all()
    assert (codes[:, 4:, 0] == -1).all()
    assert (codes[:, :4, 1].sum(axis=1) == 2).all()
    assert design.block_columns == ("batch",)
    # Four clusters in two pairs of two, five in two and three either way: 6 x 20.
    assert design.number_of_draws(roster).number == 120
    with pytest.raises(DesignRefused, match="batches without sequences"):
        design.draw(roster.replace({"batch": {"second": "third"}}), np.random.default_rng(1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"schedule": {**WEDGE["schedule"], "back": ["usual", "new", "usual"]}},
            "return to an arm already left",
        ),
        ({"schedule": {"early": ["usual", "new"], "late": ["usual", "usual", "new"]}}, "2 cells"),
        ({"schedule": {"early": ["usual", "old", "new"], "late": ["usual", "usual", "new"]}}, "'old'"),
        (
            {"schedule": {"early": ["usual", "new", "new"], "late": ["usual", "new", "new"]}},
            "two sequences with the same cells",
        ),
        ({"measurement": "closed cohort"}, "roster column of people"),
        ({"clusters_per_sequence": {"soon": 3}}, "'soon'"),
        ({"periods": [1, 2, 2]}, "a period named twice"),
    ],
)
def test_a_wedge_that_cannot_be_is_refused_when_declared(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DesignRefused, match=said):
        make_design("stepped_wedge", HALVES, {**WEDGE, **change})


def test_shares_must_be_those_of_the_schedule_and_are_given() -> None:
    with pytest.raises(DesignRefused, match="usual 1/2, new 1/2"):
        make_design("stepped_wedge", {"usual": "1/3", "new": "2/3"}, WEDGE)


def test_more_steps_than_clusters_are_refused() -> None:
    with pytest.raises(DesignRefused, match="1 clusters for 2 sequences"):
        make_design("stepped_wedge", HALVES, WEDGE).draw(cells(1, 3), np.random.default_rng(1))


def test_a_row_outside_the_periods_is_refused() -> None:
    with pytest.raises(DesignRefused, match="4 rows whose 'term' is not a period"):
        make_design("stepped_wedge", HALVES, WEDGE).chance(cells(4, 4))


def test_fixed_numbers_per_sequence_are_kept() -> None:
    wedge = {**WEDGE, "clusters_per_sequence": {"early": 3, "late": 1}}
    design = make_design("stepped_wedge", {"usual": "5/12", "new": "7/12"}, wedge)
    codes = design.draw_many(cells(4, 3), 200, np.random.default_rng(1)).reshape(200, 4, 3)
    assert (codes[:, :, 1].sum(axis=1) == 3).all()
    with pytest.raises(DesignRefused, match="places for 4 clusters, with 5"):
        design.chance(cells(5, 3))


def test_a_closed_cohort_has_everybody_in_every_period() -> None:
    design = make_design(
        "stepped_wedge", HALVES, {**WEDGE, "measurement": "closed cohort", "person": "person"}
    )
    roster = cells(4, 3, person=list("abcd"))
    assert design.chance(roster).shape == (12, 2)
    with pytest.raises(DesignRefused, match="1 people-periods without a row"):
        design.chance(roster.iloc[1:])
    moved = roster.assign(school=np.where(np.arange(12) == 0, 3, roster["school"]))
    with pytest.raises(DesignRefused, match="more than one value of 'school'"):
        design.chance(moved)


CROSS: dict[str, Any] = {
    "cluster": "school",
    "period": "term",
    "periods": [1, 2, 3],
    "drawn": "sequences",
    "carry_over_periods": 1,
    "washout": [2],
    "schedule": {"ab": ["usual", "usual", "new"], "ba": ["new", "new", "usual"]},
}


def test_a_crossover_by_sequences_gives_every_place_both_arms() -> None:
    design = make_design("crossover", HALVES, CROSS)
    roster = cells(6, 3)
    kept = roster[roster["term"] != 2]
    codes = design.draw_many(kept, 200, np.random.default_rng(1)).reshape(200, 6, 2)
    assert (codes.sum(axis=2) == 1).all()
    assert (codes[:, :, 0].sum(axis=1) == 3).all()
    with pytest.raises(DesignRefused, match="6 rows whose 'term' is not a period"):
        design.chance(roster)


def test_periods_within_places_keep_every_place_s_share() -> None:
    design = make_design(
        "crossover",
        {"patrol": "2/5", "usual": "3/5"},
        {
            "cluster": "school",
            "period": "term",
            "periods": [1, 2, 3, 4, 5],
            "drawn": "periods within places",
            "carry_over_periods": 0,
        },
    )
    codes = design.draw_many(cells(7, 5), 200, np.random.default_rng(1)).reshape(200, 7, 5)
    assert ((codes == 0).sum(axis=2) == 2).all()
    assert not (codes == codes[:, :1]).all()
    assert design.number_of_draws(cells(7, 5)).number == 10**7


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"carry_over_periods": 2}, "2 changes of arm with fewer than 2 washout periods"),
        ({"washout": []}, "2 changes of arm"),
        ({"washout": [9]}, "1 unknown periods"),
        ({"schedule": {}}, "0 sequences"),
    ],
)
def test_a_crossover_without_room_for_washout_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DesignRefused, match=said):
        make_design("crossover", HALVES, {**CROSS, **change})


def test_a_dash_in_a_sequence_counts_as_washout() -> None:
    schedule = {"ab": ["usual", "-", "new"], "ba": ["new", "-", "usual"]}
    design = make_design("crossover", HALVES, {**CROSS, "washout": [], "schedule": schedule})
    codes = design.draw_many(cells(4, 3), 20, np.random.default_rng(1)).reshape(20, 4, 3)
    assert (codes[:, :, 1] == -1).all()
    np.testing.assert_allclose(design.chance(cells(4, 3)).sum(axis=1), [1, 0, 1] * 4)
