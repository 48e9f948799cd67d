"""What an auditor holds besides the proof, read from what they were given."""

from __future__ import annotations

from pathlib import Path

from data_contracts.refusal import Refusal
from experiments.allocation.beacon import read_round
from experiments.allocation.canonical import parse
from experiments.allocation.verify import Published
from experiments.load import find_study, load_protocol

MAX_BYTES = 500_000_000


class NothingToRead(Refusal):
    """A file or a hash that an auditor gave and that cannot be read."""


def holdings(
    *,
    published: str | None,
    study: str | None,
    beacon_round: Path | None,
    ledger: Path | None,
    head: str | None,
) -> Published:
    """The things to compare a proof with; None where nothing is held."""
    commitment, record = None, None
    if published is not None and len(published) == 64 and set(published.lower()) <= set("0123456789abcdef"):
        commitment = published.lower()
    elif published is not None:
        record = parse(read_bytes(Path(published)).removesuffix(b"\n"), where=published)
        if not isinstance(record, dict):
            raise _unreadable(published, "no record", "a commitment.json")
    return Published(
        commitment=commitment,
        record=record,
        round=None if beacon_round is None else read_round(beacon_round),
        ledger=None if ledger is None else read_bytes(ledger),
        head=head,
        protocol=None if study is None else load_protocol(find_study(study)),
    )


def read_bytes(path: Path) -> bytes:
    """The bytes of a file."""
    if not path.is_file():
        raise _unreadable(str(path), "no file", "a file, or 64 hexadecimal digits")
    if path.stat().st_size > MAX_BYTES:
        raise _unreadable(str(path), "a file of over 500 megabytes", "a proof, a record or a ledger")
    return path.read_bytes()


def _unreadable(where: str, found: str, expected: str) -> NothingToRead:
    return NothingToRead(
        where=where, found=found, expected=expected, remedy="Check the path and its spelling."
    )
