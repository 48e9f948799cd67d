"""Exact randomisation tests against ri2: Gerber & Green's table 2.2, and a blocked trial."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.inference.randomisation_test import redraw_test
from evaluation.sample import Sample
from experiments.design import Design, NamedArm
from experiments.designs.blocked import Blocked
from experiments.designs.complete import Complete


def sample_of(design: Design, roster: pd.DataFrame, arm: str) -> Sample:
    n = len(roster)
    return Sample(
        outcome=roster["y"].to_numpy(float),
        arm=roster[arm].to_numpy(np.int64),
        arms=("control", "treated"),
        unit="points",
        kind="mean",
        person=np.arange(n),
        block=roster["b"].to_numpy(np.int64) if "b" in roster else None,
        design=design,
        roster=roster,
        roster_row=np.arange(n),
    )


def arms(share: Fraction) -> tuple[NamedArm, NamedArm]:
    return NamedArm(name="control", share=1 - share), NamedArm(name="treated", share=share)


@pytest.mark.parametrize(("case", "tail"), [("gerber_green_2.2 two-tailed", "two_sided"), ("upper", "upper")])
def test_village_councils_match(golden: Any, case: str, tail: Any) -> None:
    reference = golden("ri2_exact")
    expected = reference.expected[case]
    roster = pd.read_csv(reference.folder / "data.csv")
    result = redraw_test(
        sample_of(Complete(arms=arms(Fraction(2, 7))), roster, "d"),
        statistic="difference",
        redraws=1_000,
        level=0.95,
        tail=tail,
        rng=np.random.default_rng(0),
    )
    assert result.exact
    assert_allclose(result.value, expected["estimate"], atol=reference.tolerance["estimate"])
    assert_allclose(result.p, expected["p.value"], atol=reference.tolerance["p"])
    assert_allclose(np.sort(result.redrawn), reference.expected["sims"], atol=1e-10)


def test_blocked_trial_matches(golden: Any) -> None:
    reference = golden("ri2_exact")
    expected = reference.expected["blocked exact 216 perms"]
    roster = pd.read_csv(reference.folder / "blocked.csv")
    result = redraw_test(
        sample_of(Blocked(arms=arms(Fraction(1, 2)), block_by=("b",)), roster, "z"),
        statistic="difference",
        redraws=1_000,
        level=0.95,
        rng=np.random.default_rng(0),
    )
    assert result.exact and len(result.redrawn) == 216
    assert_allclose(result.value, expected["estimate"], atol=reference.tolerance["estimate"])
    assert_allclose(result.p, expected["p.value"], atol=reference.tolerance["p"])
