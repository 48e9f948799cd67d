"""Beacons: timetables, chain hashes, rounds as published, and a second party's secret."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from experiments.allocation.beacon import (
    DEFAULT,
    KNOWN,
    QUICKNET,
    BeaconRefused,
    Round,
    chain_hash,
    check_secret,
    find_beacon,
    read_round,
    read_secret,
)
from experiments.allocation.seal import SealRefused, beacon_round, second_party

# The first round of the League of Entropy's default chain, 22 July 2020, as published.
FIRST = {
    "round": 1,
    "randomness": "101297f1ca7dc44ef6088d94ad5fb7ba03455dc33d53ddb412bbc4564ed986ec",
    "signature": "8d61d9100567de44682506aea1a7a6fa6e5491cd27a0a0ed349ef6910ac5ac20ff7bc3e09d7c046566c9f7f3c6f3b101"
    "04990e7cb424998203d8f7de586fb7fa5f60045417a432684f85093b06ca91c769f0e7ca19268375e659c2a2352b4655",
    "previous_signature": "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a",
}


def save(folder: Path, content: Any) -> Path:
    path = folder / "beacon.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("name", KNOWN)
def test_a_public_chains_hash_is_the_one_that_its_keys_and_timetable_give(name: str) -> None:
    assert chain_hash(KNOWN[name]) == KNOWN[name].chain


def test_a_chain_whose_timetable_is_misstated_is_refused() -> None:
    with pytest.raises(BeaconRefused, match="chain hash"):
        replace(QUICKNET, genesis_time=QUICKNET.genesis_time + 86_400)
    with pytest.raises(BeaconRefused, match="chain hash"):
        replace(QUICKNET, period=30)


def test_a_published_round_is_read_and_its_randomness_is_the_hash_of_its_signature(tmp_path: Path) -> None:
    assert read_round(save(tmp_path, FIRST)).randomness == FIRST["randomness"]
    assert DEFAULT.time_of(1) == datetime(2020, 7, 22, 15, 17, 30, tzinfo=UTC)
    with pytest.raises(BeaconRefused, match="not the SHA-256"):
        read_round(save(tmp_path, {**FIRST, "randomness": "00" * 32}))


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"round": "1"},
        {"round": 1, "randomness": "zz"},
        {"round": True, "randomness": "00" * 32},
        {"round": 1, "randomness": "00" * 31},
    ],
)
def test_a_file_that_is_no_round_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(BeaconRefused):
        read_round(save(tmp_path, content))


def test_a_beacon_is_found_by_name_or_in_its_own_answer(tmp_path: Path) -> None:
    info = {
        "public_key": QUICKNET.public_key,
        "period": 3,
        "genesis_time": QUICKNET.genesis_time,
        "hash": QUICKNET.chain,
        "groupHash": QUICKNET.group_hash,
        "schemeID": QUICKNET.scheme,
        "metadata": {"beaconID": "quicknet"},
    }
    assert find_beacon(str(save(tmp_path, info))) == find_beacon("quicknet") == QUICKNET
    with pytest.raises(BeaconRefused, match="quicknet"):
        find_beacon("quiknet")
    with pytest.raises(BeaconRefused):
        find_beacon(str(save(tmp_path, {**info, "genesis_time": "yesterday"})))


def test_a_round_at_or_before_the_commitment_is_refused_and_the_first_after_it_is_not() -> None:
    for moment in (QUICKNET.time_of(100), QUICKNET.time_of(100) + timedelta(seconds=1)):
        first = QUICKNET.first_after(moment)
        assert QUICKNET.time_of(first) > moment >= QUICKNET.time_of(first - 1)
        assert beacon_round(QUICKNET, first, committed_at=moment)["round"] == first
        for past in (first - 1, first - 50, 1):
            with pytest.raises(SealRefused, match=rf"a round after the commitment.*{first}"):
                beacon_round(QUICKNET, past, committed_at=moment)
    with pytest.raises(BeaconRefused, match="round 0"):
        beacon_round(QUICKNET, 0, committed_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_weak_secret_or_a_hash_that_is_none_is_refused(tmp_path: Path) -> None:
    for secret in (b"", b"short", b"\0" * 64, b"ab" * 32):
        with pytest.raises(BeaconRefused, match="second party"):
            check_secret(secret)
    with pytest.raises(BeaconRefused, match="no file"):
        read_secret(tmp_path / "absent")
    with pytest.raises(SealRefused, match="64 hexadecimal"):
        second_party("not a hash")
    assert second_party("AB" * 32)["sha256"] == "ab" * 32


def test_a_round_without_a_signature_stands_for_beacons_of_another_kind() -> None:
    randomness = hashlib.sha256(b"pulse").hexdigest()
    assert Round(number=4, randomness=randomness, signature=None).as_json()["signature"] is None
