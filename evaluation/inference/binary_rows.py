"""Yes-or-no outcomes: what may be analysed, and the risks by arm."""

from __future__ import annotations

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.inference.treatment_columns import both_arms
from evaluation.sample import Sample


def check_binary(sample: Sample, scale: str) -> None:
    """Refuse outcomes other than 0 and 1, and an outcome that never or always happens."""
    if sample.kind != "binary":
        raise EstimatorRefused(
            where="kind",
            found=f"a {sample.kind} outcome",
            expected="an outcome that happened or did not",
            remedy="Use `difference_in_means` for means and `rate_ratio` for counts.",
        )
    both_arms(sample)
    y = sample.outcome
    odd = int(np.count_nonzero((y != 0) & (y != 1)))
    if odd:
        raise EstimatorRefused(
            where="outcome",
            found=f"{odd} rows that are neither 0 nor 1",
            expected="0 or 1 in every row",
            remedy="Declare `kind: count` or `kind: mean` if the outcome is not yes-or-no.",
        )
    if y.min() == y.max():
        raise EstimatorRefused(
            where="outcome",
            found=f"an outcome that {'always' if y[0] else 'never'} happens",
            expected="people with it and people without it",
            remedy=f"No {scale.replace('_', ' ')} can be told from these rows: report the counts as they are.",
        )


def arm_risks(sample: Sample) -> list[dict[str, float | str | int]]:
    """People, events and risk by arm, in the order of `sample.arms`."""
    rows: list[dict[str, float | str | int]] = []
    for code, name in enumerate(sample.arms):
        y = sample.outcome[sample.arm == code]
        rows.append({"arm": name, "people": len(y), "events": int(y.sum()), "risk": float(y.mean())})
    return rows
