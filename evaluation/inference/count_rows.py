"""Counts and the time or people at risk of them: what may be analysed, and the rates by arm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.estimate import EstimatorRefused
from evaluation.sample import Sample


def check_counts(sample: Sample, *, ratio: bool = True) -> None:
    """Refuse negative or fractional counts, exposure not above zero and, for a ratio, an arm without events."""
    if sample.kind != "count":
        raise EstimatorRefused(
            where="kind",
            found=f"a {sample.kind} outcome",
            expected="counts of events",
            remedy="Use `difference_in_means` for means, `marginal_standardisation` for yes-or-no outcomes.",
        )
    y = sample.outcome
    bad = np.count_nonzero((y < 0) | (y != np.floor(y)))
    if bad:
        raise EstimatorRefused(
            where="outcome",
            found=f"{bad} rows with a negative or fractional count",
            expected="whole numbers of zero or more",
            remedy="Give the counts themselves, with the exposure beside them, and not rates.",
        )
    if sample.exposure is not None:
        none = np.count_nonzero(np.logical_not(sample.exposure > 0))
        if none:
            raise EstimatorRefused(
                where="exposure",
                found=f"{none} rows with an exposure that is zero, negative or missing",
                expected="time or people at risk above zero in every row",
                remedy="Leave out rows that were never at risk when the sample is built, so that the flow counts them.",
            )
    if not ratio:
        return
    for code, name in enumerate(sample.arms):
        if not (y[sample.arm == code] > 0).any():
            raise EstimatorRefused(
                where=f"arms.{name}",
                found="no events",
                expected="at least one event in each arm, for a ratio",
                remedy="Ask for a rate difference with `cluster_means` or `difference_in_means`, or use `randomisation_test`.",
            )


def exposure_of(sample: Sample) -> NDArray[np.float64]:
    """(n,) exposure; one for every row where follow-up was the same for all."""
    return np.ones(len(sample.outcome)) if sample.exposure is None else sample.exposure


def arm_rates(sample: Sample) -> list[dict[str, float | str]]:
    """Events, exposure and rate by arm, in the order of `sample.arms`."""
    exposure = exposure_of(sample)
    rows: list[dict[str, float | str]] = []
    for code, name in enumerate(sample.arms):
        inside = sample.arm == code
        events, time = float(sample.outcome[inside].sum()), float(exposure[inside].sum())
        rows.append({"arm": name, "events": events, "exposure": time, "rate": events / time})
    return rows
