"""Sealing designs: what is licensed, what is refused, and that the draw gives the chances it should."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_contracts.catalogue import find
from data_contracts.refusal import Refusal
from experiments.allocation import seal
from experiments.allocation.beacon import BeaconRefused, Round
from experiments.allocation.canonical import canonical, roster_from
from experiments.allocation.hmac_order import below, fixed_shares, independent, places
from experiments.allocation.licensed import design_as_json, licensed, sequential_plan
from experiments.allocation.strata import NotSealable, Plan, drawn
from experiments.design import Design, NamedArm

THREE = (
    NamedArm(name="mentoring", share=Fraction(1, 2)),
    NamedArm(name="sport", share=Fraction(1, 6)),
    NamedArm(name="usual", share=Fraction(1, 3)),
)
TWO = (NamedArm(name="mentoring", share=Fraction(1, 2)), NamedArm(name="usual", share=Fraction(1, 2)))


def design(scheme: str, **choices: Any) -> Design:
    made = find("experiments.designs", scheme)(**{"arms": TWO, **choices})
    assert isinstance(made, Design)
    return made


@pytest.fixture
def roster() -> pd.DataFrame:
    """46 people in 16 schools, 3 boroughs and 23 pairs."""
    school = np.array([n % 16 for n in range(46)])
    return pd.DataFrame(
        {
            "borough": np.array(["ash", "birch", "cedar"])[school % 3],
            "school": [f"s{n:02d}" for n in school],
            "pair": [f"pair{n // 2}" for n in range(46)],
        },
        index=pd.Index([f"p{n:02d}" for n in range(46)], name="person"),
    )


SEALED: dict[str, dict[str, Any]] = {
    "simple": {"arms": THREE},
    "complete": {"arms": THREE},
    "blocked": {"arms": THREE, "block_by": ("borough",)},
    "clustered": {"arms": THREE, "cluster": "school"},
    "blocked_clusters": {"block_by": ("borough",), "cluster": "school"},
    "matched_pairs": {"pair": "pair"},
    "multi_site": {
        "site": "borough",
        "shares_by_site": {"birch": {"mentoring": Fraction(2, 3), "usual": Fraction(1, 3)}},
    },
    "encouragement": {"received": "attended", "non_compliance": "one-sided", "block_by": ("borough",)},
    "wait_list": {"waiting": "usual", "wait_days": 180},
}


@pytest.mark.parametrize("scheme", SEALED)
def test_a_sealed_draw_gives_every_unit_the_chances_that_its_design_states(
    scheme: str, roster: pd.DataFrame
) -> None:
    """2,000 seeds: each frequency within 4.5 Monte Carlo standard errors of the design's chance.

    With at most 138 frequencies in a scheme, a false alarm has a chance below 0.001.
    """
    made = design(scheme, **SEALED[scheme])
    plan, canonical_roster = licensed(made, roster)
    seeds = 2_000
    counts: Counter[tuple[str, str]] = Counter()
    for number in range(seeds):
        counts.update(
            drawn(
                hashlib.sha256(bytes([number % 256, number // 256])).digest(), plan, canonical_roster
            ).items()
        )
    chance = made.chance(roster)
    seen = pd.DataFrame(
        {arm: [counts[unit, arm] / seeds for unit in roster.index] for arm in made.names}, index=roster.index
    )
    bound = 4.5 * np.sqrt(chance * (1 - chance) / seeds)
    assert (np.abs(seen - chance) <= bound).to_numpy().all()


@pytest.mark.parametrize("scheme", [name for name in SEALED if name != "simple"])
def test_a_sealed_draw_fills_each_stratum_as_near_to_its_shares_as_whole_units_allow(
    scheme: str, roster: pd.DataFrame
) -> None:
    plan, canonical_roster = licensed(design(scheme, **SEALED[scheme]), roster)
    for number in range(50):
        arm = pd.Series(drawn(hashlib.sha256(bytes([number])).digest(), plan, canonical_roster))
        unit = roster[plan.cluster] if plan.cluster else pd.Series(roster.index, index=roster.index)
        table = pd.DataFrame({"arm": arm, "unit": unit, **{c: roster[c] for c in plan.by}}).drop_duplicates(
            "unit"
        )
        for label, inside in table.groupby(list(plan.by)) if plan.by else [((), table)]:
            shares = plan.shares_in(label if isinstance(label, tuple) else (label,))
            for name, share in zip(plan.arms, shares, strict=True):
                whole = len(inside) * share
                assert int(whole) <= (inside["arm"] == name).sum() <= int(whole) + (whole != int(whole))


@pytest.mark.parametrize(
    "scheme, instead",
    [
        ("rerandomised", "blocked"),
        ("minimised", "sequential_blocks"),
        ("adaptive", "sequential_blocks"),
        ("stepped_wedge", "clustered"),
        ("crossover", "clustered"),
        ("factorial", "one arm for each cell"),
        ("interrupted_series", "no draw to seal"),
    ],
)
def test_a_scheme_that_the_format_does_not_draw_is_refused_with_what_to_use(
    scheme: str, instead: str, roster: pd.DataFrame
) -> None:
    module = type(f"Stub{scheme}", (Design,), {"__module__": f"experiments.designs.{scheme}"})
    with pytest.raises(NotSealable, match=instead):
        licensed(module(arms=TWO), roster)


def test_a_design_that_states_other_chances_than_the_seal_draws_is_refused(roster: pd.DataFrame) -> None:
    made = design("complete")
    uneven = pd.DataFrame(
        np.linspace([0.4, 0.6], [0.6, 0.4], len(roster)), index=roster.index, columns=list(made.names)
    )

    class Uneven(type(made)):  # type: ignore[misc]
        __module__ = "experiments.designs.complete"

        def chance(self, roster: pd.DataFrame) -> pd.DataFrame:
            return uneven

    with pytest.raises(NotSealable, match="chances that differ"):
        licensed(Uneven(arms=TWO), roster)


def test_the_designs_own_refusals_come_through(roster: pd.DataFrame) -> None:
    with pytest.raises(Refusal, match="fewer"):
        licensed(design("blocked", block_by=("school",), arms=THREE), roster.head(20))
    spans = roster.assign(borough=np.where(np.arange(46) < 20, "ash", roster["borough"]))
    with pytest.raises(Refusal, match="cluster"):
        licensed(design("blocked_clusters", block_by=("borough",), cluster="school"), spans)
    with pytest.raises(Refusal):
        licensed(design("complete"), roster.head(0))


def test_a_cluster_in_two_strata_is_refused_by_the_format_too(roster: pd.DataFrame) -> None:
    plan = Plan(
        draw="fixed shares", arms=("a", "b"), shares=(Fraction(1, 2),) * 2, by=("pair",), cluster="school"
    )
    with pytest.raises(NotSealable, match="two strata"):
        drawn(bytes(32), plan, roster_from(roster, plan.columns))


def test_shares_of_a_block_of_its_own_are_sealed(roster: pd.DataFrame) -> None:
    own = {"ash": {"mentoring": Fraction(3, 4), "usual": Fraction(1, 4)}}
    plan, _ = licensed(design("blocked", block_by=("borough",), shares_by_block=own), roster)
    assert plan.own == ((("ash",), (Fraction(3, 4), Fraction(1, 4))),)


def test_every_design_that_is_sealed_has_canonical_bytes() -> None:
    for scheme, choices in SEALED.items():
        assert canonical(design_as_json(design(scheme, **choices)))


def test_remainders_go_to_arms_with_exactly_their_chance() -> None:
    """7 units at 1/2, 1/6, 1/3: over 6 equally likely starts and 6 orders, exact expectation 7 f_k.

    With 6,000 seeds the standard error of a mean count is at most 0.0065; the bound is 4.5 of them.
    """
    shares = tuple(arm.share for arm in THREE)
    total = np.zeros(3)
    for number in range(6_000):
        counts = places(hashlib.sha256(number.to_bytes(4)).digest(), [], 7, ["a", "b", "c"], shares)
        assert sum(counts) == 7
        total += counts
    assert np.abs(total / 6_000 - [7 * float(share) for share in shares]).max() < 4.5 * 0.0065


def test_whole_numbers_are_uniform() -> None:
    """Chi-squared of 12,000 numbers below 12, 11 degrees of freedom: below 40 but for 4 in 100,000."""
    seen = np.bincount([below(bytes(32), 12, "test", [], n) for n in range(12_000)], minlength=12)
    assert ((seen - 1000) ** 2 / 1000).sum() < 40


@pytest.mark.parametrize("draw", [fixed_shares, independent])
def test_relabelling_the_stratum_moves_its_draw(draw: Callable[..., dict[str, str]]) -> None:
    units, shares = [f"u{n}" for n in range(40)], (Fraction(1, 2),) * 2
    one, other = (draw(bytes(32), [label], units, ["a", "b"], shares) for label in ("ash", "birch"))
    assert one != other
    assert one == draw(bytes(32), ["ash"], units, ["a", "b"], shares)


def test_another_nonce_round_or_roster_gives_another_commitment_or_draw(
    sealed_with: Callable[..., seal.Sealed], blocked: Plan, given: Round
) -> None:
    sealed = sealed_with(blocked)
    other = sealed_with(blocked, nonce=hashlib.sha256(b"x").digest())
    assert sealed.commitment != other.commitment
    assert seal.draw(sealed, given) != seal.draw(other, given)
    later = Round(number=given.number, randomness="5a" * 32, signature=None)
    assert seal.draw(sealed, given) != seal.draw(sealed, later)


@pytest.mark.parametrize("nonce", [b"", bytes(31), bytes(32), bytes(range(33)), b"ab" * 16])
def test_a_nonce_that_is_not_32_random_bytes_is_refused(
    sealed_with: Callable[..., seal.Sealed], blocked: Plan, nonce: bytes
) -> None:
    with pytest.raises(seal.SealRefused, match="32 random bytes"):
        sealed_with(blocked, nonce=nonce)


def test_only_the_round_or_the_secret_that_was_named_will_do(
    sealed_with: Callable[..., seal.Sealed], blocked: Plan, given: Round
) -> None:
    sealed = sealed_with(blocked)
    with pytest.raises(BeaconRefused, match="and no other"):
        seal.draw(sealed, Round(number=given.number + 1, randomness=given.randomness, signature=None))
    with pytest.raises(BeaconRefused, match="a secret"):
        seal.draw(sealed, hashlib.sha512(b"s").digest())
    by_secret = sealed_with(blocked, entropy=seal.second_party("ab" * 32))
    with pytest.raises(BeaconRefused, match="a beacon round"):
        seal.draw(by_secret, given)
    with pytest.raises(BeaconRefused, match="another hash"):
        seal.draw(by_secret, hashlib.sha512(b"s").digest())


def test_a_roster_goes_with_a_drawn_design_and_none_with_a_rolling_one(
    sealed_with: Callable[..., seal.Sealed], blocked: Plan, rolling: Plan, given: Round, people: pd.DataFrame
) -> None:
    with pytest.raises(seal.SealRefused, match="roster"):
        sealed_with(blocked, roster=None)
    with pytest.raises(NotSealable, match="one at a time"):
        sealed_with(rolling, roster=roster_from(people, ["borough"]))
    with pytest.raises(seal.SealRefused, match="enrol"):
        seal.draw(sealed_with(rolling), given)


def test_sequential_blocks_have_a_plan_without_a_roster(roster: pd.DataFrame) -> None:
    made = design("sequential_blocks", block_by=("borough",), sizes=(4, 6))
    assert sequential_plan(made).sizes == (4, 6)
    with pytest.raises(NotSealable, match="one person at a time"):
        sequential_plan(design("complete"))
