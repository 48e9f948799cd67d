"""The units that a design drew, with their outcome totals and sizes: what a re-draw moves between arms.

A unit is a person where people were drawn, a cluster where clusters were, and a cluster in a period
where treatment varies over time. With e_j the size of unit j (its people, or its exposure for
rates) and y_j its outcome total, every mean or rate of an arm is sum(y_j) / sum(e_j).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.sample import Bools, Floats, Ints, Sample
from experiments.designs.adaptive import Adaptive


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnUnits:
    """J units in order of stratum; every array is (J,) unless said.

    `total` and `size` are y_j and e_j. `stratum` is 0..S-1, and units are compared only inside it;
    `edges` (S+1,) are its boundaries. `row` is one row of the sample that belongs to the unit.
    `share` (S,) weighs the strata: by their size, or, for periods, by J_s p_s (1 - p_s) with p_s the
    chance of the arm, so that a step of a wedge with one cluster in an arm does not count as a whole
    one. `weight` (J, 2) holds the inverse chances of the reference and of the arm, where chances differ
    between the units of a stratum. `cluster` joins the units that were drawn together over periods.
    `left_out` counts the periods in which only one arm was seen: they hold no comparison.
    """

    total: Floats
    size: Floats
    treated: Bools
    stratum: Ints
    edges: Ints
    share: Floats
    row: Ints
    weight: Floats | None
    cluster: Ints | None
    left_out: int = 0


def drawn_units(sample: Sample, *, rate: bool) -> DrawnUnits:
    """Add up the rows of each unit; `rate` makes exposure, not people, the size of a unit.

    Raises `EstimatorRefused` for a cluster found in both arms, a block with one arm only, and a
    rate without exposure.
    """
    n = len(sample.outcome)
    size = np.ones(n)
    if rate:
        if sample.exposure is None:
            raise EstimatorRefused(
                where="exposure",
                found="none",
                expected="time at risk or population for a rate",
                remedy="Declare `exposure` for the outcome, or ask for a mean difference.",
            )
        size = sample.exposure
    if sample.weight is not None:
        size = size * sample.weight
    amount = sample.outcome if sample.weight is None else sample.outcome * sample.weight

    unit = _unit_codes(sample)
    _, first, unit = np.unique(unit, return_index=True, return_inverse=True)
    total = np.bincount(unit, weights=amount)
    sizes = np.bincount(unit, weights=size)
    share_treated = np.bincount(unit, weights=sample.arm) / np.bincount(unit)
    if ((share_treated > 0) & (share_treated < 1)).any():
        raise EstimatorRefused(
            where="cluster",
            found=f"{int(((share_treated > 0) & (share_treated < 1)).sum())} clusters with people in both arms",
            expected="whole clusters in one arm, as they were drawn",
            remedy="Check the clusters' ids; if people were drawn, declare a design that draws people.",
        )
    by_period = sample.period is not None
    stratum = _strata(sample)[first]
    cluster = sample.cluster[first] if by_period and sample.cluster is not None else None
    kept = _both_arms(share_treated == 1, stratum, drop=by_period)
    order = np.flatnonzero(kept)[np.argsort(stratum[kept], kind="stable")]
    labels, codes = np.unique(stratum[order], return_inverse=True)
    codes = codes.astype(np.int64)
    chance = _chances(sample, first[order])
    return DrawnUnits(
        total=total[order],
        size=sizes[order],
        treated=share_treated[order] == 1,
        stratum=codes,
        edges=np.searchsorted(codes, np.arange(len(labels) + 1)).astype(np.int64),
        share=_share(sizes[order], codes, chance if by_period else None),
        row=first[order].astype(np.int64),
        weight=None if chance is None else _inverse(chance, codes),
        cluster=None
        if cluster is None
        else np.unique(cluster[order], return_inverse=True)[1].astype(np.int64),
        left_out=len(np.unique(stratum)) - len(labels),
    )


def _unit_codes(sample: Sample) -> Ints:
    if sample.cluster is None:
        return np.arange(len(sample.outcome), dtype=np.int64)
    if sample.period is None:
        return sample.cluster
    period = np.unique(sample.period, return_inverse=True)[1]
    return np.asarray(sample.cluster * (int(period.max()) + 1) + period, dtype=np.int64)


def _strata(sample: Sample) -> Ints:
    """Blocks, periods, or their combinations: inside one, every unit could have been in either arm."""
    n = len(sample.outcome)
    block = np.zeros(n, dtype=np.int64) if sample.block is None else sample.block
    if sample.period is None:
        return block
    period = np.unique(sample.period, return_inverse=True)[1]
    return np.asarray(block * (int(period.max()) + 1) + period, dtype=np.int64)


def _both_arms(treated: Bools, stratum: Ints, *, drop: bool) -> Bools:
    """Which units lie in a stratum with both arms; a block without is refused, a period left out."""
    code = np.unique(stratum, return_inverse=True)[1]
    share = np.bincount(code, weights=treated) / np.bincount(code)
    single = (share == 0) | (share == 1)
    if single.all() or (single.any() and not drop):
        what = "period" if drop else "block" if len(share) > 1 else "sample"
        raise EstimatorRefused(
            where=what,
            found=f"{int(single.sum())} {what}s with a measured outcome in one arm only",
            expected="both arms, so that there is a comparison",
            remedy="Join small blocks in the design, or name a model-based estimator such as "
            "`adjusted_difference` that pools over blocks.",
        )
    return np.asarray(~single[code], dtype=np.bool_)


def _share(size: Floats, stratum: Ints, chance: Floats | None) -> Floats:
    if chance is None:
        weights = np.bincount(stratum, weights=size)
    else:
        weights = np.bincount(stratum, weights=chance[:, 0] * chance[:, 1])
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _chances(sample: Sample, row: Ints) -> Floats | None:
    """(J, 2) chances of the reference and of the arm, given that it is one of the two.

    None where nobody drew, and where each re-draw has chances of its own (`redraws.py`).
    """
    if sample.design is None or sample.roster is None or sample.roster_row is None:
        return None
    if not sample.design.randomised or isinstance(sample.design, Adaptive):
        return None
    table = sample.design.chance(sample.roster)
    chance = table[list(sample.arms)].to_numpy(dtype=np.float64)[sample.roster_row[row]]
    return np.asarray(chance / chance.sum(axis=1, keepdims=True), dtype=np.float64)


def _inverse(chance: Floats, stratum: Ints) -> Floats | None:
    """(J, 2) inverse chances, or None where chances are equal inside every stratum."""
    first = chance[np.searchsorted(stratum, stratum)]
    if np.allclose(chance, first, rtol=0, atol=1e-9):
        return None
    if not (chance > 0).all():
        raise EstimatorRefused(
            where="design.chance",
            found=f"{int((chance <= 0).any(axis=1).sum())} units that could not have had both arms",
            expected="a chance above zero of either arm",
            remedy="Restrict the population to units that could have been given either arm.",
        )
    return np.asarray(1.0 / chance, dtype=np.float64)
