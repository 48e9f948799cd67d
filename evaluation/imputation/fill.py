"""Fill the gaps of one variable in every chain: draw its regression, then draw its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from evaluation.imputation.columns import ArmColumns
from evaluation.imputation.regression_draws import (
    Groups,
    draw_normal,
    draw_probit,
    linear,
    probit_start,
    start,
)
from evaluation.imputation.settings import Imputation
from evaluation.sample import Bools, Floats, Ints

STEPS = 5
"""Gibbs steps of a regression's parameters in each cycle, where they are not drawn exactly."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filled:
    """(chains, gaps) values; `chance` and `rank` of a binary one; `donor` rows of the arm for a count."""

    values: Floats
    chance: Floats | None = None
    rank: Floats | None = None
    donor: Ints | None = None


def fill(
    columns: ArmColumns,
    values: Floats,
    j: int,
    missing: Bools,
    state: dict[int, Any],
    settings: Imputation,
    rng: np.random.Generator,
) -> Filled:
    """New values for the gaps of column `j`; `state[j]` carries its parameters between cycles."""
    chains = len(values)
    seen = ~missing
    x = design(values, j)
    x_seen, x_gap = x[:, seen], x[:, missing]
    count = 0 if columns.group is None else int(columns.group.max()) + 1
    groups = None if columns.group is None else Groups.of(columns.group[seen], count)
    gap_groups = None if columns.group is None else Groups.of(columns.group[missing], count)
    y = values[:, seen, j]
    if columns.binary[j] and y.min() != y.max():
        happened = y == 1
        if j not in state:
            state[j] = probit_start(x_seen, happened, count)
        drawn = draw_probit(x_seen, happened, groups, state[j], STEPS, rng)
        chance = ndtr(linear(x_gap, gap_groups, drawn.beta, drawn.u))
        rank = rng.random(chance.shape)
        return Filled(values=(rank < chance).astype(np.float64), chance=chance, rank=rank)
    centre = y.mean(axis=1, keepdims=True)
    scale = y.std(axis=1, keepdims=True)
    scale[scale == 0] = 1.0
    if j not in state:
        state[j] = start(chains, x.shape[2], count, 1.0)
    drawn = draw_normal(x_seen, (y - centre) / scale, groups, state[j], STEPS, rng)
    if j == 0 and (columns.counted or settings.scores == "donors"):
        predicted_seen = linear(x_seen, groups, drawn.beta_hat, drawn.u_hat)
        predicted_gap = linear(x_gap, gap_groups, drawn.beta, drawn.u)
        near = nearest_donors(predicted_seen, predicted_gap, settings.donors, rng)
        rows = np.flatnonzero(seen)[near]
        return Filled(values=columns.values[rows, j], donor=rows if columns.counted else None)
    noise = np.sqrt(drawn.sigma2)[:, None] * rng.standard_normal((chains, int(missing.sum())))
    fitted = linear(x_gap, gap_groups, drawn.beta, drawn.u) + noise
    return Filled(values=centre + scale * fitted)


def design(values: Floats, j: int) -> Floats:
    """(chains, n, p): a constant, then every other column that varies in this arm, standardised."""
    others = np.delete(values, j, axis=2)
    centre = others.mean(axis=1, keepdims=True)
    scale = others.std(axis=1, keepdims=True)
    varies = (scale > 1e-12 * (1 + np.abs(centre))).all(axis=(0, 1))
    scaled = (others[:, :, varies] - centre[:, :, varies]) / scale[:, :, varies]
    return np.concatenate([np.ones((*values.shape[:2], 1)), scaled], axis=2)


def nearest_donors(
    predicted_seen: Floats, predicted_gap: Floats, donors: int, rng: np.random.Generator
) -> Ints:
    """(chains, gaps) positions among the seen: one of the `donors` nearest predictions, at random."""
    chains, people = predicted_seen.shape
    donors = min(donors, people)
    chosen = np.empty(predicted_gap.shape, dtype=np.int64)
    window = np.arange(-donors, donors)
    for m in range(chains):
        order = np.argsort(predicted_seen[m], kind="stable")
        ladder = predicted_seen[m][order]
        at = np.searchsorted(ladder, predicted_gap[m])[:, None] + window
        outside = (at < 0) | (at >= people)
        distance = np.abs(ladder[np.clip(at, 0, people - 1)] - predicted_gap[m][:, None])
        distance[outside] = np.inf
        near = np.argsort(distance, axis=1, kind="stable")[:, :donors]
        pick = near[np.arange(len(near)), rng.integers(donors, size=len(near))]
        chosen[m] = order[np.clip(at, 0, people - 1)[np.arange(len(near)), pick]]
    return chosen
