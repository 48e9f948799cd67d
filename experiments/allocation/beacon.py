"""Where a seed's chance comes from: a future round of a public beacon, or a second party's secret.

A drand-style beacon publishes round r at genesis_time + (r - 1) period, in Unix seconds. A round's
randomness is the SHA-256 of its signature. A chain's hash covers its period, genesis time, key and
group, so nobody can name a public chain and misstate when its rounds fall:

    hash = SHA-256(uint32 period || int64 genesis_time || public_key || group_hash || beacon_id),

big-endian, without beacon_id for the chain called "default".

The signature itself (BLS over BLS12-381) is not checked here: compare the round with your own copy
from the beacon's public record.

Reference: drand specification, https://docs.drand.love/docs/specification/.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_contracts.refusal import Refusal, nearest


class BeaconRefused(Refusal):
    """A beacon, a round or a secret that cannot stand for chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon:
    """A public source of randomness with a timetable; the last four fields are None outside drand."""

    name: str
    genesis_time: int
    period: int
    chain: str | None = None
    public_key: str | None = None
    group_hash: str | None = None
    scheme: str | None = None

    def __post_init__(self) -> None:
        if self.period < 1 or self.genesis_time < 0:
            raise _beacon("a period under one second or a genesis before 1970", "a timetable in Unix seconds")
        if self.chain is None:
            return
        if self.public_key is None or self.group_hash is None:
            raise _beacon("a chain hash without public_key and groupHash", "the beacon's whole /info answer")
        if chain_hash(self) != self.chain:
            raise _beacon(
                "a chain hash that these genesis_time, period and keys do not give",
                "the beacon's own /info answer",
            )

    def time_of(self, round_number: int) -> datetime:
        """When a round is published; rounds count from 1."""
        if round_number < 1:
            raise _beacon(f"round {round_number}", "a round of at least 1")
        return datetime.fromtimestamp(self.genesis_time + (round_number - 1) * self.period, UTC)

    def first_after(self, moment: datetime) -> int:
        """The first round published strictly after `moment`."""
        return max(1, int((moment.timestamp() - self.genesis_time) // self.period) + 2)

    def as_json(self) -> dict[str, Any]:
        """What the commitment says of the beacon."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One published round; bytes as hexadecimal."""

    number: int
    randomness: str
    signature: str | None

    def __post_init__(self) -> None:
        _bytes(self.randomness, "randomness", 32)
        if self.signature is not None:
            signature = _bytes(self.signature, "signature", None)
            if hashlib.sha256(signature).hexdigest() != self.randomness:
                raise BeaconRefused(
                    where="beacon round",
                    found="randomness that is not the SHA-256 of the signature",
                    expected="the round's bytes as published",
                    remedy="Fetch the round again from the beacon's public record.",
                )

    def as_json(self) -> dict[str, Any]:
        """What the proof holds."""
        return {"round": self.number, "randomness": self.randomness, "signature": self.signature}


def chain_hash(beacon: Beacon) -> str:
    """The hash that names a drand chain, in hexadecimal."""
    timetable = struct.pack(">I", beacon.period) + struct.pack(">q", beacon.genesis_time)
    keys = _bytes(beacon.public_key, "public_key", None) + _bytes(beacon.group_hash, "groupHash", None)
    own = b"" if beacon.name == "default" else beacon.name.encode()
    return hashlib.sha256(timetable + keys + own).hexdigest()


def find_beacon(named: str) -> Beacon:
    """A known beacon by its name, or the one in a file holding drand's /info answer."""
    if named in KNOWN:
        return KNOWN[named]
    path = Path(named)
    if not path.is_file():
        raise BeaconRefused(
            where="beacon",
            found=f"'{named}'",
            expected="a known beacon, or a file with the beacon's /info answer",
            remedy=nearest(named, KNOWN),
        )
    content = _json(path)
    metadata = content.get("metadata")
    name = metadata.get("beaconID") if isinstance(metadata, dict) else content.get("name")
    if not isinstance(name, str) or not all(
        type(content.get(key)) is int for key in ("genesis_time", "period")
    ):
        raise _beacon("no name, genesis_time or period", "a name and a timetable in whole seconds")
    text = {key: content.get(key) for key in ("hash", "public_key", "groupHash", "schemeID")}
    if any(value is not None and not isinstance(value, str) for value in text.values()):
        raise _beacon("keys that are not text", "hexadecimal text")
    return Beacon(
        name=name,
        genesis_time=content["genesis_time"],
        period=content["period"],
        chain=text["hash"],
        public_key=text["public_key"],
        group_hash=text["groupHash"],
        scheme=text["schemeID"],
    )


def find_beacon_in(entropy: Mapping[str, Any]) -> Beacon:
    """The beacon that a commitment names."""
    try:
        return Beacon(**entropy["beacon"])
    except (KeyError, TypeError):
        raise _beacon("entries of another form", "the beacon that the commitment named") from None


def read_round(path: Path) -> Round:
    """The round in a file holding drand's /public/N answer."""
    return round_from(_json(path))


def round_from(content: Mapping[str, Any]) -> Round:
    """The round in drand's JSON."""
    number, randomness, signature = (content.get(key) for key in ("round", "randomness", "signature"))
    if type(number) is not int or not isinstance(randomness, str):
        raise _beacon(
            "no round number or no randomness", '{"round": ..., "randomness": ..., "signature": ...}'
        )
    if signature is not None and not isinstance(signature, str):
        raise _beacon("a signature that is not text", "hexadecimal text")
    return Round(number=number, randomness=randomness.lower(), signature=signature)


def read_secret(path: Path) -> bytes:
    """A second party's secret: a file of at least 32 bytes, taken byte for byte."""
    if not path.is_file():
        raise _beacon(f"no file at {path}", "the second party's secret, in a file")
    secret = path.read_bytes()
    check_secret(secret)
    return secret


def check_secret(secret: bytes) -> None:
    """Refuse a secret that could be guessed."""
    if len(secret) < 32 or len(set(secret)) < 8:
        raise BeaconRefused(
            where="second party's secret",
            found=f"{len(secret)} bytes, {len(set(secret))} of them different",
            expected="at least 32 random bytes",
            remedy="Let the second party write 32 bytes from their machine's random source to a file.",
        )


def _bytes(text: str | None, what: str, length: int | None) -> bytes:
    try:
        raw = bytes.fromhex(text or "")
    except ValueError:
        raw = b""
    if not raw or (length is not None and len(raw) != length):
        raise _beacon(f"{what} that is not hexadecimal of the right length", "the bytes as published")
    return raw


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise _beacon(f"no file at {path}", "a JSON file")
    if path.stat().st_size > 1_000_000:
        raise _beacon("a file of over a megabyte", "one JSON object")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise _beacon("a file that is not a JSON object", "the beacon's answer, saved unchanged")
    return content


def _beacon(found: str, expected: str) -> BeaconRefused:
    return BeaconRefused(
        where="beacon",
        found=found,
        expected=expected,
        remedy="Save the beacon's own answer to a file, unchanged.",
    )


QUICKNET = Beacon(
    name="quicknet",
    genesis_time=1692803367,
    period=3,
    chain="52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    public_key="83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
    group_hash="f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e",
    scheme="bls-unchained-g1-rfc9380",
)
DEFAULT = Beacon(
    name="default",
    genesis_time=1595431050,
    period=30,
    chain="8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce",
    public_key="868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",
    group_hash="176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a",
    scheme="pedersen-bls-chained",
)
KNOWN = {"quicknet": QUICKNET, "default": DEFAULT}
"""The League of Entropy's two public chains; each constructs only if its chain hash agrees."""
