"""Every design in the folder keeps the folder's promises; a new file is held to them at once.

Bounds: with n draws and a chance p, a realised frequency has standard error sqrt(p (1 - p) / n). The
multiple is set so that all comparisons of one test together would fail once in a million seeds (the
seeds are fixed). Where chances are themselves simulated, their own variance is added.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from data_contracts.catalogue import find, names
from data_contracts.declared import build, plain
from design_examples import example, make_design, make_roster
from experiments.design import Design, DesignRefused

ALL = names("experiments.designs")
DRAWN = [name for name in ALL if find("experiments.designs", name).randomised]
UNDRAWN = [name for name in ALL if name not in DRAWN]
DRAWS = 4_000


def case(name: str, which: str = "roster") -> tuple[Design, pd.DataFrame]:
    content = example(name)
    options = content.get("few_options", content["options"]) if which == "few" else content["options"]
    return make_design(name, content["arms"], options), make_roster(**content[which])


def bound(p: np.ndarray, draws: int, simulated: int | None = None) -> np.ndarray:
    """Largest difference allowed between a frequency over `draws` and the probability `p`."""
    each = 1 / draws + (1 / simulated if simulated else 0.0)
    return norm.isf(1e-6 / (2 * p.size)) * np.sqrt(np.clip(p * (1 - p), 1e-4, None) * each)


@pytest.mark.parametrize("name", ALL)
def test_it_has_an_example_that_survives_being_written_down(name: str) -> None:
    design, _ = case(name)
    assert design.scheme == name
    assert build(type(design), plain(design), path="design") == design


@pytest.mark.parametrize("name", ALL)
def test_its_docstring_gives_a_reference(name: str) -> None:
    module = __import__(f"experiments.designs.{name}", fromlist=["x"])
    assert "Reference:" in (module.__doc__ or "")


@pytest.mark.parametrize("name", DRAWN)
def test_realised_frequencies_equal_chances(name: str) -> None:
    design, roster = case(name)
    chance = design.chance(roster).to_numpy()
    simulated = (
        getattr(design, "chance_draws", None) if design.chance_source(roster) == "simulation" else None
    )
    codes = design.draw_many(roster, DRAWS, np.random.default_rng(1))
    assert codes.shape == (DRAWS, len(roster))
    realised = np.stack([(codes == k).mean(axis=0) for k in range(len(design.arms))], axis=1)
    assert (np.abs(realised - chance) <= bound(chance, DRAWS, simulated)).all()
    if not example(name).get("unmeasured"):
        assert_allclose(chance.sum(axis=1), 1.0, atol=1e-12)
        assert codes.min() >= 0


@pytest.mark.parametrize("name", DRAWN)
def test_joint_frequencies_equal_joint_chances(name: str) -> None:
    design, roster = case(name)
    codes = design.draw_many(roster, DRAWS, np.random.default_rng(2))
    for arm, other in product(design.names, repeat=2):
        stated = design.joint_chance(roster, arm, other, rng=np.random.default_rng(3), draws=DRAWS)
        first, second = codes == design.code(arm), codes == design.code(other)
        realised = (first.T.astype(float) @ second) / DRAWS
        allowed = bound(stated.table, DRAWS, stated.draws if stated.how == "simulation" else None)
        assert (np.abs(realised - stated.table) <= allowed).all(), (arm, other)
        if arm == other and stated.how == "closed form":
            assert_allclose(np.diag(stated.table), design.chance(roster)[arm], atol=1e-12)


@pytest.mark.parametrize("name", DRAWN)
def test_joint_chances_add_up_to_chances(name: str) -> None:
    design, roster = case(name)
    if example(name).get("unmeasured"):
        pytest.skip("rows may go unmeasured, so chances do not sum to one")
    total = np.zeros((len(roster), len(roster)))
    for arm, other in product(design.names, repeat=2):
        total += design.joint_chance(roster, arm, other, rng=np.random.default_rng(4), draws=500).table
    assert_allclose(total, 1.0, atol=1e-9)


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_seed_gives_the_same_draw_and_another_seed_another(name: str) -> None:
    design, roster = case(name)
    first = design.draw(roster, np.random.default_rng(5))
    again = design.draw(roster, np.random.default_rng(5))
    assert first.arm.equals(again.arm)
    assert first.arm.index.equals(roster.index)
    many = design.draw_many(roster, 1, np.random.default_rng(5))[0]
    assert_array_equal(first.arm.isna(), many < 0)
    assert [design.names[c] for c in many if c >= 0] == first.arm.dropna().tolist()
    others = design.draw_many(roster, 10, np.random.default_rng(6))
    assert not (others == many).all()


@pytest.mark.parametrize("name", DRAWN)
def test_every_arm_can_be_reached(name: str) -> None:
    design, roster = case(name)
    codes = design.draw_many(roster, 200, np.random.default_rng(6))
    assert set(np.unique(codes)) >= set(range(len(design.arms)))


@pytest.mark.parametrize("name", [n for n in DRAWN if "few" in example(n)])
def test_listing_every_draw_agrees_with_the_count_and_with_all_chances(name: str) -> None:
    design, roster = case(name, "few")
    listed = design.every_draw(roster, 50_000)
    assert design.number_of_draws(roster).number == len(listed.codes)
    assert len(np.unique(listed.codes, axis=0)) == len(listed.codes)
    assert_allclose(listed.probability.sum(), 1.0, atol=1e-12)
    chance = np.stack([listed.probability @ (listed.codes == k) for k in range(len(design.arms))], axis=1)
    assert_allclose(chance, design.chance(roster), atol=1e-12)
    for arm, other in product(design.names, repeat=2):
        first, second = listed.codes == design.code(arm), listed.codes == design.code(other)
        exact = (first * listed.probability[:, None]).T @ second
        assert_allclose(exact, design.joint_chance(roster, arm, other).table, atol=1e-12)
    seen = {row.tobytes() for row in design.draw_many(roster, 2_000, np.random.default_rng(7))}
    assert seen <= {row.tobytes() for row in listed.codes}


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("repeated", "1 repeated id"),
        ("missing", "1 missing id"),
        ("case", "differ from another only in case"),
        ("nobody", "no units"),
    ],
)
def test_an_unclear_roster_is_refused_without_naming_anybody(name: str, fault: str, said: str) -> None:
    design, roster = case(name)
    ids = roster.index.tolist()
    if fault == "repeated":
        ids[1] = ids[0]
    elif fault == "missing":
        ids[1] = None
    elif fault == "case":
        ids[1] = ids[0].upper()
    broken = roster.set_axis(pd.Index(ids, name="id"))
    broken = broken.iloc[:0] if fault == "nobody" else broken
    for ask in (lambda: design.draw(broken, np.random.default_rng(1)), lambda: design.chance(broken)):
        with pytest.raises(DesignRefused, match=said) as refusal:
            ask()
        assert "unit_" not in str(refusal.value).lower()


@pytest.mark.parametrize("name", [n for n in DRAWN if example(n)["roster"]["columns"]])
def test_a_column_that_is_missing_or_has_gaps_is_named(name: str) -> None:
    design, roster = case(name)
    for column in roster.columns:
        if column == getattr(design, "outcome", None):
            continue
        with pytest.raises(DesignRefused, match=column):
            design.draw(roster.drop(columns=column), np.random.default_rng(1))
        gap = roster.astype({column: object})
        gap.iloc[0, gap.columns.get_loc(column)] = None
        with pytest.raises(DesignRefused, match=column):
            design.draw(gap, np.random.default_rng(1))


@pytest.mark.parametrize("name", DRAWN)
def test_one_unit_is_refused(name: str) -> None:
    design, roster = case(name)
    with pytest.raises(DesignRefused):
        design.draw(roster.iloc[:1], np.random.default_rng(1))


@pytest.mark.parametrize("name", UNDRAWN)
def test_what_nobody_drew_refuses_and_says_what_stands_in_for_chance(name: str) -> None:
    design, roster = case(name)
    rng = np.random.default_rng(1)
    arm = design.names[0]
    assert design.stands_in and len(design.stands_in.split()) > 10
    for ask in (
        lambda: design.draw(roster, rng),
        lambda: design.draw_many(roster, 10, rng),
        lambda: design.chance(roster),
        lambda: design.chance_source(roster),
        lambda: design.joint_chance(roster, arm, arm, rng=rng, draws=10),
        lambda: design.number_of_draws(roster),
        lambda: design.every_draw(roster, 100),
        lambda: design.logged_chance(roster, "arm"),
    ):
        with pytest.raises(DesignRefused) as refusal:
            ask()
        assert design.stands_in in str(refusal.value)
