"""Every attack on a proof, a record or a ledger, what was said of it, and that it named the right part.

Run with `pytest -s -k table` to see the table.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.allocation import seal
from experiments.allocation.beacon import Round, round_from
from experiments.allocation.canonical import canonical, roster_from
from experiments.allocation.hmac_order import mac
from experiments.allocation.strata import Plan
from experiments.allocation.verify import Finding, Published, sound, verify

Proof = dict[str, Any]
Attack = Callable[[Proof], None]


@pytest.fixture
def proof(sealed_with: Callable[..., seal.Sealed], blocked: Plan, given: Round) -> Proof:
    return json.loads(canonical(seal.reveal(sealed_with(blocked), given)))


@pytest.fixture
def published(proof: Proof, given: Round) -> Published:
    """What an auditor holds: the published record, and a copy of the round."""
    return Published(record=copy.deepcopy(proof["record"]), round=given)


def ask(proof: Proof, published: Published) -> tuple[Finding, ...]:
    return verify(canonical(proof) + b"\n", published)


def named(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.part for finding in findings if finding.verdict == "not met"}


def put(*path: Any) -> Callable[[Any], Attack]:
    """`put("record", "study")("x")`: an attack that writes a value."""

    def attack(value: Any) -> Attack:
        def run(proof: Proof) -> None:
            node = proof
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = value

        return run

    return attack


def reseal(proof: Proof) -> None:
    """What a careful forger does: leaves and commitment made again after the change."""
    nonce = bytes.fromhex(proof["nonce"])
    parts = {
        **{name: proof[name] for name in ("algorithm", "design", "plan", "protocol", "roster")},
        **{name: proof["record"][name] for name in ("committed_at", "entropy", "study")},
        "nonce": None,
    }
    proof["record"]["leaves"] = {name: mac(nonce, "leaf", name, parts[name]).hex() for name in seal.PARTS}
    proof["record"]["commitment"] = seal.commitment_of(proof["record"])


def then_reseal(attack: Attack) -> Attack:
    def run(proof: Proof) -> None:
        attack(proof)
        reseal(proof)

    return run


def swap_two_arms(proof: Proof) -> None:
    rows = proof["allocation"]
    other = next(k for k, row in enumerate(rows) if row[1] != rows[0][1])
    rows[0][1], rows[other][1] = rows[other][1], rows[0][1]


def move_to_block(proof: Proof) -> None:
    row = proof["roster"]["rows"][0]
    row[1] = next(r[1] for r in proof["roster"]["rows"] if r[1] != row[1])


def other_randomness(proof: Proof) -> None:
    signature = hashlib.sha256(b"one that suits me").digest()
    proof["given"] = {**proof["given"], "signature": signature.hex()}
    proof["given"]["randomness"] = hashlib.sha256(signature).hexdigest()


def earlier_genesis(proof: Proof) -> None:
    """Move the beacon's timetable so that the round falls before the commitment."""
    proof["record"]["entropy"]["beacon"]["genesis_time"] -= 100 * 86_400


OTHER = hashlib.sha256(b"other").hexdigest()

