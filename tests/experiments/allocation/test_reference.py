"""The draw against a second implementation, written from docs/allocation-format.md with nothing of ours.

It makes its own JSON, its own HMAC (from SHA-256) and its own remainders, and is what a trial's auditor
would write in another language. The numbers printed in that document are recomputed here too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from experiments.allocation import seal
from experiments.allocation.beacon import Round
from experiments.allocation.hmac_order import below
from experiments.allocation.rolling import arm_of
from experiments.allocation.strata import Plan, plan_from

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "allocation-format.md"
SHARES: list[tuple[Fraction, ...]] = [
    (Fraction(1, 2), Fraction(1, 2)),
    (Fraction(2, 3), Fraction(1, 3)),
    (Fraction(1, 7), Fraction(2, 7), Fraction(4, 7)),
    (Fraction(3, 10), Fraction(1, 5), Fraction(1, 2)),
]


# --- the second implementation -------------------------------------------------------------------


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def hmac(key: bytes, message: bytes) -> bytes:
    padded = key + bytes(64 - len(key))
    inner = sha(bytes(b ^ 0x36 for b in padded) + message)
    return sha(bytes(b ^ 0x5C for b in padded) + inner)


def text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{text(key)}:{text(value[key])}" for key in sorted(value)) + "}"
    return "[" + ",".join(text(item) for item in value) + "]"


def h(key: bytes, *fields: Any) -> bytes:
    return hmac(key, text(["desist-allocation/1", *fields]).encode())


def uniform(seed: bytes, limit: int, purpose: str, stratum: list[Any], *fields: Any) -> int:
    attempt = 0
    while True:
        number = int(h(seed, purpose, stratum, *fields, attempt).hex(), 16)
        if number < 2**256 - 2**256 % limit:
            return number % limit
        attempt += 1


def arms_in_line(
    seed: bytes, stratum: list[Any], n: int, arms: list[str], shares: list[Fraction]
) -> list[str]:
    count = {arm: n * share // 1 for arm, share in zip(arms, shares, strict=True)}
    rest = {arm: n * share - count[arm] for arm, share in zip(arms, shares, strict=True)}
    if any(rest.values()):
        limit = lcm(*(r.denominator for r in rest.values()))
        ticks = [uniform(seed, limit, "remainder", stratum) + t * limit for t in range(len(arms))]
        upper = Fraction(0)
        for arm in sorted(arms, key=lambda a: h(seed, "arm", stratum, a)):
            lower, upper = upper, upper + rest[arm] * limit
            count[arm] += any(lower <= tick < upper for tick in ticks)
    return [arm for arm in arms for _ in range(int(count[arm]))]


def reference_draw(proof: dict[str, Any]) -> dict[str, str]:
    nonce = bytes.fromhex(proof["nonce"])
    given = proof["given"].get("randomness") or proof["given"]["secret"]
    record = {key: value for key, value in proof["record"].items() if key != "commitment"}
    seed = h(nonce, "seed", sha(text(record).encode()).hex(), given)
    plan, roster = proof["plan"], proof["roster"]
    place = {name: 1 + k for k, name in enumerate(roster["columns"])}
    own = {tuple(label): shares for label, shares in plan["own"]}
    out: dict[str, str] = {}
    labels = {tuple(row[place[c]] for c in plan["by"]) for row in roster["rows"]}
    for label in labels:
        inside = [r for r in roster["rows"] if tuple(r[place[c]] for c in plan["by"]) == label]
        unit = {r[0]: r[place[plan["cluster"]]] if plan["cluster"] else r[0] for r in inside}
        line = sorted(set(unit.values()), key=lambda u: h(seed, "order", list(label), u))
        shares = [Fraction(s) for s in own.get(label, plan["shares"])]
        if plan["draw"] == "independent":
            limit = lcm(*(s.denominator for s in shares))
            arm = {}
            for u in line:
                number, edge, k = uniform(seed, limit, "unit", list(label), u), Fraction(0), -1
                while number >= edge:
                    k += 1
                    edge += shares[k] * limit
                arm[u] = plan["arms"][k]
        else:
            arm = dict(
                zip(line, arms_in_line(seed, list(label), len(line), plan["arms"], shares), strict=True)
            )
        out |= {person: arm[u] for person, u in unit.items()}
    return out


def reference_sequence(seed: bytes, plan: dict[str, Any], stratum: list[str], people: int) -> list[str]:
    out: list[str] = []
    block = 0
    shares = [Fraction(s) for s in plan["shares"]]
    while len(out) < people:
        size = plan["sizes"][uniform(seed, len(plan["sizes"]), "size", stratum, block)]
        label = [*stratum, block]
        order = sorted(range(size), key=lambda place: h(seed, "order", label, place))
        arm = dict(zip(order, arms_in_line(seed, label, size, plan["arms"], shares), strict=True))
        out += [arm[place] for place in range(size)]
        block += 1
    return out[:people]


# --- the comparison ------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", SHARES)
@pytest.mark.parametrize("by", [(), ("borough",), ("borough", "year")])
@pytest.mark.parametrize("draw", ["fixed shares", "independent"])
def test_people_are_drawn_as_the_second_implementation_draws_them(
    sealed_with: Callable[..., seal.Sealed],
    given: Round,
    shares: tuple[Fraction, ...],
    by: tuple[str, ...],
    draw: Any,
) -> None:
    plan = Plan(draw=draw, arms=tuple("abc"[: len(shares)]), shares=shares, by=by)
    for number in range(8):
        sealed = sealed_with(plan, nonce=sha(bytes([number])))
        assert seal.draw(sealed, given) == reference_draw(seal.reveal(sealed, given))


@pytest.mark.parametrize("by", [(), ("borough",)])
def test_clusters_are_drawn_whole_as_the_second_implementation_draws_them(
    sealed_with: Callable[..., seal.Sealed], given: Round, people: pd.DataFrame, by: tuple[str, ...]
) -> None:
    plan = Plan(draw="fixed shares", arms=("a", "b"), shares=SHARES[1], by=by, cluster="school")
    for number in range(8):
        sealed = sealed_with(plan, nonce=sha(bytes([number])))
        drawn = seal.draw(sealed, given)
        assert drawn == reference_draw(seal.reveal(sealed, given))
        school = people["school"]
        assert len({(school[unit], arm) for unit, arm in drawn.items()}) == len(set(school))


def test_a_strata_of_its_own_shares_is_drawn_as_the_second_implementation_draws_it(
    sealed_with: Callable[..., seal.Sealed], given: Round
) -> None:
    own = ((("ash",), (Fraction(4, 5), Fraction(1, 5))),)
    plan = Plan(draw="fixed shares", arms=("a", "b"), shares=SHARES[0], by=("borough",), own=own)
    assert plan_from(plan.as_json()) == plan
    sealed = sealed_with(plan)
    assert seal.draw(sealed, given) == reference_draw(seal.reveal(sealed, given))


@pytest.mark.parametrize("sizes", [(4,), (4, 6), (3, 5, 6)])
def test_sequential_blocks_run_as_the_second_implementation_runs_them(
    rolling: Plan, sizes: tuple[int, ...]
) -> None:
    for shares in SHARES:
        plan = Plan(
            draw="sequential blocks",
            arms=tuple("abc"[: len(shares)]),
            shares=shares,
            by=("borough",),
            sizes=sizes,
        )
        seed = sha(repr((sizes, shares)).encode())
        ours = [arm_of(seed, plan, ["ash"], position) for position in range(40)]
        assert ours == reference_sequence(seed, plan.as_json(), ["ash"], 40)


def test_numbers_beyond_the_last_multiple_are_passed_over_alike() -> None:
    """With a limit just above half the range, about every other number is passed over."""
    limit, seed = 2**255 + 1, bytes(32)
    ours = [below(seed, limit, "test", ["ash"], n) for n in range(40)]
    assert ours == [uniform(seed, limit, "test", ["ash"], n) for n in range(40)]
    first = [int(h(seed, "test", ["ash"], n, 0).hex(), 16) for n in range(40)]
    assert any(a != b for a, b in zip(ours, first, strict=True))


def test_the_hmac_written_here_is_that_of_rfc_4231() -> None:
    """Test case 2 of RFC 4231."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac(b"Jefe", b"what do ya want for nothing?").hex() == expected


