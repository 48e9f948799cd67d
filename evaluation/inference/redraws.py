"""Where the assignments of a randomisation test come from: the declared design, drawn again.

Three ways, chosen by the design and the numbers, never by the result. (1) All arrangements, where
the design fills fixed places inside strata and there are no more arrangements than the study asked
re-draws for. (2) The design's own `draw_many` on the whole roster, carried to the units with a
measured outcome, where the study has two arms. (3) With more than two arms, the units in other arms
stay where they were and the observed arms are shuffled inside strata: given which units fell to the
two arms together, all such shuffles are equally likely in designs that fill fixed places, and in
simple randomisation with equal chances. Other designs have no such licence and are refused.

References: Imbens & Rubin (2015), Causal Inference, chapter 5; Hennessy, Dasgupta, Miratrix,
Pattanayak & Sarkar (2016), Journal of Causal Inference 4(1), 61-80, on conditional re-draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.inference.drawn_units import DrawnUnits
from evaluation.inference.enumeration import arrangements, enumerate_assignments
from evaluation.sample import Bools, Sample
from experiments.design import Design

FIXED_PLACES = frozenset(
    {"complete", "blocked", "clustered", "blocked_clusters", "matched_pairs", "multi_site", "wait_list"}
)
"""Schemes in which, given the numbers in each arm, every arrangement inside strata is equally likely."""

_CELLS = 4_000_000
"""Entries of one chunk of assignments: bounds the memory of a test whatever its size."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Redraws:
    """Chunks of assignments (b, J) True in the arm; `exact` where they are all there are.

    `conditional` says that only the two arms' units were drawn again, the others held fixed.
    """

    chunks: Iterator[Bools]
    exact: bool
    conditional: bool


def redraw(sample: Sample, units: DrawnUnits, n: int, rng: np.random.Generator) -> Redraws:
    """`n` assignments of `units`, or every one of them where there are no more than `n`."""
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
    places = max(1, _CELLS // max(len(units.total), 1))
    fixed = design.scheme in FIXED_PLACES and units.weight is None and units.cluster is None
    if fixed and arrangements(units) <= n:
        conditional = len(design.arms) > 2
        return Redraws(chunks=enumerate_assignments(units, places), exact=True, conditional=conditional)
    if len(design.arms) == 2:
        return Redraws(chunks=_by_design(sample, units, design, n, rng), exact=False, conditional=False)
    if fixed or (design.scheme == "simple" and units.weight is None):
        return Redraws(chunks=_shuffled(units, n, places, rng), exact=False, conditional=True)
    raise EstimatorRefused(
        where=f"design.{design.scheme}",
        found=f"{len(design.arms)} arms",
        expected="two arms, or a design whose re-draw of two arms alone is known",
        remedy="Name `difference_in_means` or `adjusted_difference` for this contrast.",
    )


def _by_design(
    sample: Sample, units: DrawnUnits, design: Design, n: int, rng: np.random.Generator
) -> Iterator[Bools]:
    roster, roster_row = sample.roster, sample.roster_row
    assert roster is not None and roster_row is not None
    chunk = max(1, _CELLS // max(len(roster), 1))
    code = design.names.index(sample.arms[1])
    columns = roster_row[units.row]
    whole = len(columns) == len(roster) and bool((columns == np.arange(len(roster))).all())
    for start in range(0, n, chunk):
        codes = design.draw_many(roster, min(chunk, n - start), rng)
        yield (codes if whole else codes[:, columns]) == code


def _shuffled(units: DrawnUnits, n: int, chunk: int, rng: np.random.Generator) -> Iterator[Bools]:
    for start in range(0, n, chunk):
        out = np.tile(units.treated, (min(chunk, n - start), 1))
        for low, high in zip(units.edges[:-1], units.edges[1:], strict=True):
            out[:, low:high] = rng.permuted(out[:, low:high], axis=1)
        yield out
