"""Proven reoffending in one year, with a further six months for the case to be decided.

An offence counts where it was committed in the year from the index date and led to a conviction
or caution within the year or the six months after it:

    index_i <= committed < index_i + 12 months    and    index_i <= proven < index_i + 18 months

(calendar months; the day of the index event is in, its anniversary is out). Whether the extract
reaches so far decides whether the outcome is known: someone whose eighteen months were not over on the
day of extraction has a missing outcome, never a zero.

Offences that are no more than breaches of an order do not count; leave them out before the call.

Reference: Ministry of Justice, Guide to proven reoffending statistics (October 2017; April 2019),
section 2.1.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from data_contracts.derive.events import WindowRefused

FOLLOW_UP_MONTHS = 12
WAITING_MONTHS = 6


def proven_reoffending(people: pd.DataFrame, offences: pd.DataFrame, *, extracted: date) -> pd.DataFrame:
    """`reoffended` (1, 0, NaN), `reoffences` and `days_to_first` for each person.

    `people` is indexed by person, with `index_date`; `offences` has `person`, `offence_date` and
    `proven_date` (missing where not proven). `days_to_first` is NaN where nobody reoffended.
    """
    if not people.index.is_unique or people["index_date"].isna().any():
        raise WindowRefused(
            where="people.index_date",
            found="people a second time, or without an index date",
            expected="one index event to a person",
            remedy="A cohort takes each person's first index event in its period.",
        )
    start = people["index_date"]
    windows = pd.DataFrame(
        {
            "start": start,
            "committed_by": start + pd.DateOffset(months=FOLLOW_UP_MONTHS),
            "proven_by": start + pd.DateOffset(months=FOLLOW_UP_MONTHS + WAITING_MONTHS),
        }
    )
    merged = offences[["person", "offence_date", "proven_date"]].merge(
        windows, left_on="person", right_index=True, how="inner"
    )
    counts = merged[
        (merged["offence_date"] >= merged["start"])
        & (merged["offence_date"] < merged["committed_by"])
        & (merged["proven_date"] >= merged["start"])
        & (merged["proven_date"] < merged["proven_by"])
    ]
    number = counts.groupby("person").size().reindex(people.index, fill_value=0).astype("float64")
    days = (counts["offence_date"] - counts["start"]).dt.days
    first = days.groupby(counts["person"]).min().reindex(people.index).astype("float64")
    # The last day that can matter is the day before the eighteen months end.
    known = windows["proven_by"] <= pd.Timestamp(extracted) + pd.Timedelta(days=1)
    return pd.DataFrame(
        {
            "reoffended": (number > 0).astype("float64").where(known, np.nan),
            "reoffences": number.where(known, np.nan),
            "days_to_first": first.where(known, np.nan),
        },
        index=people.index,
    )
