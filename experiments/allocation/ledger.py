"""An append-only ledger of hash-chained JSON lines: what happened, in which order, and nothing undone.

Each line is canonical JSON with its place, the hash of the line above, the time, a kind, a body and
its own hash, the SHA-256 of the rest of the line. So an edited, removed, inserted or moved line
breaks the chain and is named. A cut tail leaves a sound but shorter chain: it is found against a head
(number of entries and last hash) that was published.

Writers take an exclusive lock on the file, append one whole line, and wait for the disk (fsync)
before they acknowledge it. A line without its newline was never acknowledged: the next writer removes
it and enters that it did so.

Reference: Schneier & Kelsey (1999), Secure audit logs to support computer forensics, ACM TISSEC 2(2).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_contracts.refusal import Refusal
from experiments.allocation.canonical import canonical, parse, spelled

FORMAT = "desist-ledger/1"
START = hashlib.sha256(FORMAT.encode()).hexdigest()
"""What stands for the hash above the first line."""
_KEYS = {"at", "body", "hash", "kind", "place", "previous"}


class LedgerRefused(Refusal):
    """An entry that the ledger cannot take."""


class LedgerTampered(Refusal):
    """A ledger that is not as its writers left it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One acknowledged line."""

    place: int
    at: str
    kind: str
    body: Mapping[str, Any]
    previous: str
    hash: str

    @property
    def head(self) -> str:
        """What to publish: the number of entries and the last hash, as `12:3fa9...`."""
        return f"{self.place}:{self.hash}"


Make = Callable[[tuple[Entry, ...]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The ledger in one file; every call reads the whole chain and checks it."""

    path: Path

    def entries(self) -> tuple[Entry, ...]:
        """The entries that writers were told are safe, in order."""
        if not self.path.exists():
            return ()
        with self.path.open("rb") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH)
            return read_chain(file.read())[0]

    def append(self, kind: str, make: Make, *, at: datetime | None = None) -> Entry:
        """Add one entry, and return when it is on the disk.

        `make` is called under the lock with all entries so far and gives the body, so that what it
        decides (the next place in a block, a refusal of a second enrolment) cannot be overtaken.
        """
        with _locked(self.path) as file:
            raw = _read(file)
            entries, torn = read_chain(raw)
            if torn:
                os.ftruncate(file, len(raw) - len(torn))
                lost = {"bytes": len(torn), "sha256": hashlib.sha256(torn).hexdigest()}
                entries = (*entries, _write(file, entries, "recovered", lost, at))
            return _write(file, entries, kind, make(entries), at)

    @property
    def head(self) -> str:
        """The head to publish, of an empty ledger too."""
        return head_of(self.entries())


def head_of(entries: tuple[Entry, ...]) -> str:
    """The number of entries and the last hash."""
    return entries[-1].head if entries else f"0:{START}"


def read_chain(raw: bytes) -> tuple[tuple[Entry, ...], bytes]:
    """The entries of a ledger's bytes and the unfinished line after them; tampering is named by line."""
    whole, newline, torn = raw.rpartition(b"\n")
    entries: list[Entry] = []
    previous = START
    for place, line in enumerate(whole.split(b"\n") if newline else [], start=1):
        entry = _entry(line, place)
        if entry.place != place:
            raise _tampered(
                place,
                f"the entry numbered {entry.place}",
                f"entry {place}: lines were moved, removed or inserted",
            )
        if entry.previous != previous:
            raise _tampered(
                place,
                "an entry that follows another than the one above it",
                "an unbroken chain: the entry above was replaced, or this one was",
            )
        previous = entry.hash
        entries.append(entry)
    return tuple(entries), torn


def check_head(entries: tuple[Entry, ...], published: str) -> int:
    """How many entries were added since the head was published; a head that is not there is refused."""
    count, _, digest = published.partition(":")
    if not count.isdigit() or len(digest) != 64:
        raise LedgerRefused(
            where="published head",
            found="text of another form",
            expected="the number of entries, a colon and 64 hexadecimal digits",
            remedy="Copy the head as it was published.",
        )
    number = int(count)
    if number > len(entries):
        raise _tampered(
            len(entries),
            f"{len(entries)} entries",
            f"at least the {number} that the published head counts: the tail was cut",
        )
    here = START if number == 0 else entries[number - 1].hash
    if here != digest.lower():
        raise _tampered(
            number,
            "another hash than the published head's",
            "the published chain: it was rewritten up to here",
        )
    return len(entries) - number


def _entry(line: bytes, place: int) -> Entry:
    try:
        content = parse(line, where=f"ledger, line {place}")
    except Refusal:
        raise _tampered(
            place, "a line that is not canonical JSON", "the line as it was written: it was edited"
        ) from None
    if not isinstance(content, dict) or set(content) != _KEYS or not isinstance(content["body"], dict):
        raise _tampered(place, "a line with other keys", f"the keys {', '.join(sorted(_KEYS))}")
    if _hash(content) != content["hash"]:
        raise _tampered(
            place, "content that its hash does not cover", "the entry as it was written: it was edited"
        )
    return Entry(**content)


def _write(
    file: int, entries: tuple[Entry, ...], kind: str, body: Mapping[str, Any], at: datetime | None
) -> Entry:
    now = (at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    content: dict[str, Any] = {
        "at": now,
        "body": dict(body),
        "kind": kind,
        "place": len(entries) + 1,
        "previous": entries[-1].hash if entries else START,
    }
    canonical(content)
    content["hash"] = _hash(content)
    line = canonical(content) + b"\n"
    os.lseek(file, 0, os.SEEK_END)
    while line:
        line = line[os.write(file, line) :]
    os.fsync(file)
    return Entry(**content)


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(spelled({k: v for k, v in content.items() if k != "hash"})).hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The open file under an exclusive lock; a new file's name is on the disk before it is used."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LedgerRefused(
            where=str(path),
            found=f"a file that cannot be opened ({error.strerror})",
            expected="a folder that can be written to",
            remedy="Check the folder and its permissions.",
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        yield file
    finally:
        os.close(file)


def _read(file: int) -> bytes:
    os.lseek(file, 0, os.SEEK_SET)
    chunks = []
    while chunk := os.read(file, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def _tampered(place: int, found: str, expected: str) -> LedgerTampered:
    return LedgerTampered(
        where=f"ledger, entry {place}",
        found=found,
        expected=expected,
        remedy="Stop enrolling; compare with the backup and with the heads that were published.",
    )
