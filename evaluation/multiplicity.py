"""Several questions judged together: adjusted p-values for the families that a study declares.

The runner gives each family the p-values of its estimands' main analyses and, for Romano-Wolf, the
samples behind them; it gets back one adjusted p-value per estimand. Nothing is dropped: a question
without a p-value (a Bayesian analysis, say) makes the family refuse.

Romano-Wolf judges each outcome by its own studentised difference between arms (log-rank scores for
times), without covariates, whatever model the main analysis fits: its adjusted p-values belong to
those tests, and may fall on either side of the model's own p-value.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evaluation.estimate import Estimate
from evaluation.inference.corrections import FamilyRefused, corrected
from evaluation.inference.romano_wolf import romano_wolf
from evaluation.sample import Sample
from experiments.protocol import Family


def adjust_family(
    name: str,
    family: Family,
    estimates: Mapping[str, Estimate],
    *,
    samples: Mapping[str, Sample] | None = None,
    rng: np.random.Generator | None = None,
) -> dict[str, float]:
    """Adjusted p-values by estimand, in the order of the family.

    `estimates` and `samples` are by estimand; `samples` are complete rows. `samples` and `rng` are
    needed for `romano_wolf` alone, whose re-draws number `family.redraws`.
    """
    where = f"families.{name}"
    absent = [estimand for estimand in family.estimands if estimand not in estimates]
    if absent:
        raise FamilyRefused(
            where=f"{where}.estimands",
            found=f"no main analysis of {', '.join(absent)}",
            expected="a main analysis for every estimand of the family",
            remedy="Add the analysis, or take the estimand out of the family.",
        )
    if family.method == "romano_wolf":
        if family.redraws is None:
            raise FamilyRefused(
                where=f"{where}.redraws",
                found="nothing",
                expected="how many times to draw the design again",
                remedy="Write `redraws: 9999` beside `method: romano_wolf`.",
            )
        if samples is None or rng is None:
            raise TypeError("romano_wolf needs the samples of the family and a generator")
        adjusted = romano_wolf(
            [samples[estimand] for estimand in family.estimands], redraws=family.redraws, rng=rng
        )
    else:
        try:
            adjusted = corrected(
                np.array(
                    [
                        np.nan if (p := estimates[estimand].p_value) is None else p
                        for estimand in family.estimands
                    ],
                    dtype=np.float64,
                ),
                family.method,
            )
        except FamilyRefused as error:
            raise FamilyRefused(
                where=f"{where}.estimands",
                found=error.found,
                expected=error.expected,
                remedy=error.remedy,
            ) from None
    return {estimand: float(p) for estimand, p in zip(family.estimands, adjusted, strict=True)}