def test_the_numbers_in_the_document_are_those_that_its_example_gives() -> None:
    """Every `name = hex` line of the worked example, recomputed by the second implementation."""
    example = DOCUMENT.read_text().split("## Worked example", 1)[1]
    stated = dict(re.findall(r"^([a-z][a-z0-9 ]*) = ([0-9a-f]{64})$", example, flags=re.MULTILINE))
    nonce = bytes(range(32))
    parts = {
        name: eval_json(body)
        for name, body in re.findall(r"^part ([a-z_]+): (.+)$", example, flags=re.MULTILINE)
    }
    assert len(parts) == len(seal.PARTS) == 9
    record = {
        "format": "desist-allocation/1",
        "study": parts["study"],
        "committed_at": parts["committed_at"],
        "entropy": parts["entropy"],
        "leaves": {name: h(nonce, "leaf", name, parts[name]).hex() for name in parts},
    }
    for name in parts:
        assert record["leaves"][name] == stated[f"leaf {name.replace('_', ' ')}"], name
    commitment = sha(text(record).encode()).hex()
    assert commitment == stated["commitment"]
    secret = b"thirty-two or more bytes, by another"
    assert sha(secret).hex() == stated["second party"] == parts["entropy"]["sha256"]
    seed = h(nonce, "seed", commitment, secret.hex())
    assert seed.hex() == stated["seed"]
    for unit in ("u1", "u2", "u3", "u4", "u5"):
        assert h(seed, "order", [], unit).hex() == stated[f"order {unit}"]
    for arm in ("a", "b"):
        assert h(seed, "arm", [], arm).hex() == stated[f"arm {arm}"]
    assert h(seed, "remainder", [], 0).hex() == stated["remainder 0"]
    proof = {
        "nonce": nonce.hex(),
        "given": {"secret": secret.hex()},
        "record": record,
        "plan": parts["plan"],
        "roster": parts["roster"],
    }
    table = dict(re.findall(r"^\| (u\d) \| ([ab]) \|$", example, flags=re.MULTILINE))
    assert reference_draw(proof) == table and len(table) == 5


def eval_json(body: str) -> Any:
    import json

    value = json.loads(body)
    assert text(value) == body, "the document writes parts in canonical form"
    return value
