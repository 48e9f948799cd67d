"""Schemes with a memory: minimisation, response-adaptive allocation and permuted blocks."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln

from design_examples import make_design
from experiments.best_arm import best_arm, top_two
from experiments.block_sequences import number_of_sequences, same_block, sequences
from experiments.design import DesignRefused

HALVES = {"mentoring": "1/2", "usual": "1/2"}
MINIMISED: dict[str, Any] = {
    "balance_on": ["sex", "borough"],
    "weights": {"sex": 1.0, "borough": 1.0},
    "imbalance": "range",
    "probability": 0.8,
    "chance_draws": 1000,
    "chance_seed": 1,
}
ADAPTIVE: dict[str, Any] = {
    "batch": "week",
    "outcome": "attended",
    "better": "higher",
    "rule": "thompson",
    "power": 1.0,
    "prior": [1.0, 1.0],
    "burn_in_batches": 1,
    "floor": 0.1,
    "chance_draws": 1000,
    "chance_seed": 1,
}


def test_minimisation_by_hand() -> None:
    """Three allocated; a girl from the east comes.

    Girls: 2 mentoring, 0 usual. East: 1 mentoring, 1 usual. Placing her in mentoring would leave ranges
    of 3 and 1, sum 4; in usual 1 and 1, sum 2. Usual is preferred, with probability 0.8.
    """
    roster = pd.DataFrame(
        {
            "sex": ["girl", "girl", "boy", "girl"],
            "borough": ["east", "west", "east", "east"],
            "arm": ["mentoring", "mentoring", "usual", None],
        },
        index=list("abcd"),
    )
    design: Any = make_design("minimised", HALVES, MINIMISED)
    drawn = design.draw_rest(roster, "arm", np.random.default_rng(1))
    assert drawn.arm.tolist()[:3] == ["mentoring", "mentoring", "usual"]
    np.testing.assert_allclose(drawn.chance.loc["d"], [0.2, 0.8])
    # First comer: nothing to balance, both arms alike. Second: shares only the girls' margin.
    np.testing.assert_allclose(drawn.chance.loc["a"], [0.5, 0.5])
    np.testing.assert_allclose(drawn.chance.loc["b"], [0.2, 0.8])
    logged = design.logged_chance(roster.iloc[:3], "arm")
    np.testing.assert_allclose(logged, drawn.chance.iloc[:3])
    with pytest.raises(DesignRefused, match="1 units without an arm"):
        design.logged_chance(roster, "arm")


def test_minimisation_by_variance_agrees_with_the_definition() -> None:
    """Two arms: the variance of (x, y) is (x - y)^2 / 2, so squared ranges decide."""
    roster = pd.DataFrame(
        {
            "sex": ["g", "g", "b", "g"],
            "borough": ["e", "w", "e", "e"],
            "arm": ["mentoring", "mentoring", "usual", None],
        },
        index=list("abcd"),
    )
    design: Any = make_design("minimised", HALVES, {**MINIMISED, "imbalance": "variance"})
    np.testing.assert_allclose(
        design.draw_rest(roster, "arm", np.random.default_rng(1)).chance.loc["d"], [0.2, 0.8]
    )


def test_minimisation_to_unequal_shares_counts_in_shares() -> None:
    """Shares 1/3 and 2/3; girls so far 1 and 2, which is even. One more in mentoring makes (2, 2), that is
    3 and 1.5 in equal units, a range of 1.5; one more in usual makes (1, 3), 1.5 and 2.25: 0.75."""
    thirds = {"mentoring": "1/3", "usual": "2/3"}
    design: Any = make_design(
        "minimised", thirds, {**MINIMISED, "balance_on": ["sex"], "weights": {"sex": 1.0}}
    )
    roster = pd.DataFrame({"sex": ["g"] * 4, "arm": ["mentoring", "usual", "usual", None]}, index=range(4))
    chance = design.draw_rest(roster, "arm", np.random.default_rng(1)).chance
    np.testing.assert_allclose(chance.iloc[3], [0.2, 0.8])
    even = pd.DataFrame({"sex": ["g"] * 4, "arm": ["usual", "usual", "usual", None]}, index=range(4))
    np.testing.assert_allclose(
        design.draw_rest(even, "arm", np.random.default_rng(1)).chance.iloc[3], [0.8, 0.2]
    )
    # Girls 2 and 3: (3, 3) is 4.5 and 2.25, (2, 4) is 3 and 3. In plain counts the tie would be preferred.
    six = pd.DataFrame(
        {"sex": ["g"] * 6, "arm": ["mentoring", "usual"] * 2 + ["usual", None]}, index=range(6)
    )
    np.testing.assert_allclose(
        design.draw_rest(six, "arm", np.random.default_rng(1)).chance.iloc[5], [0.2, 0.8]
    )


def test_minimisation_keeps_margins_more_even_than_chance_would() -> None:
    rng = np.random.default_rng(1)
    roster = pd.DataFrame(
        {"sex": rng.choice(["g", "b"], 100), "borough": rng.choice(["e", "w", "n"], 100)}, index=range(100)
    )
    design = make_design("minimised", HALVES, MINIMISED)
    girls = (roster["sex"] == "g").to_numpy()
    codes = design.draw_many(roster, 400, np.random.default_rng(2))
    spread = np.abs(2 * codes[:, girls].sum(axis=1) - girls.sum())
    simple = make_design("simple", HALVES, {}).draw_many(roster, 400, np.random.default_rng(3))
    assert spread.mean() < 0.5 * np.abs(2 * simple[:, girls].sum(axis=1) - girls.sum()).mean()


def test_minimised_clusters_share_an_arm_and_must_agree_on_factors() -> None:
    roster = pd.DataFrame(
        {"school": list("aabbccdd"), "sex": list("ggbbggbb"), "borough": ["e"] * 8}, index=range(8)
    )
    design = make_design("minimised", HALVES, {**MINIMISED, "cluster": "school"})
    codes = design.draw_many(roster, 50, np.random.default_rng(1))
    assert (codes[:, ::2] == codes[:, 1::2]).all()
    with pytest.raises(DesignRefused, match="more than one value of 'sex'"):
        design.draw(roster.assign(sex=list("gbgbgbgb")), np.random.default_rng(1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"probability": 1.0}, "no allocation is certain"),
        ({"weights": {"sex": 1.0}}, "1 weights for 2 factors"),
    ],
)
def test_minimisation_without_a_random_element_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DesignRefused, match=said):
        make_design("minimised", HALVES, {**MINIMISED, **change})


def probability_better(a1: int, b1: int, a2: int, b2: int) -> float:
    """P(Beta(a2, b2) > Beta(a1, b1)), closed form for whole a2: the sum of Cook (2005)."""
    i = np.arange(a2)
    logs = betaln(a1 + i, b1 + b2) - np.log(b2 + i) - betaln(1 + i, b2) - betaln(a1, b1)
    return float(np.exp(logs).sum())


@pytest.mark.parametrize(
    ("a1", "b1", "a2", "b2"),
    [(1, 1, 1, 1), (3, 8, 5, 6), (40, 60, 52, 48), (400, 600, 430, 570), (1, 30, 2, 1)],
)
def test_the_best_of_two_arms_agrees_with_the_closed_form(a1: int, b1: int, a2: int, b2: int) -> None:
    """The quadrature is good to nine digits: the trapezium rule on an analytic function."""
    found = best_arm(np.array([[a1, a2]], dtype=float), np.array([[b1, b2]], dtype=float))
    np.testing.assert_allclose(found[0, 1], probability_better(a1, b1, a2, b2), atol=1e-9)


def test_the_best_of_three_arms_agrees_with_simulation() -> None:
    a, b = np.array([[3.0, 9.0, 20.0]]), np.array([[5.0, 9.0, 30.0]])
    draws = np.random.default_rng(1).beta(a[0], b[0], size=(400_000, 3)).argmax(axis=1)
    np.testing.assert_allclose(best_arm(a, b)[0], np.bincount(draws) / 400_000, atol=5 * 0.5 / 632)


def test_top_two_probabilities_are_those_of_the_algorithm() -> None:
    """Draw the best; keep it with chance 0.3, else draw again until another is best (Russo 2020)."""
    best = np.array([0.6, 0.3, 0.1])
    rng = np.random.default_rng(1)
    leader = rng.choice(3, 200_000, p=best)
    second = leader.copy()
    while (same := second == leader).any():
        second[same] = rng.choice(3, int(same.sum()), p=best)
    taken = np.where(rng.random(200_000) < 0.3, leader, second)
    np.testing.assert_allclose(top_two(best[None, :], 0.3)[0], np.bincount(taken) / 200_000, atol=0.006)


def history() -> pd.DataFrame:
    """A first week in which only mentoring worked."""
    arm = ["mentoring", "usual"] * 5
    return pd.DataFrame(
        {
            "week": [1] * 10 + [2] * 4,
            "attended": [1.0, 0.0] * 5 + [np.nan] * 4,
            "arm": [*arm, None, None, None, None],
        },
        index=range(14),
    )


def test_the_next_batch_leans_towards_what_worked_and_logs_its_chances() -> None:
    design: Any = make_design("adaptive", HALVES, ADAPTIVE)
    drawn = design.draw_rest(history(), "arm", np.random.default_rng(1))
    better = probability_better(1, 6, 6, 1)
    np.testing.assert_allclose(drawn.chance.iloc[12]["mentoring"], 0.1 + 0.8 * better, atol=1e-9)
    np.testing.assert_allclose(drawn.chance.iloc[0], [0.5, 0.5])
    whole = history().assign(arm=drawn.arm)
    np.testing.assert_allclose(design.logged_chance(whole, "arm"), drawn.chance)
    replayed = design.replayed_chance(whole, design.recorded(whole, "arm")[None, :])
    np.testing.assert_allclose(replayed[0], drawn.chance)


def test_a_batch_does_not_learn_from_itself() -> None:
    design: Any = make_design("adaptive", HALVES, ADAPTIVE)
    record = history().assign(arm=["mentoring", "usual"] * 7)
    seen = record.assign(attended=[1.0, 0.0] * 5 + [0.0, 1.0, 0.0, 1.0])
    np.testing.assert_allclose(design.logged_chance(seen, "arm"), design.logged_chance(record, "arm"))


def test_fewer_is_better_turns_the_lean_around() -> None:
    design: Any = make_design("adaptive", HALVES, {**ADAPTIVE, "better": "lower"})
    chance = design.draw_rest(history(), "arm", np.random.default_rng(1)).chance
    assert chance.iloc[12]["mentoring"] < 0.2


def test_a_whole_adaptive_trial_cannot_be_drawn_before_any_outcome() -> None:
    design = make_design("adaptive", HALVES, ADAPTIVE)
    with pytest.raises(DesignRefused, match="no outcome from the 1 batches before batch 2"):
        design.draw(history().assign(attended=np.nan), np.random.default_rng(1))
    first = history().iloc[:10].drop(columns="attended")
    assert design.draw(first, np.random.default_rng(1)).arm.notna().all()


def test_inverse_probability_weights_from_the_log_are_unbiased_where_plain_means_are_not() -> None:
    """Arms of equal success: the plain mean of an arm is biased down, the weighted one is not.

    300 sets of outcomes with 10 histories each; bounds are four standard errors over the sets.
    """
    rng = np.random.default_rng(1)
    design: Any = make_design("adaptive", HALVES, {**ADAPTIVE, "floor": 0.1})
    success = (rng.random((300, 24)) < 0.5).astype(float)
    plain, weighted = np.empty(300), np.empty(300)
    for i, outcome in enumerate(success):
        roster = pd.DataFrame({"week": np.arange(24) // 6, "attended": outcome}, index=range(24))
        codes = design.draw_many(roster, 10, rng)
        chance = design.replayed_chance(roster, codes)[:, :, 0]
        inside = codes == 0
        means = (inside * outcome).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
        plain[i] = means.mean() - outcome.mean()
        weighted[i] = (inside * outcome / chance).mean() - outcome.mean()
    assert plain.mean() < -4 * plain.std() / np.sqrt(300)
    assert abs(weighted.mean()) < 4 * weighted.std() / np.sqrt(300)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"floor": 0.5}, "below 0.5000"),
        ({"power": None}, "`power` above 0"),
        ({"rule": "top two"}, "`leader` between 0 and 1"),
        ({"burn_in_batches": 0}, "at least one batch"),
        ({"chance_draws": 10}, "at least 1000"),
    ],
)
def test_adaptive_declarations_that_say_too_little_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DesignRefused, match=said):
        make_design("adaptive", HALVES, {**ADAPTIVE, **change})


def test_an_outcome_that_is_not_binary_is_refused_without_its_value() -> None:
    design = make_design("adaptive", HALVES, ADAPTIVE)
    with pytest.raises(DesignRefused, match="2 values of 'attended' other than 0 and 1") as said:
        design.draw(history().assign(attended=[0, 1] * 6 + [37, 41]), np.random.default_rng(1))
    assert "37" not in str(said.value)


def test_permuted_blocks_are_even_whenever_a_block_ends() -> None:
    codes = sequences(30, {4: (2, 2)}, 200, np.random.default_rng(1))
    assert (codes[:, :28].reshape(200, 7, 4).sum(axis=2) == 2).all()
    mixed = sequences(30, {2: (1, 1), 6: (3, 3)}, 200, np.random.default_rng(1))
    assert np.abs(np.cumsum(2 * mixed - 1, axis=1)).max() <= 3


@pytest.mark.parametrize("counts", [{2: (1, 1), 4: (2, 2)}, {3: (1, 2)}, {3: (1, 1, 1), 6: (2, 2, 2)}])
def test_counting_sequences_agrees_with_listing_them(counts: dict[int, tuple[int, ...]]) -> None:
    length, arms = 6, len(next(iter(counts.values())))

    def possible(word: tuple[int, ...]) -> bool:
        if not word:
            return True
        for size, places in counts.items():
            block, rest = word[:size], word[size:]
            held = [block.count(k) for k in range(arms)]
            full = len(block) == size
            fits = all(h == p if full else h <= p for h, p in zip(held, places, strict=True))
            if fits and (possible(rest) if full else True):
                return True
        return False

    listed = sum(possible(word) for word in product(range(arms), repeat=length))
    assert number_of_sequences(length, counts) == listed
    seen = {row.tobytes() for row in sequences(length, counts, 5_000, np.random.default_rng(1))}
    assert len(seen) == listed


def test_the_chance_of_sharing_a_block_by_hand() -> None:
    """Sizes 2 and 4: the first two share a block of 2 with chance 1/2, of 4 with chance 1/2."""
    found = same_block(4, {2: (1, 1), 4: (2, 2)})
    np.testing.assert_allclose([found[2][0, 1], found[4][0, 1]], [0.5, 0.5])
    # The third starts a block with chance 1/2, then of 2 or 4; or is in the first block of 4.
    np.testing.assert_allclose([found[2][2, 3], found[4][2, 3]], [0.25, 0.75])
    np.testing.assert_allclose([found[2][1, 2], found[4][1, 2]], [0.0, 0.5])


def test_joint_chances_within_permuted_blocks_by_hand() -> None:
    """Blocks of two: the first two never agree; the second and third are independent."""
    roster = pd.DataFrame(index=range(4))
    joint = make_design("sequential_blocks", HALVES, {"sizes": [2]}).joint_chance(roster, "usual", "usual")
    np.testing.assert_allclose(joint.table[0], [0.5, 0.0, 0.25, 0.25])
    np.testing.assert_allclose(joint.table[1], [0.0, 0.5, 0.25, 0.25])


def test_block_sizes_that_the_shares_do_not_divide_are_refused() -> None:
    with pytest.raises(DesignRefused, match="1 of which the shares do not divide"):
        make_design("sequential_blocks", HALVES, {"sizes": [3, 4]})
