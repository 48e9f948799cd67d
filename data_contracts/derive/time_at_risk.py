"""Days at liberty in a window: its length less the days in custody, overlapping stays counted once.

    days_at_risk_i = |[start_i, end_i)| - |[start_i, end_i) intersected with the union of stays of i|

A stay covers the day of entry and not the day of release, so a person who enters and leaves on one
day loses none. A stay without a release date lasts to the end of the window. A person in custody
throughout has 0 days at risk, and is not a person without offences: leave them out of a rate, and
count them in the flow.

Reference: Ministry of Justice, Guide to proven reoffending statistics, on follow-up from release;
Piquero et al. (2001), Criminology 39, 915-954, on what happens to offending rates when time in
custody is not taken off.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data_contracts.derive.events import WindowRefused, numbered_windows


def days_at_risk(people: pd.DataFrame, stays: pd.DataFrame) -> pd.Series:
    """(people,) whole days at liberty in [start, end).

    `people` has windows as `events_in_window` takes them; `stays` has `person`, `entered`, `released`
    (missing where not released yet).
    """
    windows = numbered_windows(people)
    if bool((stays["released"] < stays["entered"]).any()) or bool(stays["entered"].isna().any()):
        raise WindowRefused(
            where="stays",
            found="stays without a day of entry, or that end before they begin",
            expected="entered on or before released",
            remedy="Check the table against its contract `custody_spells`.",
        )
    length = (people["end"] - people["start"]).dt.days
    merged = stays[["person", "entered", "released"]].merge(windows, on="person", how="inner")
    begin = merged[["entered", "start"]].max(axis=1)
    finish = merged["released"].fillna(merged["end"]).where(lambda day: day < merged["end"], merged["end"])
    inside = pd.DataFrame({"row": merged["row"], "begin": begin, "finish": finish})
    inside = inside[inside["begin"] < inside["finish"]].sort_values(["row", "begin"])
    # What a stay adds to those before it: from the furthest day reached so far, if that is later.
    reached = inside.groupby("row")["finish"].cummax().groupby(inside["row"]).shift()
    fresh = inside["begin"].where(~(reached > inside["begin"]), reached)
    added = (inside["finish"] - fresh).dt.days.clip(lower=0)
    lost = added.groupby(inside["row"]).sum().reindex(windows["row"], fill_value=0)
    return (length - lost.to_numpy()).astype(np.int64).rename("days_at_risk")
