"""Lee's trimming bounds on the effect among people whose outcome would be seen in either arm.

With S the seeing of the outcome, a_k = Pr(S | arm k), and treatment changing S in one direction only,
the arm with the larger a holds a share

    p = 1 - a_small / a_large

of seen people who would not have been seen in the other arm. Taking them for the highest, or for the
lowest, p of that arm's seen outcomes bounds its mean among the always seen. The seen mass trimmed is
exactly p, a tied or boundary person counting in part.

Standard errors are by the influence function (the trimmed means, their cut-off and p together), summed
over clusters where people were drawn in clusters; for single people they are Lee's proposition 3.

Reference: Lee (2009), Training, wages, and sample selection: estimating sharp bounds on treatment
effects, Review of Economic Studies 76, 1071-1102, propositions 1 to 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.partial_identification.bounds import Bounds
from evaluation.sample import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """The bounds, which arm was trimmed (1, 0, or None where both were seen alike) and by how much."""

    bounds: Bounds
    arm: int | None
    share: float
    seen: tuple[float, float]


def trimming_bounds(outcome: Floats, treated: Bools, cluster: Ints | None) -> Trimmed:
    """Bounds from (n,) outcomes, NaN where unseen; both arms need two seen people."""
    arm = treated.astype(np.int64)
    seen = ~np.isnan(outcome)
    rate = tuple(float(seen[arm == k].mean()) for k in (0, 1))
    large = 1 if rate[1] >= rate[0] else 0
    kept = rate[1 - large] / rate[large]
    small_mean, small_influence = _mean(outcome, seen, arm == 1 - large)
    ends = []
    for lowest in (True, False):
        mean, influence, cut = _trimmed(outcome, seen, arm == large, kept, lowest)
        share = _share_influence(seen, arm, large, rate)
        influence = influence + (cut - mean) * share
        sign = 1.0 if large == 1 else -1.0
        value = sign * (mean - small_mean)
        error = _error(sign * (influence - small_influence), arm, cluster)
        ends.append((value, error))
    ends.sort()
    return Trimmed(
        bounds=Bounds(low=ends[0][0], high=ends[1][0], low_error=ends[0][1], high_error=ends[1][1]),
        arm=large if kept < 1 else None,
        share=1 - kept,
        seen=(rate[0], rate[1]),
    )


def _mean(outcome: Floats, seen: Bools, inside: Bools) -> tuple[float, Floats]:
    """The mean of an arm's seen outcomes, and every person's influence on it, (n,)."""
    rows = inside & seen
    mean = float(outcome[rows].mean())
    influence = np.zeros(len(outcome))
    influence[rows] = (outcome[rows] - mean) / rows.sum()
    return mean, influence


def _trimmed(
    outcome: Floats, seen: Bools, inside: Bools, kept: float, lowest: bool
) -> tuple[float, Floats, float]:
    """(mean of the kept mass, influence at a fixed kept mass, the cut-off)."""
    rows = np.flatnonzero(inside & seen)
    y = outcome[rows]
    order = np.argsort(y if lowest else -y, kind="stable")
    mass = kept * len(y)
    weight = np.empty(len(y))
    weight[order] = np.clip(mass - np.arange(len(y)), 0.0, 1.0)
    mean = float(weight @ y / mass)
    cut = float(y[order[min(int(np.ceil(mass - 1e-9)) - 1, len(y) - 1)]])
    score = weight * (y - cut)
    influence = np.zeros(len(outcome))
    influence[rows] = (score - score.mean()) / (kept * len(y))
    return mean, influence, cut


def _share_influence(seen: Bools, arm: Ints, large: int, rate: tuple[float, ...]) -> Floats:
    """Every person's influence on the log of the kept share, log a_small - log a_large."""
    influence = np.zeros(len(seen))
    for k, sign in ((1 - large, 1.0), (large, -1.0)):
        inside = arm == k
        influence[inside] = sign * (seen[inside] - rate[k]) / (rate[k] * inside.sum())
    return influence


def _error(influence: Floats, arm: Ints, cluster: Ints | None) -> float:
    """Standard error from influences that sum to zero in each arm: G / (G - 1) sum over clusters, squared."""
    total = 0.0
    for k in (0, 1):
        inside = arm == k
        units = (
            np.arange(inside.sum()) if cluster is None else np.unique(cluster[inside], return_inverse=True)[1]
        )
        sums = np.bincount(units, weights=influence[inside])
        total += len(sums) / (len(sums) - 1) * float(sums @ sums)
    return float(np.sqrt(total))
