"""Romano-Wolf stepdown: several outcomes of one trial judged together by the trial's own re-draws.

Each re-draw of the design gives the studentised statistic of every outcome, so the re-draws carry
the dependence between outcomes, and correlated outcomes cost less than independent ones. With
|T_1| >= ... >= |T_m| the observed statistics in order and B re-draws,

    p_j = (1 + #{b: max_{l >= j} |T_lb| >= |T_j|}) / (1 + B),   made non-decreasing in j

(or the share of all draws where they can be listed). Under the sharp null of every true hypothesis
the family-wise error is at most the level in any sample; under weak nulls, in large ones. Means,
risks and rates enter as differences; a time to an event enters by its log-rank scores (`log_rank.py`).

References: Westfall & Young (1993), Resampling-Based Multiple Testing, algorithm 2.8; Romano & Wolf
(2005), Econometrica 73(4), 1237-1282; Romano & Wolf (2016), Statistics & Probability Letters 113,
38-40, on the p-values; Young (2019), Quarterly Journal of Economics 134(2), on re-draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evaluation.inference.corrections import FamilyRefused
from evaluation.inference.drawn_units import DrawnUnits, drawn_units
from evaluation.inference.log_rank import log_rank_scores
from evaluation.inference.redraws import draw_in_chunks, drawn_by, in_arm
from evaluation.inference.statistics import Coefficients, Statistic, shifted, statistic_of, variance_for
from evaluation.sample import Floats, Sample
from experiments.designs.adaptive import Adaptive

_TIE = 1e-9
"""Statistics equal to this share of the larger are a tie: only the order of their sums differed."""


def romano_wolf(samples: Sequence[Sample], *, redraws: int, rng: np.random.Generator) -> Floats:
    """(m,) adjusted p-values, one per sample; all of one contrast in one roster, a two-arm design."""
    design, roster = samples[0].design, samples[0].roster
    for sample in samples[1:]:
        if sample.design is not design or sample.roster is not roster or sample.arms != samples[0].arms:
            raise FamilyRefused(
                where="families",
                found="questions about different contrasts or different rosters",
                expected="outcomes of one contrast of one trial, which the same re-draws can judge",
                remedy="Write `method: holm` for this family.",
            )
    prepared = [_prepare(sample) for sample in samples]
    if design is None or roster is None or len(design.arms) != 2 or isinstance(design, Adaptive):
        raise FamilyRefused(
            where="families",
            found="an allocation that learned from outcomes"
            if isinstance(design, Adaptive)
            else "a design with more than two arms",
            expected="two arms with chances fixed beforehand, so that one re-draw judges every outcome",
            remedy="Write `method: holm` for this family.",
        )
    number = design.number_of_draws(roster).number
    exact = number is not None and number <= redraws
    probability: Floats | None = None

    chunks = draw_in_chunks(design, roster, redraws, rng)
    if exact:
        every = design.every_draw(roster, redraws)
        chunks, probability = iter([every.codes]), every.probability

    drawn = np.concatenate(
        [
            np.column_stack(
                [
                    _size(of(in_arm(codes, drawn_by(sample, units)[1], sample, design)))
                    for sample, (units, of) in zip(samples, prepared, strict=True)
                ]
            )
            for codes in chunks
        ]
    )
    observed = np.array([_size(of(units.treated[None, :]))[0] for units, of in prepared])
    defined = np.isfinite(drawn).all(axis=1)
    chance = None if probability is None else probability[defined]
    return stepdown(observed, drawn[defined], chance)


def stepdown(observed: Floats, drawn: Floats, probability: Floats | None) -> Floats:
    """(m,) adjusted p-values from |T| observed (m,) and drawn (B, m); `probability` (B,) of listed draws."""
    order = np.argsort(-observed, kind="stable")
    largest = np.maximum.accumulate(drawn[:, order][:, ::-1], axis=1)[:, ::-1]
    reached = largest >= observed[order] * (1 - _TIE)
    if probability is None:
        p = (1 + reached.sum(axis=0)) / (1 + len(drawn))
    else:
        p = probability @ reached / probability.sum()
    out = np.empty(len(observed))
    out[order] = np.maximum.accumulate(p)
    return out


def _prepare(sample: Sample) -> tuple[DrawnUnits, Statistic]:
    if sample.kind == "recurrent" or sample.entry is not None:
        raise FamilyRefused(
            where="families",
            found="an outcome of repeated events or late entry",
            expected="means, risks, rates, or times from a common start",
            remedy="Write `method: holm` for this family.",
        )
    if sample.event is not None:
        sample = replace(
            sample, outcome=log_rank_scores(sample.outcome, sample.event, sample.block), kind="mean"
        )
    units = drawn_units(sample, rate=sample.exposure is not None)
    return units, statistic_of(units, *shifted(units), variance_for(units))


def _size(coefficients: Coefficients) -> Floats:
    """(B,) |T| under no effect."""
    difference, spread = np.abs(coefficients.difference(0.0)), np.sqrt(coefficients.variance(0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(difference == 0, 0.0, np.minimum(difference / spread, np.finfo(np.float64).max))
    return np.asarray(np.where(coefficients.defined, size, np.nan), dtype=np.float64)
