"""Commit before the draw, draw from chance that nobody holds, reveal to an auditor.

commit   A record is published that binds, without showing them, the roster, the design, the protocol's
         fingerprint and the algorithm, and names the future beacon round (or the hash of a second
         party's secret) that the seed will come from. A random nonce of 32 bytes hides the rest.
draw     seed = HMAC-SHA256(nonce, commitment and the round's randomness). Whoever holds the nonce could
         not foresee the round; whoever makes the round does not hold the nonce.
reveal   The proof holds everything; `experiments.allocation.verify` recomputes the draw from it.

For each part of the record there is a leaf, HMAC-SHA256(nonce, part), so that an auditor can say which part
was changed. The commitment is the SHA-256 of the record. Byte for byte: docs/allocation-format.md.

What it does not show: that one commitment only was made. Publish it (the trial's registration entry
will do) before the round, once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from data_contracts.refusal import Refusal
from experiments.allocation.beacon import Beacon, BeaconRefused, Round, check_secret
from experiments.allocation.canonical import Roster, canonical
from experiments.allocation.hmac_order import ALGORITHM, FORMAT, mac
from experiments.allocation.strata import Plan, drawn, strata

PROOF = "desist-allocation-proof/1"
PARTS = ("algorithm", "committed_at", "design", "entropy", "nonce", "plan", "protocol", "roster", "study")


class SealRefused(Refusal):
    """A commitment, a draw or a reveal that would prove nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Everything that a commitment binds. Keep it closed until the reveal: it holds the nonce.

    `design` is the design as a study file says it, with its arms; `plan` is what it asks of the draw.
    `roster` is None where people are enrolled one at a time. `entropy` names the source that the seed will come from.
    """

    study: str
    protocol: str
    design: Mapping[str, Any]
    plan: Plan
    roster: Roster | None
    committed_at: str
    entropy: Mapping[str, Any]
    nonce: bytes
    algorithm: str = ALGORITHM

    def __post_init__(self) -> None:
        if len(self.nonce) != 32 or len(set(self.nonce)) < 8:
            raise SealRefused(
                where="nonce",
                found=f"{len(self.nonce)} bytes, {len(set(self.nonce))} of them different",
                expected="32 random bytes",
                remedy="Let the software draw it, or bring 32 bytes from a random source.",
            )

    def part(self, name: str) -> Any:
        """What the leaf `name` binds; for the nonce itself, nothing further."""
        match name:
            case "nonce":
                return None
            case "roster":
                return None if self.roster is None else self.roster.as_json()
            case "plan":
                return self.plan.as_json()
            case "design" | "entropy":
                return dict(getattr(self, name))
            case _:
                return getattr(self, name)

    def leaf(self, name: str) -> str:
        """HMAC-SHA256 of one part under the nonce, in hexadecimal."""
        return mac(self.nonce, "leaf", name, self.part(name)).hex()

    def record(self) -> dict[str, Any]:
        """The public record, with its commitment."""
        record = {
            "format": FORMAT,
            "study": self.study,
            "committed_at": self.committed_at,
            "entropy": dict(self.entropy),
            "leaves": {name: self.leaf(name) for name in PARTS},
        }
        return {**record, "commitment": commitment_of(record)}

    @property
    def commitment(self) -> str:
        """The hash to publish, in hexadecimal."""
        return str(self.record()["commitment"])

    def seed(self, chance: bytes) -> bytes:
        """The seed of the draw, from the nonce, the commitment and the chance given."""
        return mac(self.nonce, "seed", self.commitment, chance.hex())

    def as_json(self) -> dict[str, Any]:
        """The parts and the nonce, as the closed file and the proof hold them."""
        return {
            "algorithm": self.algorithm,
            "design": dict(self.design),
            "nonce": self.nonce.hex(),
            "plan": self.plan.as_json(),
            "protocol": self.protocol,
            "roster": self.part("roster"),
        }


def commitment_of(record: Mapping[str, Any]) -> str:
    """SHA-256 of a record's canonical bytes, its own commitment left out."""
    content = {key: value for key, value in record.items() if key != "commitment"}
    return hashlib.sha256(canonical(content)).hexdigest()