ATTACKS: dict[str, tuple[Attack, str]] = {
    # each single field
    "nonce replaced": (put("nonce")(OTHER), "nonce"),
    "nonce shortened": (put("nonce")("00" * 16), "nonce"),
    "study renamed": (put("record", "study")("another"), "study"),
    "commitment time moved back": (put("record", "committed_at")("2026-03-01T09:30:00Z"), "committed_at"),
    "commitment hash replaced": (put("record", "commitment")(OTHER), "record"),
    "format of the record changed": (put("record", "format")("desist-allocation/2"), "record.format"),
    "format of the proof changed": (put("format")("desist-allocation-proof/2"), "format"),
    "algorithm changed": (put("algorithm")("hmac-order/0"), "algorithm"),
    "design changed": (put("design", "block_by")(["school"]), "design"),
    "plan: shares changed": (put("plan", "shares")(["1/3", "1/3", "1/3"]), "plan"),
    "plan: arms in another order": (put("plan", "arms")(["usual", "sport", "mentoring"]), "plan"),
    "plan: strata merged": (put("plan", "by")([]), "plan"),
    "protocol fingerprint replaced": (put("protocol")(OTHER), "protocol"),
    "another round named": (put("record", "entropy", "round")(7), "entropy"),
    "beacon's timetable moved": (earlier_genesis, "entropy"),
    "one leaf replaced": (put("record", "leaves", "roster")(OTHER), "roster"),
    "a key added": (put("note")("harmless"), "proof"),
    # the roster
    "a person moved to another block": (move_to_block, "roster"),
    "a person removed": (lambda p: p["roster"]["rows"].pop(3), "roster"),
    "a person added": (lambda p: p["roster"]["rows"].append(["p999", "ash"]), "roster"),
    "roster: tail cut": (lambda p: p["roster"]["rows"].__delitem__(slice(20, None)), "roster"),
    "roster: rows in another order": (lambda p: p["roster"]["rows"].reverse(), "roster"),
    "an id in capitals": (put("roster", "rows", 0, 0)("P000"), "roster"),
    # the chance
    "another signature, same randomness": (put("given", "signature")("ab" * 48), "given"),
    "randomness replaced": (put("given", "randomness")(OTHER), "given"),
    "a round made up, signature and all": (other_randomness, "round"),
    "another round given": (put("given", "round")(8), "given"),
    # the allocation
    "two people's arms exchanged": (swap_two_arms, "allocation"),
    "everybody in one arm": (
        lambda p: p.update(allocation=[[unit, "usual"] for unit, _ in p["allocation"]]),
        "allocation",
    ),
    "allocation: tail cut": (lambda p: p["allocation"].pop(), "allocation"),
    "allocation: rows in another order": (lambda p: p["allocation"].reverse(), "allocation"),
    "allocation: an arm that is none": (put("allocation", 0, 1)("placebo"), "allocation"),
    "allocation removed": (put("allocation")(None), "allocation"),
    # changed, and everything made again to agree: only the published record shows it
    "person moved, all resealed": (then_reseal(move_to_block), "roster"),
    "shares changed, all resealed": (then_reseal(put("plan", "shares")(["1/3", "1/3", "1/3"])), "plan"),
    "nonce replaced, all resealed": (then_reseal(put("nonce")(OTHER)), "nonce"),
    "time moved back, all resealed": (
        then_reseal(put("record", "committed_at")("2026-03-01T09:30:00Z")),
        "committed_at",
    ),
    "design changed, all resealed": (then_reseal(put("design", "scheme")("complete")), "design"),
    "round chosen afterwards, all resealed": (then_reseal(put("record", "entropy", "round")(7)), "entropy"),
}


def test_an_untouched_proof_is_sound_in_every_part(proof: Proof, published: Published) -> None:
    findings = ask(proof, published)
    assert sound(findings)
    met = [finding.part for finding in findings if finding.verdict == "met"]
    assert met == ["parts", "published", "beacon", "round", "allocation"]


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found_and_its_part_named(name: str, proof: Proof, published: Published) -> None:
    attack, part = ATTACKS[name]
    attack(proof)
    findings = ask(proof, published)
    assert not sound(findings), "the attack went unseen"
    assert part in named(findings), [finding.as_dict() for finding in findings]
    if name == "nonce replaced":
        assert named(findings) == {"nonce"}, "it is not blamed on parts that the wrong nonce cannot open"


def test_the_tamper_table_is_printed(proof: Proof, published: Published) -> None:
    """The whole table: attack, part named, what was said. Every row must have been found."""
    print()
    for name, (attack, _) in ATTACKS.items():
        copied = copy.deepcopy(proof)
        attack(copied)
        wrong = [finding for finding in ask(copied, published) if finding.verdict == "not met"]
        assert wrong
        print(f"{name:<42} {wrong[0].part:<13} {wrong[0].said}")


