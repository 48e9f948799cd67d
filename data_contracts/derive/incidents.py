"""Police and emergency-department records of one incident, linked and counted once.

Many assaults that emergency departments treat are unknown to the police; adding the two sources up
counts the known ones twice. A police record and a department record are taken for one incident where
they name the same place and their times differ by at most a stated number of hours; each record is used once, and
the closest pairs are made first. What is left is an incident known to one source alone.

The link is by place and time alone, because the departments' records are anonymised: it makes some
false pairs where assaults are dense, and misses pairs where places are recorded differently. State the
hours in the study and vary them.

Reference: Florence et al. (2011), Effectiveness of anonymised information sharing and use in health
service, police, and local government partnership for preventing violence related injury, BMJ 342, d3313
(the Cardiff model); Sutherland et al. (2017), Tracking violent crime with
ambulance data: how much crime goes uncounted?, Cambridge Journal of Evidence-Based Policing 1, 20-39, on how
little the sources overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.refusal import Refusal

Ints = NDArray[np.int64]


class IncidentsRefused(Refusal):
    """Records that cannot be laid beside one another."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Incidents:
    """`table` has one row per incident: `place`, `time`, `police`, `department` (row labels or missing),
    `hours_apart`; `counts` says how many each source knew alone and together."""

    table: pd.DataFrame
    counts: dict[str, int]


def incidents(police: pd.DataFrame, department: pd.DataFrame, *, hours: float) -> Incidents:
    """Link two tables with `place` and `time`; pairs are at most `hours` apart. Time O(n log n + pairs).

    The time of an incident is the police's where the police know it. Ties are broken by row order.
    """
    for name, frame in (("police", police), ("department", department)):
        gone = int(frame[["place", "time"]].isna().any(axis=1).sum())
        if gone:
            raise IncidentsRefused(
                where=name,
                found=f"{gone} records without a place or a time",
                expected="both in every record",
                remedy="Leave them out with `where: not missing(...)` and count them apart: a record that cannot be linked is not an incident known to one source alone.",
            )
    if not hours > 0:
        raise IncidentsRefused(where="hours", found=f"{hours}", expected="above zero", remedy="Such as 6.")
    pairs = closest_pairs(police, department, hours=hours)
    left, right = pairs[:, 0], pairs[:, 1]
    alone = np.setdiff1d(np.arange(len(police)), left)
    unknown = np.setdiff1d(np.arange(len(department)), right)
    gap = np.abs(police["time"].to_numpy()[left] - department["time"].to_numpy()[right]) / np.timedelta64(
        1, "h"
    )
    table = pd.concat(
        [
            pd.DataFrame(
                {
                    "place": police["place"].to_numpy()[left],
                    "time": police["time"].to_numpy()[left],
                    "police": police.index.to_numpy()[left],
                    "department": department.index.to_numpy()[right],
                    "hours_apart": gap,
                }
            ),
            pd.DataFrame(
                {
                    "place": police["place"].to_numpy()[alone],
                    "time": police["time"].to_numpy()[alone],
                    "police": police.index.to_numpy()[alone],
                }
            ),
            pd.DataFrame(
                {
                    "place": department["place"].to_numpy()[unknown],
                    "time": department["time"].to_numpy()[unknown],
                    "department": department.index.to_numpy()[unknown],
                }
            ),
        ],
        ignore_index=True,
    ).sort_values(["place", "time"], ignore_index=True, kind="stable")
    counts = {"both": len(pairs), "police_alone": len(alone), "department_alone": len(unknown)}
    return Incidents(table=table[["place", "time", "police", "department", "hours_apart"]], counts=counts)


def closest_pairs(police: pd.DataFrame, department: pd.DataFrame, *, hours: float) -> Ints:
    """(pairs, 2) row positions: one to one within a place, the smallest gaps first."""
    reach = np.timedelta64(round(hours * 3600e6), "us")
    lefts: list[Ints] = []
    rights: list[Ints] = []
    gaps: list[NDArray[np.int64]] = []
    by_place = {place: np.asarray(rows) for place, rows in department.groupby("place").indices.items()}
    when_police = police["time"].to_numpy("datetime64[us]")
    when_department = department["time"].to_numpy("datetime64[us]")
    for place, rows in police.groupby("place").indices.items():
        others = by_place.get(place)
        if others is None:
            continue
        rows = np.asarray(rows)
        ordered = others[np.argsort(when_department[others], kind="stable")]
        times = when_department[ordered]
        first = np.searchsorted(times, when_police[rows] - reach, side="left")
        last = np.searchsorted(times, when_police[rows] + reach, side="right")
        number = last - first
        left = np.repeat(rows, number)
        at = (
            np.repeat(first, number) + np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        )
        right = ordered[at]
        lefts.append(left)
        rights.append(right)
        gaps.append(np.abs(when_police[left] - when_department[right]).astype(np.int64))
    if not lefts:
        return np.empty((0, 2), dtype=np.int64)
    left, right, gap = np.concatenate(lefts), np.concatenate(rights), np.concatenate(gaps)
    used_left, used_right = np.zeros(len(police), dtype=bool), np.zeros(len(department), dtype=bool)
    chosen = []
    for i in np.lexsort((right, left, gap)):
        if not used_left[left[i]] and not used_right[right[i]]:
            used_left[left[i]] = used_right[right[i]] = True
            chosen.append((left[i], right[i]))
    return np.array(sorted(chosen), dtype=np.int64).reshape(-1, 2)
