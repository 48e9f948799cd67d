"""Log-rank scores: what each person's time adds to the log-rank test, fixed before any re-draw.

    score_i = event_i - Lambda_s(time_i)

with Lambda_s the Nelson-Aalen cumulative hazard of the person's stratum, both arms together. The sum
of an arm's scores is its observed less expected events, the numerator of the (stratified) log-rank
test; under the sharp null, with censoring that treatment did not move, a re-draw changes whose scores
are summed and nothing else.

Reference: Peto & Peto (1972), JRSS A 135(2), 185-207; Kalbfleisch & Prentice (2002), The Statistical
Analysis of Failure Time Data, 2nd edition, section 7.3.
"""

from __future__ import annotations

import numpy as np

from evaluation.sample import Bools, Floats, Ints


def log_rank_scores(duration: Floats, event: Bools, stratum: Ints | None = None) -> Floats:
    """(n,) scores; durations run from a common start."""
    if stratum is None:
        return _scores(duration, event)
    out = np.empty(len(duration))
    for label in np.unique(stratum):
        inside = stratum == label
        out[inside] = _scores(duration[inside], event[inside])
    return out


def _scores(duration: Floats, event: Bools) -> Floats:
    at = np.unique(duration, return_inverse=True)[1]
    leaving = np.bincount(at)
    at_risk = len(duration) - np.concatenate([[0], np.cumsum(leaving)[:-1]])
    hazard = np.cumsum(np.bincount(at, weights=event) / at_risk)
    return np.asarray(event - hazard[at], dtype=np.float64)
