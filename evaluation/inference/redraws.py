"""Where the assignments of a randomisation test come from: the declared design, drawn again.

Chosen by the design and the numbers, never by the result. With two arms the design itself is asked:
for every draw it could make, with its probability, where there are no more than the study asked
re-draws for, and otherwise for that many of its draws. Draws are made for the whole roster and then
carried to the units with a measured outcome, so whatever the draw respected (blocks, clusters,
balance, order of arrival) every re-draw respects. With more than two arms the units in other arms
stay where they were and the two arms are shuffled, or listed, inside strata: given which units fell
to the two arms together, all such arrangements are equally likely in designs that fill fixed places,
and in simple randomisation with equal chances. Other designs have no such licence and are refused.

An adaptive allocation is drawn again with everybody's outcome held fixed, as under no effect, and each
history's units are weighted by the inverse of their chances along that same history.

References: Imbens & Rubin (2015), Causal Inference, chapter 5; Hennessy, Dasgupta, Miratrix,
Pattanayak & Sarkar (2016), Journal of Causal Inference 4(1), 61-80, on conditional re-draws;
Morgan & Rubin (2012), Annals of Statistics 40(2), 1263-1282, on re-draws under rerandomisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.estimate import EstimatorRefused
from evaluation.inference.drawn_units import DrawnUnits
from evaluation.inference.enumeration import arrangements, enumerate_assignments
from evaluation.sample import Bools, Floats, Ints, Sample
from experiments.design import Codes, Design
from experiments.designs.adaptive import Adaptive

FIXED_PLACES = frozenset(
    {
        "complete",
        "blocked",
        "clustered",
        "blocked_clusters",
        "matched_pairs",
        "multi_site",
        "wait_list",
        "encouragement",
        "factorial",
    }
)
"""Schemes in which, given the numbers in each arm, every arrangement inside strata is equally likely."""

CELLS = 2_000_000
"""Entries of one chunk of assignments: bounds the memory of a test whatever its size."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Assignments (b, J), True in the arm.

    `weight` holds the inverse chances of the reference and of the arm, (b, J) each, where an
    allocation that learns gives every history chances of its own.
    """

    assigned: Bools
    weight: tuple[Floats, Floats] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Redraws:
    """Chunks of assignments, and the one that happened; `exact` where the chunks are all there are.

    `probability` (B,) is each listed draw's chance, None where all are equally likely. `conditional`
    says that only the two arms' units were drawn again, the others held fixed. `learned` says that the
    allocation learned from outcomes: re-draws exist under no effect alone.
    """

    chunks: Iterator[Draws]
    observed: Draws
    exact: bool
    conditional: bool
    learned: bool = False
    probability: Floats | None = None


def redraw(sample: Sample, units: DrawnUnits, n: int, rng: np.random.Generator) -> Redraws:
    """`n` assignments of `units`, or every one of them where there are no more than `n`."""
    design, columns = drawn_by(sample, units)
    assert sample.roster is not None
    observed = Draws(assigned=units.treated[None, :])
    if len(design.arms) == 2:
        if isinstance(design, Adaptive):
            return _learned(sample, units, design, columns, n, rng)
        number = design.number_of_draws(sample.roster).number
        if number is None or number > n:
            drawn = (
                Draws(assigned=in_arm(codes, columns, sample, design))
                for codes in draw_in_chunks(design, sample.roster, n, rng)
            )
            return Redraws(chunks=drawn, observed=observed, exact=False, conditional=False)
        every = design.every_draw(sample.roster, n)
        chance = every.probability
        return Redraws(
            chunks=iter([Draws(assigned=in_arm(every.codes, columns, sample, design))]),
            observed=observed,
            exact=True,
            conditional=False,
            probability=None if np.ptp(chance) <= 1e-12 * chance.max() else chance / chance.sum(),
        )
    places = max(1, CELLS // max(len(units.total), 1))
    fixed = design.scheme in FIXED_PLACES and units.cluster is None and units.weight is None
    listed = fixed and arrangements(units) <= n
    if listed or fixed or (design.scheme == "simple" and units.weight is None):
        source = enumerate_assignments(units, places) if listed else _shuffled(units, n, places, rng)
        chunks = (Draws(assigned=assigned) for assigned in source)
        return Redraws(chunks=chunks, observed=observed, exact=listed, conditional=True)
    raise EstimatorRefused(
        where=f"design.{design.scheme}",
        found=f"{len(design.arms)} arms",
        expected="two arms, or a design whose re-draw of two arms alone is known",
        remedy="Name `difference_in_means` or `adjusted_difference` for this contrast.",
    )


def draw_in_chunks(
    design: Design, roster: pd.DataFrame, n: int, rng: np.random.Generator, *, cells: int = CELLS
) -> Iterator[Codes]:
    """`n` draws of the whole roster, in chunks of at most `cells` entries."""
    chunk = max(1, cells // max(len(roster), 1))
    for start in range(0, n, chunk):
        yield design.draw_many(roster, min(chunk, n - start), rng)


def drawn_by(sample: Sample, units: DrawnUnits) -> tuple[Design, Ints]:
    """The design that drew the sample, and the (J,) roster rows of its units; refused where nobody drew."""
    design = sample.design
    if design is None or sample.roster is None or sample.roster_row is None:
        raise EstimatorRefused(
            where="design",
            found="a sample without the roster and the design that drew it",
            expected="a randomised design, so that the assignment can be drawn again",
            remedy="Declare how people were put into arms, or name `difference_in_means`.",
        )
    if not design.randomised:
        raise EstimatorRefused(
            where=f"design.{design.scheme}",
            found="a design that nobody drew",
            expected="a randomised design",
            remedy="Use placebo inference with the estimator of this design instead.",
        )
    return design, sample.roster_row[units.row]


def in_arm(codes: Codes, columns: Ints, sample: Sample, design: Design) -> Bools:
    """(b, J) True where a draw of the roster puts a unit in the arm whose effect is asked."""
    whole = len(columns) == codes.shape[1] and bool((columns == np.arange(len(columns))).all())
    mine = codes if whole else np.take(codes, columns, axis=1)
    if design.period_column is not None and (mine < 0).any():
        raise EstimatorRefused(
            where=f"design.{design.scheme}",
            found="re-draws that leave measured cells unmeasured",
            expected="a schedule in which every cluster is measured in every period",
            remedy="Name a stepped-wedge model: what was not measured cannot be carried to another draw.",
        )
    return np.asarray(mine == design.code(sample.arms[1]), dtype=np.bool_)


def _learned(
    sample: Sample, units: DrawnUnits, design: Adaptive, columns: Ints, n: int, rng: np.random.Generator
) -> Redraws:
    """Re-draws of an allocation that learned, each weighted by the chances along its own history."""
    roster = sample.roster
    assert roster is not None
    if sample.roster_arm is None:
        raise EstimatorRefused(
            where="roster",
            found="no record of every unit's arm",
            expected="the arm of every unit, from which later units' chances followed",
            remedy="Build the sample with `roster_arm`.",
        )

    def weighed(codes: Codes) -> Draws:
        chance = design.replayed_chance(roster, codes)[:, columns]
        first, second = (1.0 / chance[:, :, design.code(arm)] for arm in sample.arms)
        return Draws(assigned=in_arm(codes, columns, sample, design), weight=(first, second))

    chunks = (weighed(codes) for codes in draw_in_chunks(design, roster, n, rng, cells=CELLS // 4))
    observed = weighed(sample.roster_arm[None, :].astype(np.int8))
    return Redraws(chunks=chunks, observed=observed, exact=False, conditional=False, learned=True)


def _shuffled(units: DrawnUnits, n: int, chunk: int, rng: np.random.Generator) -> Iterator[Bools]:
    for start in range(0, n, chunk):
        out = np.tile(units.treated, (min(chunk, n - start), 1))
        for low, high in zip(units.edges[:-1], units.edges[1:], strict=True):
            out[:, low:high] = rng.permuted(out[:, low:high], axis=1)
        yield out
