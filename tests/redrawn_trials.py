"""Rosters drawn by a design and turned into samples: what the tests of re-draws share."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from evaluation.sample import Sample
from experiments.design import Design, NamedArm

HALVES = (NamedArm(name="control", share=Fraction(1, 2)), NamedArm(name="treated", share=Fraction(1, 2)))


def arms(share: Fraction) -> tuple[NamedArm, NamedArm]:
    """Control and treated, with the treated's share."""
    return NamedArm(name="control", share=1 - share), NamedArm(name="treated", share=share)


def codes_of(roster: pd.DataFrame, columns: tuple[str, ...]) -> Any:
    """(n,) integer labels of the columns' combinations, or None."""
    if not columns:
        return None
    return roster.groupby(list(columns), sort=True).ngroup().to_numpy(np.int64)


def drawn_sample(
    design: Design,
    roster: pd.DataFrame,
    codes: Any,
    outcome: Any,
    *,
    kind: Any = "mean",
    contrast: tuple[str, str] = ("control", "treated"),
    **more: Any,
) -> Sample:
    """The sample of a contrast in which `codes` (n,) put the roster's rows into the design's arms."""
    codes = np.asarray(codes, dtype=np.int64)
    reference, arm = (design.code(name) for name in contrast)
    rows = np.flatnonzero((codes == reference) | (codes == arm))
    cluster = codes_of(roster, (design.cluster_column,) if design.cluster_column else ())
    period = codes_of(roster, (design.period_column,) if design.period_column else ())
    block = codes_of(roster, design.block_columns)
    return Sample(
        outcome=np.asarray(outcome, dtype=float)[rows],
        arm=(codes[rows] == arm).astype(np.int64),
        arms=contrast,
        unit="points",
        kind=kind,
        person=rows,
        block=None if block is None else block[rows],
        cluster=None if cluster is None else cluster[rows],
        period=None if period is None else period[rows],
        design=design,
        roster=roster,
        roster_row=rows,
        roster_arm=codes,
        **{name: value[rows] for name, value in more.items()},
    )
