"""Exact randomisation tests against ri2: Gerber & Green's table 2.2, blocks, clusters, studentised.

`ri2_more.R` in this folder made the numbers beyond the shared case.
"""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluation.inference.randomisation_test import redraw_test
from evaluation.sample import Sample
from experiments.design import Design, NamedArm
from experiments.designs.blocked import Blocked
from experiments.designs.clustered import Clustered
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


HERE = Path(__file__).parent
MORE = json.loads((HERE / "ri2_more.json").read_text())
TABLE = pd.read_csv(HERE / "ri2_more.csv")
# ri2 writes 15 digits.
DIGITS = 1e-12


def more(name: str, design: Design, roster: pd.DataFrame, statistic: Any) -> Any:
    renamed = roster.rename(columns={f"y_{name}": "y", f"z_{name}": "z"})
    sample = sample_of(design, renamed, "z")
    columns = (design.cluster_column,) if design.cluster_column else design.block_columns
    if columns:
        codes = renamed.groupby(list(columns)).ngroup().to_numpy(np.int64)
        sample = replace(sample, **{"cluster" if design.cluster_column else "block": codes})
    return redraw_test(sample, statistic=statistic, redraws=20_000, level=0.95, rng=np.random.default_rng(0))


@pytest.mark.parametrize("statistic", ["difference", "studentised"])
def test_unequal_arms_match(statistic: Any) -> None:
    result = more("plain", Complete(arms=arms(Fraction(4, 10))), TABLE[:10], statistic)
    expected = MORE["studentised" if statistic == "studentised" else "plain"]
    assert result.exact and len(result.redrawn) == MORE["permutations"]["plain"]
    assert_allclose(result.observed, expected["estimate"], rtol=DIGITS)
    assert_allclose(result.p, expected["p"], rtol=DIGITS)


def test_blocks_with_unequal_chances_match() -> None:
    """ri2 weights people by the inverse of their chance; we average blocks by their size: the same number."""
    shares = {
        "b": {"control": Fraction(2, 3), "treated": Fraction(1, 3)},
        "c": {"control": Fraction(7, 10), "treated": Fraction(3, 10)},
    }
    design = Blocked(arms=arms(Fraction(1, 2)), block_by=("block",), shares_by_block=shares)
    result = more("blocked", design, TABLE, "difference")
    assert result.exact and len(result.redrawn) == MORE["permutations"]["blocked"]
    assert_allclose(result.value, MORE["blocked_unequal"]["estimate"], rtol=DIGITS)
    assert_allclose(result.p, MORE["blocked_unequal"]["p"], rtol=DIGITS)


def test_clusters_of_unequal_size_match() -> None:
    design = Clustered(arms=arms(Fraction(1, 2)), cluster="school")
    result = more("clustered", design, TABLE, "difference")
    assert result.exact and len(result.redrawn) == MORE["permutations"]["clustered"]
    assert_allclose(result.value, MORE["clustered"]["estimate"], rtol=DIGITS)
    assert_allclose(result.p, MORE["clustered"]["p"], rtol=DIGITS)
