"""Rosters are refused for what would spoil a draw, by column and count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from design_examples import make_design
from experiments.design import DesignRefused
from experiments.ids import distinct_ignoring_case
from experiments.roster import check_roster, drawn_units, strata

HALVES = {"mentoring": "1/2", "usual": "1/2"}


@given(st.lists(st.text(max_size=12), min_size=1, max_size=30))
def test_ids_are_told_apart_as_a_slow_reading_would(ids: list[str]) -> None:
    index = pd.Index(ids, dtype="str")
    folded = index.str.strip().str.lower()
    assert distinct_ignoring_case(index) == (folded.is_unique and not (folded == "").any())


@given(st.lists(st.text("ABab01", min_size=1, max_size=9), min_size=1, max_size=40))
def test_ids_over_few_letters_are_told_apart(ids: list[str]) -> None:
    assert distinct_ignoring_case(pd.Index(ids, dtype="str")) == (len({i.lower() for i in ids}) == len(ids))


def test_one_repeat_among_a_hundred_thousand_shuffled_ids_is_found() -> None:
    ids = [f"P{i:06d}" for i in np.random.default_rng(1).permutation(100_000)]
    assert distinct_ignoring_case(pd.Index(ids))
    ids[77_000] = ids[3].lower()
    assert not distinct_ignoring_case(pd.Index(ids))


def test_numbers_serve_as_ids_and_several_columns_do_not() -> None:
    check_roster(pd.DataFrame({"x": [1, 2]}, index=[10, 20]))
    with pytest.raises(DesignRefused, match="1 repeated ids"):
        check_roster(pd.DataFrame({"x": [1, 2]}, index=[10, 10]))
    with pytest.raises(DesignRefused, match="ids in several columns"):
        check_roster(pd.DataFrame({"x": [1]}, index=pd.MultiIndex.from_tuples([("a", 1)])))


def test_an_empty_value_of_a_block_is_missing() -> None:
    roster = pd.DataFrame({"borough": ["east", " ", "east", ""]}, index=list("abcd"))
    with pytest.raises(DesignRefused, match="2 missing values in 'borough'"):
        check_roster(roster, "borough")


def test_a_cluster_in_two_blocks_is_counted_and_not_named() -> None:
    roster = pd.DataFrame(
        {"school": ["s1", "s1", "s2", "s2", "s3", "s4"], "borough": ["e", "w", "e", "e", "w", "w"]},
        index=list("abcdef"),
    )
    with pytest.raises(DesignRefused, match=r"1 clusters \('school'\) that span two or more blocks") as said:
        drawn_units(roster, "school", strata(roster, ("borough",)).code)
    assert "s1" not in str(said.value)


def test_a_block_with_fewer_units_than_arms_is_refused() -> None:
    roster = pd.DataFrame({"borough": ["e", "e", "w"]}, index=list("abc"))
    design = make_design("blocked", HALVES, {"block_by": ["borough"]})
    with pytest.raises(DesignRefused, match=r"1 of 2 blocks \(borough\) with fewer units than arms"):
        design.draw(roster, np.random.default_rng(1))


def test_a_share_or_count_for_an_empty_block_is_refused() -> None:
    roster = pd.DataFrame({"borough": ["e", "e", "w", "w"]}, index=list("abcd"))
    for options in (
        {"counts_by_block": {"north": {"mentoring": 1}}},
        {"shares_by_block": {"north": {"mentoring": "1/4", "usual": "3/4"}}},
    ):
        design = make_design("blocked", HALVES, {"block_by": ["borough"], **options})
        with pytest.raises(DesignRefused, match="a block that has no units in the roster"):
            design.chance(roster)


def test_counts_that_do_not_fit_the_units_are_refused() -> None:
    roster = pd.DataFrame(index=list("abcd"))
    for counts in ({"mentoring": 5}, {"mentoring": 1, "usual": 1}, {"mentoring": -1}):
        with pytest.raises(DesignRefused, match="counts that sum to"):
            make_design("complete", HALVES, {"counts": counts}).chance(roster)
    with pytest.raises(DesignRefused, match="'coaching'"):
        make_design("complete", HALVES, {"counts": {"coaching": 2}}).chance(roster)


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ({"mentoring": "1/2", "usual": "1/3"}, "shares that sum to 5/6"),
        ({"mentoring": "1"}, "1 arm;"),
        ({"mentoring": "3/2", "usual": "-1/2"}, "a share of zero or less"),
    ],
)
def test_shares_that_are_no_shares_are_refused(arms: dict[str, str], said: str) -> None:
    with pytest.raises(DesignRefused, match=said):
        make_design("complete", arms, {})


def test_what_is_done_about_shares_that_do_not_divide_is_said() -> None:
    roster = pd.DataFrame({"borough": list("eeeeewwww")}, index=list("abcdefghi"))
    design = make_design("blocked", HALVES, {"block_by": ["borough"]})
    said = design.how_shares_are_met(roster)  # type: ignore[attr-defined]
    assert said.startswith("In 1 of 2 strata the shares do not divide the units")
    assert "exactly its arm's share" in said
    even = make_design("complete", HALVES, {}).how_shares_are_met(roster.iloc[:8])  # type: ignore[attr-defined]
    assert even == "The shares divide the units exactly in all 1 strata."
