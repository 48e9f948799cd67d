"""Enrolment one at a time: arms from the seal, one place each, and the ledger held to them."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from data_contracts.refusal import Refusal
from experiments.allocation import rolling as rolls
from experiments.allocation import seal
from experiments.allocation.beacon import Round
from experiments.allocation.canonical import canonical
from experiments.allocation.ledger import Ledger, LedgerTampered
from experiments.allocation.strata import Plan
from experiments.allocation.verify import Published, sound, verify

NOON = datetime(2026, 4, 2, 12, tzinfo=UTC)


class Trial:
    """An open ledger under a sealed plan."""

    def __init__(self, sealed: seal.Sealed, given: Round, path: Path) -> None:
        self.sealed = sealed
        self.seed = sealed.seed(seal.chance_from(sealed.entropy, given))
        self.ledger = Ledger(path=path)
        self.proof = canonical(seal.reveal(sealed, given)) + b"\n"
        rolls.open_ledger(self.ledger, sealed.commitment, at=NOON)

    def enrol(self, unit: str, *values: str, at: datetime = NOON) -> str:
        entry = rolls.enrol(
            self.ledger,
            seed=self.seed,
            commitment=self.sealed.commitment,
            plan=self.sealed.plan,
            unit=unit,
            values=values,
            at=at,
        )
        return str(entry.body["arm"])

    def check(self, **published: Any) -> Any:
        return verify(self.proof, Published(ledger=self.ledger.path.read_bytes(), **published))


@pytest.fixture
def trial(sealed_with: Callable[..., seal.Sealed], rolling: Plan, given: Round, tmp_path: Path) -> Trial:
    return Trial(sealed_with(rolling), given, tmp_path / "enrolments.jsonl")


def test_every_block_takes_the_arms_in_their_shares(rolling: Plan) -> None:
    seed = hashlib.sha256(b"seed").digest()
    for label in ("ash", "birch"):
        arms = [rolls.arm_of(seed, rolling, [label], position) for position in range(200)]
        for end in range(len(arms)):
            difference = abs(2 * arms[:end].count("mentoring") - end)
            assert difference <= 3, "never further apart than half a block of six"


def test_block_sizes_vary_and_both_occur(rolling: Plan) -> None:
    """The first blocks of 400 seeds: sizes 4 and 6 with chance 1/2 each (within 4.5 standard errors)."""
    first = Counter(
        rolls._size(hashlib.sha256(bytes([n % 256, n // 256])).digest(), rolling, ["ash"], 0)
        for n in range(400)
    )
    assert set(first) == {4, 6}
    assert abs(first[4] - 200) < 4.5 * 10


def test_each_position_has_the_chance_of_its_arm() -> None:
    """1,500 seeds, shares 2/3 and 1/3, block of 4 (so a remainder is drawn): 4.5 standard errors."""
    plan = Plan(
        draw="sequential blocks", arms=("a", "b"), shares=(Fraction(2, 3), Fraction(1, 3)), sizes=(4,)
    )
    seen = [0] * 4
    for number in range(1_500):
        seed = hashlib.sha256(number.to_bytes(4)).digest()
        for position in range(4):
            seen[position] += rolls.arm_of(seed, plan, [], position) == "a"
    assert all(abs(count / 1_500 - 2 / 3) < 4.5 * 0.0122 for count in seen)


def test_the_ledger_holds_people_to_the_arms_of_the_seal(trial: Trial) -> None:
    for number in range(14):
        trial.enrol(f"p{number}", ["ash", "birch"][number % 2])
    findings = trial.check(head=trial.ledger.head, commitment=trial.sealed.commitment)
    assert sound(findings)
    assert findings[-1].verdict == "met" and "14 people" in findings[-1].said
    cut = trial.check()
    assert cut[-1].verdict == "not assessed" and "no published head" in cut[-1].said


def test_two_enrolments_at_the_same_instant_take_two_places(trial: Trial) -> None:
    threads = [threading.Thread(target=trial.enrol, args=(f"p{n}", "ash")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    people = rolls.enrolments(trial.ledger.entries())
    assert sorted(entry.body["position"] for entry in people) == list(range(12))
    assert {entry.at for entry in people} == {"2026-04-02T12:00:00.000000Z"}
    assert sound(trial.check())


@pytest.mark.parametrize(
    "unit, values, said",
    [
        ("p0", ("ash",), "enrolled already, in entry 2"),
        ("P0", ("ash",), "only in case"),
        ("p1", ("Ash",), "only in case"),
        ("p1", (), "0 values"),
        ("p1", ("ash", "x"), "2 values"),
        ("Jo Smith", ("ash",), "look like names"),
        ("", ("ash",), "empty value"),
    ],
)
def test_a_person_who_cannot_be_enrolled_is_refused_and_nothing_added(
    trial: Trial, unit: str, values: tuple[str, ...], said: str
) -> None:
    trial.enrol("p0", "ash")
    before = trial.ledger.path.read_bytes()
    with pytest.raises(Refusal, match=said):
        trial.enrol(unit, *values)
    assert trial.ledger.path.read_bytes() == before


def test_a_ledger_of_another_commitment_is_refused(trial: Trial, sealed_with: Any, rolling: Plan) -> None:
    other = sealed_with(rolling, study="another")
    trial.sealed = replace(trial.sealed, study=other.study)
    with pytest.raises(LedgerTampered, match="another commitment"):
        trial.enrol("p1", "ash")
    with pytest.raises(rolls.EnrolmentRefused, match="entries already"):
        rolls.open_ledger(trial.ledger, other.commitment)


@pytest.mark.parametrize(
    "body, said",
    [
        (
            {"arm": "wrong", "position": 0, "stratum": ["ash"], "unit": "p1"},
            "another arm than the seal gives",
        ),
        ({"arm": "usual", "position": 3, "stratum": ["ash"], "unit": "p1"}, "position 3"),
        ({"arm": "usual"}, "other keys"),
    ],
)
def test_an_entry_written_past_the_software_is_found(trial: Trial, body: dict[str, Any], said: str) -> None:
    """A forger who keeps the chain whole, but not the arms."""
    trial.ledger.append(rolls.ENROLLED, lambda _: body, at=NOON)
    findings = trial.check(head=trial.ledger.head)
    assert findings[-1].verdict == "not met" and said in findings[-1].said


def test_a_person_entered_twice_past_the_software_is_found(trial: Trial) -> None:
    trial.enrol("p1", "ash")
    arm = rolls.arm_of(trial.seed, trial.sealed.plan, ["ash"], 1)
    body = {"arm": arm, "position": 1, "stratum": ["ash"], "unit": "P1"}
    trial.ledger.append(rolls.ENROLLED, lambda _: body, at=NOON)
    assert "enrolled before" in trial.check()[-1].said


def test_a_cut_tail_is_found_against_the_published_head(trial: Trial) -> None:
    for number in range(5):
        trial.enrol(f"p{number}", "ash")
    head = trial.ledger.head
    lines = trial.ledger.path.read_bytes().splitlines(keepends=True)
    trial.ledger.path.write_bytes(b"".join(lines[:-2]))
    findings = trial.check(head=head)
    assert findings[-1].verdict == "not met" and "the tail was cut" in findings[-1].said
