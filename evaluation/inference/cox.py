"""Cox's partial likelihood: maximum, information, robust variance and the test of proportionality.

With risk scores r_i = exp(x_i b), weights w_i and the risk set R(t) of people whose (entry, exit]
holds t in their own stratum, each of the d deaths at t takes one step l = 0..d-1 against

    S0_l(t) = sum_{R(t)} w_i r_i - f_l sum_{D(t)} w_i r_i,     f_l = l/d (Efron), 0 (Breslow)

and the log partial likelihood is sum of w_i x_i b over deaths, less wbar(t) log S0_l(t) over steps, with wbar
the mean weight of the deaths at t. The information is written with people's cumulative hazards,

    I(b) = X' diag(w r A) X - sum_steps dN xbar xbar',     A_i = sum of dN_l / S0_l while i is at risk,

so that nothing of size (deaths, k, k) is made. Score residuals L_i decompose the score over people;
the robust variance is I^-1 (sum_g L_g L_g') I^-1 over people or clusters g (Lin & Wei), and proportional
hazards are tested by the score of x g(t) (Grambsch & Therneau).

References: Cox (1972), JRSS B 34, 187-220; Efron (1977), JASA 72, 557-565; Breslow (1974), Biometrics 30,
89-99; Lin & Wei (1989), JASA 84, 1074-1078; Lee, Wei & Amato (1992); Grambsch & Therneau (1994), Biometrika
81, 515-526; Therneau & Grambsch (2000), Modeling Survival Data, chapters 3, 6 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from evaluation.estimate import EstimatorRefused

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Ties = Literal["efron", "breslow"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskSets:
    """Who is at risk at each death: ranks of times, offset by stratum so that strata never meet.

    `exit_rank`, `entry_rank` are (n,); `step_rank`, `fraction` and `step_weight` are (deaths,), in
    ascending order of time within stratum; `death` is (n,).
    """

    exit_rank: Ints
    entry_rank: Ints
    death: Bools
    weight: Floats
    step_rank: Ints
    step_time: Floats
    fraction: Floats
    step_weight: Floats
    by_exit: Ints
    by_entry: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cox:
    """A fit. `model_variance` is I^-1, (k, k); `log_likelihood` is (at zero, at the maximum)."""

    coefficient: Floats
    model_variance: Floats
    log_likelihood: tuple[float, float]
    score_residuals: Floats
    columns: Floats
    ties: Ties
    at: RiskSets


def risk_sets(
    time: Floats,
    event: Bools,
    *,
    ties: Ties,
    entry: Floats | None = None,
    strata: Ints | None = None,
    weight: Floats | None = None,
) -> RiskSets:
    """Risk sets from (n,) times of exit and, where people enter late, of entry, in one unit."""
    n = len(time)
    stamps = time if entry is None else np.concatenate([time, entry])
    values = np.unique(stamps)
    width = len(values) + 2
    stratum = np.zeros(n, dtype=np.int64) if strata is None else np.unique(strata, return_inverse=True)[1]
    offset = stratum.astype(np.int64) * width
    exit_rank = offset + np.searchsorted(values, time) + 1
    entry_rank = offset if entry is None else offset + np.searchsorted(values, entry) + 1
    w = np.ones(n) if weight is None else weight
    deaths = np.flatnonzero(event)
    deaths = deaths[np.argsort(exit_rank[deaths], kind="stable")]
    ranks, start, count = np.unique(exit_rank[deaths], return_index=True, return_counts=True)
    within = np.arange(len(deaths)) - np.repeat(start, count)
    mean_weight = np.add.reduceat(w[deaths], start) / count if len(deaths) else np.empty(0)
    return RiskSets(
        exit_rank=exit_rank,
        entry_rank=entry_rank,
        death=event,
        weight=w,
        step_rank=np.repeat(ranks, count),
        step_time=time[deaths],
        fraction=within / np.repeat(count, count) if ties == "efron" else np.zeros(len(deaths)),
        step_weight=np.repeat(mean_weight, count),
        by_exit=np.argsort(exit_rank, kind="stable"),
        by_entry=np.argsort(entry_rank, kind="stable"),
    )


def fit(x: Floats, at: RiskSets, *, ties: Ties, steps: int = 50) -> Cox:
    """Newton's method with step halving, from zero; `x` is (n, k), of full rank with its intercept.

    Refuses a likelihood that keeps rising as a coefficient runs away (monotone likelihood).
    """
    centred = x - x.mean(axis=0)
    spread = centred.std(axis=0)
    scaled = centred / spread
    b = np.zeros(x.shape[1])
    start, score, information = _derivatives(scaled, b, at)
    value = start
    for _ in range(steps):
        move = np.linalg.solve(information, score)
        for _ in range(20):
            trial = _derivatives(scaled, b + move, at)
            if np.isfinite(trial[0]) and trial[0] >= value - 1e-12 * abs(value):
                break
            move = move / 2
        b = b + move
        previous, (value, score, information) = value, trial
        if np.abs(b).max() > 15 or np.linalg.cond(information) > 1e13:
            raise _monotone()
        if abs(value - previous) <= 1e-13 * abs(value) and np.abs(move).max() < 1e-9:
            break
    else:
        raise _monotone()
    variance = np.linalg.inv(information)
    return Cox(
        coefficient=b / spread,
        model_variance=variance / np.outer(spread, spread),
        log_likelihood=(start, value),
        score_residuals=_score_residuals(scaled, b, at) * spread,
        columns=centred,
        ties=ties,
        at=at,
    )


def robust_variance(fitted: Cox, cluster: Ints | None = None) -> Floats:
    """(k, k) sandwich: over people, or over `cluster` when the rows of a cluster hang together."""
    influence = (fitted.at.weight[:, None] * fitted.score_residuals) @ fitted.model_variance
    if cluster is not None:
        _, group = np.unique(cluster, return_inverse=True)
        total = np.zeros((group.max() + 1, influence.shape[1]))
        np.add.at(total, group, influence)
        influence = total
    return np.asarray(influence.T @ influence)


def cluster_sums(fitted: Cox, cluster: Ints) -> tuple[Floats, Floats]:
    """Each cluster's information (G, k, k) and score (G, k), for the corrections of `small_sample_gee`.

    A row's information is the sum, over the steps at which it is at risk, of w r (x - xbar)(x - xbar)' dN / S0; rows'
    sum to I(b), so that a cluster's share of it plays the part of its leverage (Fay & Graubard 2001, section 4).
    """
    at, x = fitted.at, fitted.columns
    k = x.shape[1]
    risk = at.weight * np.exp(x @ fitted.coefficient)
    xbar, s0 = _step_means(x, risk, at)
    step = (at.step_weight / s0)[:, None]
    outer = (xbar[:, :, None] * xbar[:, None, :]).reshape(-1, k * k)
    sums = _at_risk_sum(np.hstack([step, step * xbar, step * outer]), at)
    cross = x[:, :, None] * sums[:, None, 1 : k + 1]
    square = x[:, :, None] * x[:, None, :] * sums[:, :1, None]
    each = square - cross - np.swapaxes(cross, 1, 2) + sums[:, k + 1 :].reshape(-1, k, k)
    _, group = np.unique(cluster, return_inverse=True)
    information = np.zeros((int(group.max()) + 1, k, k))
    np.add.at(information, group, risk[:, None, None] * each)
    score = np.zeros((int(group.max()) + 1, k))
    np.add.at(score, group, at.weight[:, None] * fitted.score_residuals)
    return information, score


def proportionality(x: Floats, fitted: Cox, clock: Floats) -> tuple[Floats, Floats]:
    """Score tests that each coefficient is constant over `clock`, (deaths,), in the order of steps.

    Statistics and p-values, (k + 1,): each column of x on 1 degree of freedom, then all k together.
    The score of x g(t), at the fit with constant coefficients, over its variance given them
    (Grambsch & Therneau 1994, eq. 3, without their averaging of the variance over time).
    """
    at, k = fitted.at, x.shape[1]
    centred = x - x.mean(axis=0)
    risk = at.weight * np.exp(centred @ fitted.coefficient)
    xbar, s0 = _step_means(centred, risk, at)
    g = clock - clock.mean()
    deaths = np.flatnonzero(at.death)
    deaths = deaths[np.argsort(at.exit_rank[deaths], kind="stable")]
    residual = at.weight[deaths, None] * centred[deaths] - at.step_weight[:, None] * xbar
    score = np.concatenate([np.zeros(k), g @ residual])
    blocks = [_information(centred, risk, xbar, s0, at, power) for power in (np.ones_like(g), g, g**2)]
    whole = np.block([[blocks[0], blocks[1]], [blocks[1], blocks[2]]])
    statistic = np.empty(k + 1)
    for j in range(k + 1):
        keep = np.arange(2 * k) if j == k else np.append(np.arange(k), k + j)
        statistic[j] = score[keep] @ np.linalg.solve(whole[np.ix_(keep, keep)], score[keep])
    freedom = np.append(np.ones(k), k)
    return statistic, np.asarray(chi2.sf(statistic, freedom))


def _derivatives(x: Floats, b: Floats, at: RiskSets) -> tuple[float, Floats, Floats]:
    """Log partial likelihood, score (k,) and information (k, k) at b."""
    linear = x @ b
    if np.abs(linear).max() > 300:
        return -np.inf, np.empty(0), np.empty((0, 0))
    risk = at.weight * np.exp(linear)
    xbar, s0 = _step_means(x, risk, at)
    w = at.weight * at.death
    value = float(w @ linear - at.step_weight @ np.log(s0))
    score = w @ x - at.step_weight @ xbar
    return value, score, _information(x, risk, xbar, s0, at, np.ones_like(s0))


def _step_means(x: Floats, risk: Floats, at: RiskSets) -> tuple[Floats, Floats]:
    """xbar (steps, k) and S0 (steps,): means and sums of risk over the risk set of each step."""
    columns = np.column_stack([risk, risk[:, None] * x])
    later = _sum_from(columns, at.exit_rank, at.by_exit, at.step_rank)
    not_yet = _sum_from(columns, at.entry_rank, at.by_entry, at.step_rank)
    ranks, start = np.unique(at.step_rank, return_index=True)
    dying = np.zeros((len(ranks), columns.shape[1]))
    np.add.at(dying, np.searchsorted(ranks, at.exit_rank[at.death]), columns[at.death])
    tied = np.repeat(dying, np.diff(np.append(start, len(at.step_rank))), axis=0)
    total = later - not_yet - at.fraction[:, None] * tied
    return total[:, 1:] / total[:, :1], total[:, 0]


def _sum_from(columns: Floats, rank: Ints, order: Ints, at_rank: Ints) -> Floats:
    """(steps, c) sums of rows whose rank is at least each of `at_rank`."""
    reverse = np.concatenate([np.cumsum(columns[order][::-1], axis=0)[::-1], np.zeros((1, columns.shape[1]))])
    return np.asarray(reverse[np.searchsorted(rank[order], at_rank, side="left")])


def _at_risk_sum(amount: Floats, at: RiskSets) -> Floats:
    """(n, c) sums over the steps at which each row is at risk; deaths count 1 - f of their own steps."""
    running = np.concatenate([np.zeros((1, amount.shape[1])), np.cumsum(amount, axis=0)])
    until = np.searchsorted(at.step_rank, at.exit_rank, side="right")
    before = np.searchsorted(at.step_rank, at.entry_rank, side="right")
    out = np.asarray(running[until] - running[before])
    reduced = np.concatenate(
        [np.zeros((1, amount.shape[1])), np.cumsum(at.fraction[:, None] * amount, axis=0)]
    )
    first = np.searchsorted(at.step_rank, at.exit_rank, side="left")
    out[at.death] -= (reduced[until] - reduced[first])[at.death]
    return out


def _information(x: Floats, risk: Floats, xbar: Floats, s0: Floats, at: RiskSets, power: Floats) -> Floats:
    hazard = _at_risk_sum((power * at.step_weight / s0)[:, None], at)[:, 0]
    return np.asarray(
        (x * (risk * hazard)[:, None]).T @ x - (xbar * (power * at.step_weight)[:, None]).T @ xbar
    )


def _score_residuals(x: Floats, b: Floats, at: RiskSets) -> Floats:
    """(n, k), unweighted: what each row adds to the score, its death less its expected share."""
    bare = np.exp(x @ b)
    xbar, s0 = _step_means(x, at.weight * bare, at)
    step = at.step_weight / s0
    sums = _at_risk_sum(np.column_stack([step, step[:, None] * xbar]), at)
    out = -bare[:, None] * (x * sums[:, :1] - sums[:, 1:])
    ranks, start = np.unique(at.step_rank, return_index=True)
    count = np.diff(np.append(start, len(at.step_rank)))
    own = np.add.reduceat(xbar, start, axis=0) / count[:, None]
    out[at.death] += x[at.death] - own[np.searchsorted(ranks, at.exit_rank[at.death])]
    return np.asarray(out)


def _monotone() -> EstimatorRefused:
    return EstimatorRefused(
        where="outcome",
        found="a likelihood that rises for ever as a coefficient grows (a group in which nobody, or everybody "
        "first, has the event)",
        expected="events at overlapping times in each group compared",
        remedy="Compare the arms with `restricted_mean_survival` or `marginal_standardisation`, or drop the "
        "covariate that separates events from non-events.",
    )
