"""Factorials: cells, fractions and aliases, against published fractions."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from design_examples import make_design
from experiments import aliasing
from experiments.design import DesignRefused

FOUR = ("a", "b", "c", "d")


def fraction(generator: str) -> Any:
    factors = {name: ["low", "high"] for name in FOUR}
    cells = {}
    for levels in product((-1, 1), repeat=4):
        if aliasing.in_fraction(dict(zip(FOUR, levels, strict=True)), (generator,), FOUR):
            cells["".join("lh"[(v + 1) // 2] for v in levels)] = ["low" if v < 0 else "high" for v in levels]
    arms = dict.fromkeys(cells, f"1/{len(cells)}")
    return make_design("factorial", arms, {"factors": factors, "cells": cells, "generators": [generator]})


def test_the_half_fraction_of_four_factors_is_of_resolution_four() -> None:
    """Box, Hunter & Hunter (2005), table 6.2: 2^(4-1) with D = ABC, resolution IV, AB = CD."""
    design = fraction("d = a * b * c")
    assert len(design.names) == 8
    assert design.resolution == 4
    assert design.aliases("a", "b") == ("c * d",)
    assert design.aliases("a") == ("b * c * d",)


def test_aliased_contrasts_are_the_same_numbers() -> None:
    design = fraction("d = a * b * c")
    level = 2 * design.levels(np.arange(8, dtype=np.int8)) - 1
    np.testing.assert_array_equal(level[:, 0] * level[:, 1], level[:, 2] * level[:, 3])
    other = fraction("d = -a * b * c")
    level = 2 * other.levels(np.arange(8, dtype=np.int8)) - 1
    np.testing.assert_array_equal(level[:, 0] * level[:, 1], -level[:, 2] * level[:, 3])
    assert other.aliases("a", "b") == ("-c * d",)


def test_the_quarter_fraction_of_five_factors_is_of_resolution_three() -> None:
    """Box, Hunter & Hunter (2005), table 6.22: 2^(5-2) with D = AB, E = AC: I = ABD = ACE = BCDE."""
    factors = ("a", "b", "c", "d", "e")
    generators = ("d = a * b", "e = a * c")
    words = {"".join(sorted(word)) for word, _ in aliasing.defining_relation(generators, factors)}
    assert words == {"abd", "ace", "bcde"}
    assert aliasing.resolution(generators, factors) == 3
    assert aliasing.aliases(("a",), generators, factors) == ("b * d", "c * e", "a * b * c * d * e")


TWO = {
    "factors": {"mentor": ["no mentor", "mentor"], "therapy": ["no therapy", "therapy"]},
    "cells": {
        "usual": ["no mentor", "no therapy"],
        "m": ["mentor", "no therapy"],
        "t": ["no mentor", "therapy"],
        "both": ["mentor", "therapy"],
    },
}
QUARTERS = dict.fromkeys(TWO["cells"], "1/4")


def test_each_level_of_each_factor_gets_half_of_every_block() -> None:
    design = make_design("factorial", QUARTERS, {**TWO, "block_by": ["borough"]})
    roster = pd.DataFrame({"borough": ["e"] * 8 + ["w"] * 4}, index=range(12))
    levels = design.levels(design.draw_many(roster, 100, np.random.default_rng(1)))  # type: ignore[attr-defined]
    assert (levels[:, :8].sum(axis=1) == 4).all()
    assert (levels[:, 8:].sum(axis=1) == 2).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"cells": {**TWO["cells"], "both": ["mentor", "no therapy"]}},
            "every combination of the design once",
        ),
        ({"cells": {**TWO["cells"], "both": ["therapy", "mentor"]}}, "cells.both"),
        ({"factors": {"mentor": ["no mentor", "mentor"]}}, "fewer than two factors"),
        ({"generators": ["therapy = mentor"]}, "a line such as"),
        ({"generators": ["mentor * therapy"]}, "a line such as"),
    ],
)
def test_cells_that_are_not_the_design_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DesignRefused, match=said):
        make_design("factorial", QUARTERS, {**TWO, **change})
