"""SDQ scores against scores worked by hand, and the published rule for missing items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data_contracts.derive.sdq import ITEMS, REVERSED, SCALES, SdqRefused, sdq_band, sdq_scores


def answers(value: float = 0, **items: float) -> pd.DataFrame:
    return pd.DataFrame([{item: items.get(item, value) for item in ITEMS}], dtype="float64")


def test_reversed_items_alone_make_the_score_of_all_not_true() -> None:
    scores = sdq_scores(answers(0)).iloc[0]
    # conduct has one reversed item, hyperactivity two, peer two; each scores 2.
    assert scores[["emotional", "conduct", "hyperactivity", "peer", "prosocial"]].tolist() == [0, 2, 4, 4, 0]
    assert scores["total"] == 10
    assert (scores["externalising"], scores["internalising"]) == (6, 4)


def test_somewhat_true_scores_one_in_either_direction() -> None:
    assert sdq_scores(answers(1)).iloc[0].tolist() == [5, 5, 5, 5, 5, 20, 10, 10]


def test_four_on_three_items_is_scaled_up_to_seven_as_the_instructions_say() -> None:
    made = answers(0, somatic=2, worries=1, unhappy=1, clingy=np.nan, afraid=np.nan)
    assert sdq_scores(made).iloc[0]["emotional"] == 7


def test_a_half_is_rounded_up() -> None:
    made = answers(0, somatic=1, worries=1, unhappy=0, clingy=0, afraid=np.nan)  # 5 * 2 / 4 = 2.5
    assert sdq_scores(made).iloc[0]["emotional"] == 3


def test_two_items_make_no_scale_and_no_total() -> None:
    made = answers(0, somatic=np.nan, worries=np.nan, unhappy=np.nan)
    scores = sdq_scores(made).iloc[0]
    assert np.isnan(scores["emotional"])
    assert np.isnan(scores["total"])
    assert np.isnan(scores["internalising"])
    assert scores["externalising"] == 6


def test_the_scales_share_no_item_and_use_all_25() -> None:
    assert len(set(ITEMS)) == 25 == sum(len(items) for items in SCALES.values())
    assert set(REVERSED) <= set(ITEMS)


@pytest.mark.parametrize(
    ("informant", "bands", "scale", "score", "band"),
    [
        ("teacher", "four_band", "total", 15, "slightly raised"),
        ("teacher", "four_band", "total", 16, "high"),
        ("teacher", "four_band", "peer", 4, "slightly raised"),
        ("teacher", "four_band", "prosocial", 4, "low"),
        ("parent", "four_band", "total", 13, "close to average"),
        ("parent", "four_band", "total", 20, "very high"),
        ("self", "four_band", "total", 14, "close to average"),
        ("self", "four_band", "prosocial", 6, "slightly lowered"),
        ("self", "three_band", "total", 16, "borderline"),
        ("parent", "three_band", "conduct", 4, "abnormal"),
        ("teacher", "three_band", "emotional", 4, "normal"),
    ],
)
def test_bands_follow_the_published_tables(
    informant: str, bands: str, scale: str, score: int, band: str
) -> None:
    made = sdq_band(pd.Series([float(score), np.nan]), scale=scale, informant=informant, bands=bands)
    assert made.iloc[0] == band
    assert pd.isna(made.iloc[1])


# The tables as printed: for each scale the first to last score of each band, from the best band to the worst.
# Sources are in the docstring of data_contracts/derive/sdq.py.
PRINTED = {
    ("four_band", "parent"): {
        "total": "0-13 14-16 17-19 20-40",
        "emotional": "0-3 4-4 5-6 7-10",
        "conduct": "0-2 3-3 4-5 6-10",
        "hyperactivity": "0-5 6-7 8-8 9-10",
        "peer": "0-2 3-3 4-4 5-10",
        "prosocial": "8-10 7-7 6-6 0-5",
    },
    ("four_band", "teacher"): {
        "total": "0-11 12-15 16-18 19-40",
        "emotional": "0-3 4-4 5-5 6-10",
        "conduct": "0-2 3-3 4-4 5-10",
        "hyperactivity": "0-5 6-7 8-8 9-10",
        "peer": "0-2 3-4 5-5 6-10",
        "prosocial": "6-10 5-5 4-4 0-3",
    },
    ("four_band", "self"): {
        "total": "0-14 15-17 18-19 20-40",
        "emotional": "0-4 5-5 6-6 7-10",
        "conduct": "0-3 4-4 5-5 6-10",
        "hyperactivity": "0-5 6-6 7-7 8-10",
        "peer": "0-2 3-3 4-4 5-10",
        "prosocial": "7-10 6-6 5-5 0-4",
    },
    ("three_band", "parent"): {
        "total": "0-13 14-16 17-40",
        "emotional": "0-3 4-4 5-10",
        "conduct": "0-2 3-3 4-10",
        "hyperactivity": "0-5 6-6 7-10",
        "peer": "0-2 3-3 4-10",
        "prosocial": "6-10 5-5 0-4",
    },
    ("three_band", "teacher"): {
        "total": "0-11 12-15 16-40",
        "emotional": "0-4 5-5 6-10",
        "conduct": "0-2 3-3 4-10",
        "hyperactivity": "0-5 6-6 7-10",
        "peer": "0-3 4-4 5-10",
        "prosocial": "6-10 5-5 0-4",
    },
    ("three_band", "self"): {
        "total": "0-15 16-19 20-40",
        "emotional": "0-5 6-6 7-10",
        "conduct": "0-3 4-4 5-10",
        "hyperactivity": "0-5 6-6 7-10",
        "peer": "0-3 4-5 6-10",
        "prosocial": "6-10 5-5 0-4",
    },
}


@pytest.mark.parametrize(
    ("bands", "informant", "scale"),
    [(bands, informant, scale) for (bands, informant), printed in PRINTED.items() for scale in printed],
)
def test_every_score_has_the_band_of_the_printed_table(bands: str, informant: str, scale: str) -> None:
    top = 40 if scale == "total" else 10
    place = pd.Series(np.nan, index=range(top + 1))
    for at, band in enumerate(PRINTED[bands, informant][scale].split()):
        first, last = (int(end) for end in band.split("-"))
        assert place.loc[first:last].isna().all()  # no two bands share a score
        place.loc[first:last] = at
    score = pd.Series(np.arange(top + 1.0))
    made = sdq_band(score, scale=scale, informant=informant, bands=bands)
    assert made.cat.codes.tolist() == place.tolist()


def test_answers_coded_from_one_are_refused_without_their_values() -> None:
    with pytest.raises(SdqRefused, match="25 answers other than 0, 1 and 2"):
        sdq_scores(answers(3))
