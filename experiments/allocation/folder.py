"""The folder of one sealed allocation: what is public, what stays closed, and when each is written.

commitment.json   public, from the commitment on: publish it, or its hash
closed.json       the parts and the nonce; readable by its owner alone until the reveal
given.json        the beacon's round, or the second party's secret, from the draw on
allocation.csv    unit and arm, from the draw on; the person who enrols needs it, nobody else
enrolments.jsonl  the ledger, where people are enrolled one at a time
commitments.jsonl the log of commitments made here, which refuses a nonce that was used before

Files are written whole or not at all, and never over one that is there.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_contracts.refusal import Refusal
from experiments.allocation.beacon import Round, round_from
from experiments.allocation.canonical import Roster, canonical, parse
from experiments.allocation.ledger import Entry, Ledger
from experiments.allocation.seal import Sealed
from experiments.allocation.strata import plan_from


class FolderRefused(Refusal):
    """A step out of order, or a file that stands in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The files of one sealed allocation."""

    path: Path

    @property
    def enrolments(self) -> Ledger:
        """The ledger of people enrolled one at a time."""
        return Ledger(path=self.path / "enrolments.jsonl")

    def write_commitment(self, sealed: Sealed, log: Path | None) -> Entry:
        """Enter the commitment in the log, and write the public and the closed file."""
        self.path.mkdir(parents=True, exist_ok=True)
        for name in ("commitment.json", "closed.json"):
            if (self.path / name).exists():
                raise FolderRefused(
                    where=str(self.path / name),
                    found="a commitment made earlier",
                    expected="a folder without one",
                    remedy="A second commitment lets its author choose between two draws. If the first must be "
                    "given up, say so in the registration and commit in another folder.",
                )
        entry = log_commitment(Ledger(path=log or self.path / "commitments.jsonl"), sealed)
        content = {**sealed.as_json(), "record": sealed.record()}
        _write(self.path / "closed.json", canonical(content) + b"\n", private=True)
        _write(self.path / "commitment.json", canonical(sealed.record()) + b"\n", private=False)
        return entry

    def read_sealed(self) -> Sealed:
        """What was committed to, checked against the public record."""
        content = read_canonical(self.path / "closed.json", remedy="Commit first: `desist allocate commit`.")
        try:
            record, roster = content["record"], content["roster"]
            sealed = Sealed(
                study=record["study"],
                protocol=content["protocol"],
                design=content["design"],
                plan=plan_from(content["plan"]),
                roster=None
                if roster is None
                else Roster(columns=tuple(roster["columns"]), rows=tuple(map(tuple, roster["rows"]))),
                committed_at=record["committed_at"],
                entropy=record["entropy"],
                nonce=bytes.fromhex(content["nonce"]),
                algorithm=content["algorithm"],
            )
            same = (
                sealed.record()
                == record
                == read_canonical(self.path / "commitment.json", remedy="Restore it: it was published.")
            )
        except (KeyError, TypeError, ValueError):
            same = False
        if not same:
            raise FolderRefused(
                where=str(self.path / "closed.json"),
                found="contents that do not give the commitment beside them",
                expected="both files as they were written",
                remedy="Restore them from the backup; a draw from changed files would prove nothing.",
            )
        return sealed

    def refuse_second_draw(self) -> None:
        """One draw to a commitment."""
        for name in ("allocation.csv", "given.json"):
            if (self.path / name).exists():
                raise FolderRefused(
                    where=str(self.path / name),
                    found="a draw made earlier",
                    expected="one draw to a commitment",
                    remedy="Use it; `desist allocate reveal` writes its proof.",
                )

    def write_draw(self, given: Round | bytes, allocation: Mapping[str, str] | None) -> None:
        """Keep the chance given, and the allocation where everybody was drawn at once."""
        if allocation is not None:
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(["unit", "arm"])
            writer.writerows((unit, allocation[unit]) for unit in sorted(allocation, key=str.encode))
            _write(self.path / "allocation.csv", text.getvalue().encode(), private=True)
        content = given.as_json() if isinstance(given, Round) else {"secret": given.hex()}
        _write(self.path / "given.json", canonical(content) + b"\n", private=True)

    def read_given(self) -> Round | bytes:
        """The chance that the draw was made from."""
        content = read_canonical(self.path / "given.json", remedy="Draw first: `desist allocate draw`.")
        return bytes.fromhex(content["secret"]) if "secret" in content else round_from(content)


def log_commitment(log: Ledger, sealed: Sealed) -> Entry:
    """Enter a commitment in a log that may span studies; a nonce used before is refused."""
    nonce = hashlib.sha256(sealed.nonce).hexdigest()

    def body(entries: tuple[Entry, ...]) -> dict[str, Any]:
        for entry in entries:
            if entry.body.get("nonce_sha256") == nonce:
                raise FolderRefused(
                    where="nonce",
                    found=f"a nonce used before, in entry {entry.place} of the log",
                    expected="a new one for every commitment",
                    remedy="Let the software draw it: two commitments under one nonce open each other.",
                )
        return {"commitment": sealed.commitment, "nonce_sha256": nonce, "study": sealed.study}

    return log.append("committed", body)


def write_proof(path: Path, proof: Mapping[str, Any]) -> None:
    """The proof, as canonical JSON and a newline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, canonical(proof) + b"\n", private=True)


def read_canonical(path: Path, *, remedy: str) -> Any:
    """The content of a canonical file."""
    if not path.is_file():
        raise FolderRefused(
            where=str(path), found="no file", expected="a file of the sealed allocation", remedy=remedy
        )
    raw = path.read_bytes()
    return parse(raw.removesuffix(b"\n"), where=path.name)


def _write(path: Path, content: bytes, *, private: bool) -> None:
    """All of it or nothing, and never over a file that is there."""
    if path.exists():
        raise FolderRefused(
            where=str(path),
            found="a file that is there already",
            expected="a place where nothing stands",
            remedy="Each step is taken once; move the file if it is another study's.",
        )
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT, 0o600 if private else 0o644), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _name(part, path)
    except OSError as error:
        raise FolderRefused(
            where=str(path),
            found=f"a file that cannot be written ({error.strerror})",
            expected="a folder that can be written to",
            remedy="Check the folder, its permissions and the room on the disk.",
        ) from None
    finally:
        part.unlink(missing_ok=True)


def _name(part: Path, path: Path) -> None:
    """Give the finished file its name: by a link, which never overwrites, where the disk has links."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        part.replace(path)
