"""Survival curves and what is read off them: Kaplan-Meier, log-rank, restricted mean, cumulative mean.

    S(t)      = prod_{t_j <= t} (1 - d_j / n_j)                         Kaplan-Meier
    RMST(h)   = integral of S from 0 to h
    V(RMST)   = sum_{t_j <= h} [integral of S from t_j to h]^2 d_j / (n_j (n_j - d_j))
    M(t)      = sum_{t_j <= t} d_j / n_j                                mean cumulative function

n_j are at risk just before t_j: people whose (entry, exit] holds t_j. Censoring is taken to be
independent of the event given the arm.

References: Kaplan & Meier (1958), JASA 53, 457-481; Greenwood (1926); Royston & Parmar (2013), BMC Med. Res.
Methodol. 13, 152; Lawless & Nadeau (1995), Technometrics 37, 158-168 (mean cumulative function and its
variance); Mantel (1966), Cancer Chemother. Rep. 50, 163-170 (log-rank).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from evaluation.estimate import EstimatorRefused
from evaluation.sample import Sample

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """A life table at the distinct times at which rows end; every array is (times,).

    `at_risk` is just before the time, `events` and `censored` at it, `survival` just after it.
    """

    time: Floats
    at_risk: Ints
    events: Ints
    censored: Ints
    survival: Floats


def time_rows(sample: Sample) -> tuple[Floats, Bools, Floats]:
    """(time, event, entry) of a time or recurrent sample; refuses times that nobody can live."""
    if sample.event is None:
        raise EstimatorRefused(
            where="event",
            found="no column of events",
            expected="one row per person with a duration and whether it ended in the event",
            remedy="Declare the outcome with `kind: time` and its `event` column.",
        )
    time = sample.outcome
    entry = np.zeros(len(time)) if sample.entry is None else sample.entry
    wrong = np.isnan(time) | np.isnan(entry) | (time < 0) | (entry < 0)
    if wrong.any():
        raise EstimatorRefused(
            where="outcome",
            found=f"{int(wrong.sum())} rows with a missing or negative time",
            expected="a duration of zero or more in every row",
            remedy="Leave out the rows without follow-up when the sample is built, and count them.",
        )
    early = sample.event & (time <= entry)
    if early.any():
        raise EstimatorRefused(
            where="entry" if sample.entry is not None else "outcome",
            found=f"{int(early.sum())} events at or before entry (time zero, where there is no entry column)",
            expected="every event after its person came under observation",
            remedy="Correct the dates, or leave out events from before allocation: they are baseline.",
        )
    empty = time <= entry
    if empty.any():
        raise EstimatorRefused(
            where="outcome",
            found=f"{int(empty.sum())} rows with no follow-up time",
            expected="time at risk above zero in every row",
            remedy="Leave out the rows with no follow-up when the sample is built, so that the flow counts them.",
        )
    return time, sample.event, entry


def kaplan_meier(time: Floats, event: Bools, entry: Floats | None = None) -> Steps:
    """The life table of one group; `entry` is zero for all where it is None."""
    times, position = np.unique(time, return_inverse=True)
    events = np.bincount(position[event], minlength=len(times))
    ended = np.bincount(position, minlength=len(times))
    began = np.zeros(len(time)) if entry is None else entry
    started = np.searchsorted(np.sort(began), times, side="left")
    finished = np.searchsorted(np.sort(time), times, side="left")
    at_risk = started - finished
    return Steps(
        time=times,
        at_risk=at_risk.astype(np.int64),
        events=events.astype(np.int64),
        censored=(ended - events).astype(np.int64),
        survival=np.cumprod(1 - events / np.maximum(at_risk, 1)),
    )


def quantile(steps: Steps, share: float) -> float | None:
    """The first time by which at least `share` have had the event; None where that is not reached.

    Where the curve lies flat exactly at 1 - share, the middle of the flat stretch, as survfit does.
    """
    target = 1 - share
    reached = np.flatnonzero(steps.survival <= target + 1e-12)
    if not len(reached):
        return None
    first = reached[0]
    if abs(steps.survival[first] - target) < 1e-12:
        beyond = np.flatnonzero(steps.survival < target - 1e-12)
        if len(beyond):
            return float((steps.time[first] + steps.time[beyond[0]]) / 2)
    return float(steps.time[first])


def restricted_mean(steps: Steps, horizon: float) -> tuple[float, float]:
    """(RMST, its variance) up to `horizon`, by the formulas at the top of this file."""
    inside = steps.time <= horizon
    edges = np.concatenate([[0.0], steps.time[inside], [horizon]])
    height = np.concatenate([[1.0], steps.survival[inside]])
    area = height * np.diff(edges)
    ahead = np.cumsum(area[::-1])[::-1][1:]
    n, d = steps.at_risk[inside], steps.events[inside]
    term = np.zeros(len(n))
    some = (d > 0) & (n > d)
    term[some] = d[some] / (n[some] * (n[some] - d[some]).astype(float))
    return float(area.sum()), float((ahead**2 * term).sum())


def restricted_mean_influence(time: Floats, event: Bools, horizon: float) -> Floats:
    """(n,) influence of each person on RMST(h) within one group, without late entry; they sum to zero.

    phi_i = -integral_0^h [integral_u^h S] dM_i(u) / Y(u), with M_i the martingale of person i and Y(u) the
    number at risk. Summed within clusters and squared they give the cluster-robust variance; singly, Greenwood's
    in large samples.
    """
    steps = kaplan_meier(time, event)
    inside = steps.time <= horizon
    edges = np.concatenate([[0.0], steps.time[inside], [horizon]])
    area = np.concatenate([[1.0], steps.survival[inside]]) * np.diff(edges)
    ahead = np.cumsum(area[::-1])[::-1][1:]
    n, d = steps.at_risk[inside].astype(float), steps.events[inside]
    jump = ahead / n
    drift = np.concatenate([[0.0], np.cumsum(jump * d / n)])
    position = np.searchsorted(steps.time[inside], time, side="right")
    own = np.zeros(len(time))
    died = event & (time <= horizon)
    own[died] = jump[np.searchsorted(steps.time[inside], time[died])]
    return np.asarray(drift[position] - own)


def log_rank(time: Floats, event: Bools, arm: Ints, entry: Floats | None = None) -> tuple[float, float]:
    """(chi-squared on 1 degree of freedom, p-value) for two arms."""
    whole = kaplan_meier(time, event, entry)
    one = arm == 1
    n1 = _at_risk_at(whole.time, time[one], None if entry is None else entry[one])
    d1 = np.bincount(np.searchsorted(whole.time, time[one & event]), minlength=len(whole.time))
    n, d = whole.at_risk.astype(float), whole.events
    excess = float((d1 - d * n1 / n).sum())
    thick = n > 1
    spread = (d * (n1 / n) * (1 - n1 / n) * (n - d))[thick] / (n[thick] - 1)
    if spread.sum() <= 0:
        return 0.0, 1.0
    statistic = float(excess**2 / spread.sum())
    return statistic, float(chi2.sf(statistic, 1))


def mean_cumulative(
    time: Floats, event: Bools, entry: Floats, person: Ints, level: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean cumulative function of one group: (times, M, low, high), each (event times,).

    Events per person by time t had everybody stayed; the variance sums each person's martingale residuals
    (Lawless & Nadeau 1995, eq. 2.3), so that it needs no Poisson assumption, and the interval is on the log.
    """
    times, at = np.unique(time[event], return_inverse=True)
    number = np.bincount(at, minlength=len(times)).astype(float)
    at_risk = _at_risk_at(times, time, entry)
    increment = number / at_risk
    mean = np.cumsum(increment)
    _, who = np.unique(person, return_inverse=True)
    variance = np.zeros(len(times))
    for start in range(0, int(who.max()) + 1, 512):
        block = (who >= start) & (who < start + 512)
        change = np.zeros((512, len(times)))
        mine = who[block] - start
        np.add.at(change, (who[event & block] - start, np.searchsorted(times, time[event & block])), 1.0)
        held = np.zeros((512, len(times) + 1))
        np.add.at(held, (mine, np.searchsorted(times, entry[block], side="right")), 1.0)
        np.add.at(held, (mine, np.searchsorted(times, time[block], side="right")), -1.0)
        residual = np.cumsum((change - np.cumsum(held, axis=1)[:, :-1] * increment) / at_risk, axis=1)
        variance += (residual**2).sum(axis=0)
    reach = float(norm.ppf(0.5 + level / 2)) * np.sqrt(variance) / mean
    return times, mean, mean * np.exp(-reach), mean * np.exp(reach)


def _at_risk_at(times: Floats, exit_time: Floats, entry: Floats | None) -> Floats:
    began = np.zeros(len(exit_time)) if entry is None else entry
    started = np.searchsorted(np.sort(began), times, side="left")
    finished = np.searchsorted(np.sort(exit_time), times, side="left")
    return (started - finished).astype(np.float64)
