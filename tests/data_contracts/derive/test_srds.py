"""Self-report delinquency against scores counted by hand, whatever the number of acts."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from data_contracts.derive.srds import SrdsRefused, srds_scores
from data_contracts.read import find_contract

TIMES = {0: 0.0, 1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0, 5: 5.0, 6: 8.0, 7: 11.0}


def asked(*rows: list[float]) -> pd.DataFrame:
    acts = len(rows[0])
    return pd.DataFrame(rows, columns=[f"srds_{act:02d}" for act in range(1, acts + 1)], dtype="float64")


def test_variety_counts_acts_and_volume_counts_times() -> None:
    made = srds_scores(asked([0, 1, 6, 7], [0, 0, 0, 0]), times=TIMES, at_least=4)
    assert made["variety"].tolist() == [3, 0]
    assert made["volume"].tolist() == [1 + 8 + 11, 0]
    assert made["answered"].tolist() == [4, 4]


@pytest.mark.parametrize("acts", [1, 9, 15, 17, 19, 24, 30])
def test_any_number_of_acts_is_scored(acts: int) -> None:
    made = srds_scores(asked([2.0] * acts, [0.0] * acts), times=TIMES, at_least=acts)
    assert made["variety"].tolist() == [acts, 0]
    assert made["volume"].tolist() == [2 * acts, 0]


def test_unanswered_acts_are_not_scaled_up() -> None:
    made = srds_scores(asked([3, 1, np.nan, np.nan]), times=TIMES, at_least=2).iloc[0]
    assert (made["variety"], made["volume"], made["answered"]) == (2, 4, 2)


def test_too_few_answers_make_no_score_and_are_still_counted() -> None:
    made = srds_scores(asked([3, np.nan, np.nan], [np.nan] * 3), times=TIMES, at_least=2)
    assert made[["variety", "volume"]].isna().all(axis=None)
    assert made["answered"].tolist() == [1, 0]


def test_what_a_range_stands_for_moves_the_volume_and_not_the_variety() -> None:
    items = asked([6, 7, 1])
    low = srds_scores(items, times=TIMES | {6: 6.0, 7: 11.0}, at_least=3).iloc[0]
    high = srds_scores(items, times=TIMES | {6: 10.0, 7: 20.0}, at_least=3).iloc[0]
    assert low["variety"] == high["variety"] == 3
    assert (low["volume"], high["volume"]) == (18, 31)


@pytest.mark.parametrize("times", [{}, {1: 1.0}, {0: 1.0, 1: 2.0}, {0: 0.0, 1: 2.0, 2: 1.0}])
def test_numbers_of_times_that_fall_or_do_not_begin_at_never_are_refused(times: dict[int, float]) -> None:
    with pytest.raises(SrdsRefused, match="do not begin at 0 for never"):
        srds_scores(asked([0, 0]), times=times, at_least=1)


@pytest.mark.parametrize("at_least", [0, 4])
def test_at_least_is_between_one_and_the_acts_asked(at_least: int) -> None:
    with pytest.raises(SrdsRefused, match="between 1 and the 3 acts"):
        srds_scores(asked([0, 0, 0]), times=TIMES, at_least=at_least)


def test_a_code_that_stands_for_nothing_is_refused_without_its_value() -> None:
    with pytest.raises(SrdsRefused, match="2 answers whose code stands for no number") as caught:
        srds_scores(asked([0, 88, 88]), times=TIMES, at_least=1)
    assert "88" not in str(caught.value)


def test_the_contract_says_what_of_the_instrument_is_not_confirmed() -> None:
    contract = find_contract("srds_survey")
    acts = [name for name in contract.columns if re.fullmatch(r"srds_[0-9]{2}", name)]
    assert len(acts) == 19
    assert contract.limitations is not None
    assert "not confirmed" in contract.limitations
    assert "24 acts" in contract.limitations
