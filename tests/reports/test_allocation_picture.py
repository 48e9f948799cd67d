"""Pictures of draws: one for every randomised design, with words that give the counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data_contracts.catalogue import find, names
from design_examples import example, make_design, make_roster
from experiments.draw_balance import draw_balance
from reports.figures import allocation, allocation_balance

DRAWN = [n for n in names("experiments.designs") if find("experiments.designs", n).randomised]


@pytest.mark.parametrize("name", DRAWN)
def test_every_scheme_has_a_picture_whose_words_give_the_counts(name: str) -> None:
    content = example(name)
    design = make_design(name, content["arms"], content["options"])
    roster = make_roster(**content["roster"])
    drawn = design.draw(roster, np.random.default_rng(3))
    made = allocation.picture(design, roster, drawn)
    for arm in design.names:
        assert f"{arm.replace('_', ' ')} {int((drawn.arm == arm).sum())} rows" in made.alt
    again = allocation.picture(design, roster, drawn)
    assert made.as_bytes("svg") == again.as_bytes("svg")
    drawn_over = roster[[design.cluster_column]].drop_duplicates() if design.cluster_column else roster
    assert sum(len(line.get_xdata()) for line in made.axes[0].lines) >= len(drawn_over)


def test_many_people_become_bars_that_add_up() -> None:
    design = make_design("blocked", {"a": "1/2", "b": "1/2"}, {"block_by": ["borough"]})
    roster = pd.DataFrame({"borough": np.arange(3000) % 5}, index=range(3000))
    made = allocation.picture(design, roster, design.draw(roster, np.random.default_rng(1)))
    widths = [bar.get_width() for bar in made.axes[0].patches]
    assert sum(widths) == 3000
    assert set(widths) == {300}


def test_the_balance_picture_says_its_numbers() -> None:
    rng = np.random.default_rng(1)
    roster = pd.DataFrame({"age": rng.normal(size=40), "b": ["e", "w"] * 20}, index=range(40))
    design = make_design("blocked", {"a": "1/2", "b": "1/2"}, {"block_by": ["b"]})
    drawn = design.draw(roster, rng)
    balance = draw_balance(design, roster, drawn, ("age",), arm="a", other="b", draws=200, rng=rng)
    made = allocation_balance.picture(balance)
    assert f"age: drawn {balance.drawn[0]:.2f}" in made.alt