def test_any_flipped_byte_is_found(proof: Proof, published: Published) -> None:
    raw = canonical(proof) + b"\n"
    rng = np.random.default_rng(5)
    for place in rng.choice(len(raw), size=400, replace=False):
        changed = bytearray(raw)
        changed[place] ^= 1 << int(rng.integers(8))
        assert not sound(verify(bytes(changed), published)), place


def test_a_proof_cut_anywhere_is_found(proof: Proof, published: Published) -> None:
    raw = canonical(proof) + b"\n"
    for end in (0, 1, 100, len(raw) // 2, len(raw) - 2, len(raw) - 1):
        assert not sound(verify(raw[:end], published)), end
    assert not sound(verify(raw + b"\n", published))
    assert not sound(verify(b"[" * 100_000, published))


def test_resealing_is_seen_against_the_published_hash_alone(
    proof: Proof, published: Published, given: Round
) -> None:
    commitment = proof["record"]["commitment"]
    then_reseal(move_to_block)(proof)
    proof["allocation"] = redrawn(proof)
    assert named(ask(proof, Published(commitment=commitment))) == {"published"}
    alone = ask(proof, Published())
    assert sound(alone), "a forgery that agrees with itself"
    assert ("published", "not assessed") in {(finding.part, finding.verdict) for finding in alone}


def redrawn(proof: Proof) -> list[list[str]]:
    """The allocation that a careful forger writes."""
    from experiments.allocation.canonical import Roster
    from experiments.allocation.strata import drawn, plan_from

    roster = Roster(
        columns=tuple(proof["roster"]["columns"]), rows=tuple(tuple(row) for row in proof["roster"]["rows"])
    )
    seed = mac(
        bytes.fromhex(proof["nonce"]), "seed", proof["record"]["commitment"], proof["given"]["randomness"]
    )
    arm = drawn(seed, plan_from(proof["plan"]), roster)
    return [[unit, arm[unit]] for unit in sorted(arm)]


def test_a_round_before_the_commitment_is_found_even_if_it_was_sealed(
    sealed_with: Callable[..., seal.Sealed], blocked: Plan, given: Round
) -> None:
    """A forger's own commit would not have refused the past round."""
    sealed = sealed_with(blocked)
    late = datetime(2026, 4, 1, 9, 30, tzinfo=UTC) + timedelta(days=2)
    forged = sealed_with(blocked, committed_at=late, entropy=sealed.entropy)
    assert named(verify(canonical(seal.reveal(forged, given)) + b"\n", Published())) == {"beacon"}


def test_no_message_shows_an_id(proof: Proof, published: Published, people: pd.DataFrame) -> None:
    for attack, _ in ATTACKS.values():
        copied = copy.deepcopy(proof)
        attack(copied)
        for finding in ask(copied, published):
            assert not any(unit in finding.said for unit in people.index)


def test_a_second_partys_secret_is_held_to_its_hash(
    sealed_with: Callable[..., seal.Sealed], blocked: Plan
) -> None:
    secret = hashlib.sha512(b"from the second party").digest()
    entropy = seal.second_party(hashlib.sha256(secret).hexdigest())
    sealed = sealed_with(blocked, entropy=entropy)
    proof = json.loads(canonical(seal.reveal(sealed, secret)))
    assert sound(ask(proof, Published(commitment=sealed.commitment)))
    proof["given"]["secret"] = hashlib.sha512(b"another").hexdigest()
    assert named(ask(proof, Published(commitment=sealed.commitment))) == {"given"}


def test_the_order_of_the_roster_file_changes_nothing(
    sealed_with: Callable[..., seal.Sealed], blocked: Plan, people: pd.DataFrame, given: Round
) -> None:
    shuffled = people.iloc[np.random.default_rng(3).permutation(len(people))]
    again = sealed_with(blocked, roster=roster_from(shuffled, blocked.columns))
    assert again.commitment == sealed_with(blocked).commitment
    assert seal.draw(again, given) == seal.draw(sealed_with(blocked), given)


def test_a_round_is_read_from_the_beacons_own_json(given: Round) -> None:
    assert round_from({**given.as_json(), "previous_signature": "00"}) == given