def beacon_round(beacon: Beacon, number: int, *, committed_at: datetime) -> dict[str, Any]:
    """The entropy entry for a beacon round, which must lie after the commitment."""
    falls = beacon.time_of(number)
    if falls <= committed_at:
        raise SealRefused(
            where="beacon round",
            found=f"round {number}, published {falls:%Y-%m-%d %H:%M:%S} UTC",
            expected=f"a round after the commitment, {committed_at:%Y-%m-%d %H:%M:%S} UTC",
            remedy=f"The first that may be named is {beacon.first_after(committed_at)}; "
            "leave time to publish the commitment before it.",
        )
    return {"kind": "beacon", "beacon": beacon.as_json(), "round": number}


def second_party(sha256: str) -> dict[str, Any]:
    """The entropy entry for a second party's secret, whose SHA-256 they have given in advance."""
    text = sha256.lower()
    if len(text) != 64 or any(character not in "0123456789abcdef" for character in text):
        raise SealRefused(
            where="second party",
            found="a hash that is not 64 hexadecimal digits",
            expected="the SHA-256 of the second party's secret",
            remedy="Ask the second party for the output of `sha256sum` on their secret's file.",
        )
    return {"kind": "second party", "sha256": text}


def commit(
    *,
    study: str,
    protocol: str,
    design: Mapping[str, Any],
    plan: Plan,
    roster: Roster | None,
    entropy: Mapping[str, Any],
    committed_at: datetime,
    nonce: bytes,
) -> Sealed:
    """A sealed record, once the design can be drawn on the roster; nothing is drawn yet."""
    if roster is not None:
        strata(plan, roster)
    elif plan.draw != "sequential blocks":
        raise SealRefused(
            where="roster",
            found="none",
            expected="the roster that the design is drawn on",
            remedy="Give the roster; only sequential_blocks enrols people one at a time.",
        )
    return Sealed(
        study=study,
        protocol=protocol,
        design=design,
        plan=plan,
        roster=roster,
        committed_at=moment(committed_at),
        entropy=entropy,
        nonce=nonce,
    )


def chance_from(entropy: Mapping[str, Any], given: Round | bytes) -> bytes:
    """The bytes that the round or the secret brings, checked against what the commitment named."""
    if entropy["kind"] == "beacon":
        if not isinstance(given, Round):
            raise _given("a secret", "the round of the beacon that the commitment names")
        if given.number != entropy["round"]:
            raise _given(
                f"round {given.number}", f"round {entropy['round']}, which the commitment names, and no other"
            )
        return bytes.fromhex(given.randomness)
    if isinstance(given, Round):
        raise _given("a beacon round", "the second party's secret, which the commitment names")
    check_secret(given)
    if hashlib.sha256(given).hexdigest() != entropy["sha256"]:
        raise _given("a secret with another hash", "the secret whose SHA-256 the commitment names")
    return given


def draw(sealed: Sealed, given: Round | bytes) -> dict[str, str]:
    """Arm by roster id."""
    if sealed.roster is None:
        raise SealRefused(
            where="roster",
            found="none",
            expected="a roster to draw on",
            remedy="People are enrolled one at a time under this commitment: `desist allocate enrol`.",
        )
    return drawn(sealed.seed(chance_from(sealed.entropy, given)), sealed.plan, sealed.roster)


def reveal(sealed: Sealed, given: Round | bytes) -> dict[str, Any]:
    """The proof: the record, all that it binds, the chance given and the allocation."""
    allocation = None if sealed.roster is None else draw(sealed, given)
    chance_from(sealed.entropy, given)
    return {
        "format": PROOF,
        "record": sealed.record(),
        **sealed.as_json(),
        "given": given.as_json() if isinstance(given, Round) else {"secret": given.hex()},
        "allocation": None
        if allocation is None
        else [[unit, allocation[unit]] for unit in sorted(allocation, key=str.encode)],
    }


def moment(at: datetime) -> str:
    """A time to the second in UTC, as 2026-04-01T09:30:00Z."""
    if at.tzinfo is None:
        raise ValueError("a time without its zone cannot be compared with a beacon's")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_moment(text: str) -> datetime:
    """The time that `moment` wrote."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise SealRefused(
            where="committed_at",
            found="text that is no time",
            expected="a time as 2026-04-01T09:30:00Z",
            remedy="The record was edited; fetch the original.",
        ) from None


def _given(found: str, expected: str) -> BeaconRefused:
    return BeaconRefused(
        where="draw",
        found=found,
        expected=expected,
        remedy="Bring that one; choosing another would void the proof.",
    )
