"""Dated events counted in each person's own window: zeros included, nobody lost.

    count_i = #{events e of person i : start_i <= date_e < end_i}

The window holds its first day and not its last, so that windows laid end to end count each event once.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data_contracts.refusal import Refusal


class WindowRefused(Refusal):
    """Windows or events that cannot be laid on one another."""


def events_in_window(people: pd.DataFrame, events: pd.DataFrame, *, date: str) -> pd.DataFrame:
    """`count` and `first_day` (days from start to the first event, NaN where none) for each window.

    `people` has `start` and `end` dates, and is indexed by person; where a person has several windows, a
    column `person` names them and the index is any unique label. `events` has a column `person` and the
    dated column `date`. Events of people who are not in `people` are passed over.
    """
    windows = numbered_windows(people)
    dated = pd.DataFrame({"person": events["person"], "on": events[date]})
    merged = dated.merge(windows, on="person", how="inner")
    inside = merged[(merged["on"] >= merged["start"]) & (merged["on"] < merged["end"])]
    counts = inside.groupby("row").size()
    first = (inside["on"] - inside["start"]).dt.days.groupby(inside["row"]).min()
    rows = windows["row"]
    return pd.DataFrame(
        {
            "count": counts.reindex(rows, fill_value=0).astype("int64").to_numpy(),
            "first_day": first.reindex(rows).astype("float64").to_numpy(),
        },
        index=people.index,
    )


def numbered_windows(people: pd.DataFrame) -> pd.DataFrame:
    """`row` (0, 1, 2, ...), `person`, `start` and `end` of each window, found fit by `check_windows`."""
    check_windows(people)
    person = people.get("person", people.index)
    return pd.DataFrame(
        {
            "row": np.arange(len(people)),
            "person": np.asarray(person),
            "start": people["start"].to_numpy(),
            "end": people["end"].to_numpy(),
        }
    )


def check_windows(people: pd.DataFrame) -> None:
    """Refuse repeated labels, missing dates and windows that end before they begin."""
    if not people.index.is_unique:
        raise WindowRefused(
            where="people",
            found=f"{int(people.index.duplicated().sum())} people a second time",
            expected="one window to a person",
            remedy="Count each window of a person in its own call.",
        )
    bad = int((~(people["start"] < people["end"])).to_numpy(dtype=bool).sum())
    if bad:
        raise WindowRefused(
            where="people",
            found=f"{bad} windows with a missing date, or that end on or before their first day",
            expected="start before end",
            remedy="Check the allocation and follow-up dates.",
        )


def rate(count: pd.Series, exposure: pd.Series, *, per: float) -> pd.Series:
    """count / exposure * per, such as offences per 1,000 residents; missing where either is.

    Refuses an exposure of zero or less: a rate over nobody is not zero, and not a number.
    """
    bad = int((exposure <= 0).sum())
    if bad:
        raise WindowRefused(
            where="exposure",
            found=f"{bad} exposures of zero or less",
            expected="a population or a time above zero",
            remedy="Leave out places without residents, and say so.",
        )
    if not np.isfinite(per) or per <= 0:
        raise WindowRefused(
            where="per", found=f"{per}", expected="a number above zero", remedy="Such as 1000."
        )
    return count.astype("float64") / exposure.astype("float64") * per
