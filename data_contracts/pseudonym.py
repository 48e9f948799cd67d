"""Keyed pseudonyms: the same person, the same code within one project, and no way back without the key.

    pseudonym = first 32 hexadecimal digits of HMAC-SHA256(key, frame(purpose, project, scheme, normalised))

`frame` writes each part with its length in front, so that no two inputs run together; the project's
name keeps two projects' pseudonyms apart even under one key. A plain hash is no pseudonym: all PNC
numbers can be hashed in about a minute. The key has at least 32 bytes, comes from a file outside any
repository or from the environment, and is never written to any output.

Identifiers are normalised first (`data_contracts/identifiers.py`), so that one child under two
spellings of a number is one child.

Reference: FIPS 198-1 (HMAC); ICO, Anonymisation, pseudonymisation and privacy enhancing technologies
guidance, chapter 3; ENISA (2019), Pseudonymisation techniques and best practices, section 5.1.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from data_contracts.convert import breach
from data_contracts.identifiers import normaliser, plain_characters
from data_contracts.refusal import Refusal
from data_contracts.table import ContractBroken

KEY_BYTES = 32
KEY_VARIABLE = "DESIST_PSEUDONYM_KEY"
_PURPOSE = b"desist pseudonym 1"
Scheme = Literal["pnc", "nhs", "text"]


class KeyRefused(Refusal):
    """A key that is short, guessable, shared or kept where it should not be."""


class Key:
    """A project's secret. It shows itself nowhere: not in `repr`, not in an error, not in a pickle."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes, *, where: str) -> None:
        if len(secret) < KEY_BYTES:
            raise _key(where, f"a key of {len(secret)} bytes", f"at least {KEY_BYTES} bytes")
        if len(set(secret)) < 16:
            raise _key(where, "a key that repeats itself", f"{KEY_BYTES} random bytes")
        self._secret = secret

    def __repr__(self) -> str:
        return "Key(...)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    def digest(self, *parts: bytes) -> str:
        """HMAC-SHA256 of the parts, each with its length in front, in hexadecimal."""
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonymised:
    """A column of pseudonyms and what was found on the way; `spellings` is how many were merged."""

    pseudonyms: pd.Series
    people: int
    rows_without: int
    spellings: int


def key_from_file(path: Path) -> Key:
    """The key in a file of hexadecimal digits, readable by its owner alone, outside any repository."""
    where = "the key file"  # without its name, which may be the key itself, given in the wrong place
    if not path.is_file():
        raise _key(where, "no file", "a key file", "Make one: `desist pseudonymise --make-key FILE`.")
    _outside_repositories(path, where)
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _key(
            where,
            "a file that others may read",
            "mode 600",
            "chmod 600 the file; if in doubt, make a new key.",
        )
    return _from_hex(path.read_text(encoding="ascii", errors="replace"), where)


def key_from_environment(environment: Mapping[str, str]) -> Key:
    """The key in the variable DESIST_PSEUDONYM_KEY, in hexadecimal."""
    if KEY_VARIABLE not in environment:
        raise _key(
            KEY_VARIABLE,
            "no key",
            "a key file or this variable",
            "Give `--key FILE`, or set the variable for this run.",
        )
    return _from_hex(environment[KEY_VARIABLE], KEY_VARIABLE)


def make_key(path: Path) -> None:
    """Write a new random key to a file that only its owner may read; an existing file is left alone."""
    where = "the key file"
    _outside_repositories(path, where)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _key(
            where, "a file", "a new name", "A key that is overwritten is lost, with every link it made."
        ) from None
    except OSError:
        raise _key(where, "a folder that cannot be written", "a writable folder", "Choose another.") from None
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(KEY_BYTES) + "\n")


def normalised(text: str, scheme: Scheme) -> str | None:
    """The identifier's one spelling, or None where it is no such identifier."""
    if scheme == "text":
        return plain_characters(text) or None
    return normaliser(scheme)(text)


def pseudonym(text: str, *, key: Key, project: str, scheme: Scheme) -> str | None:
    """The pseudonym of one identifier, or None where it is not a valid one."""
    plain = normalised(text, scheme)
    if plain is None:
        return None
    return key.digest(_PURPOSE, project.encode(), scheme.encode(), plain.encode())[:32]


def pseudonymise(
    identifiers: pd.Series, *, key: Key, project: str, scheme: Scheme, table: str
) -> Pseudonymised:
    """Pseudonyms for a column of text; missing stays missing; invalid numbers are refused, by row."""
    if not project or project != project.strip():
        raise KeyRefused(
            where="project",
            found="an empty name, or one with spaces at its ends",
            expected="a name for the project",
            remedy="Pseudonyms of two projects must not meet: name each.",
        )
    text = identifiers.astype("str")
    text = text.mask(text.str.strip() == "")
    distinct = text.dropna().drop_duplicates()
    plain = {raw: normalised(raw, scheme) for raw in distinct}
    invalid = (
        text.map({raw: spelling is None for raw, spelling in plain.items()})
        .fillna(False)
        .to_numpy(dtype=bool)
    )
    if invalid.any():
        rule = "no letters or digits" if scheme == "text" else f"not a valid {scheme.upper()} number"
        raise ContractBroken(
            table=table,
            breaches=[breach(str(identifiers.name), rule, invalid)],
            remedy="Correct the numbers at their source; a number with a wrong check digit is another child's or nobody's.",
        )
    coded = {raw: pseudonym(raw, key=key, project=project, scheme=scheme) for raw in distinct}
    out = text.map(coded).astype("str")
    people = int(out.nunique())
    if people != len(set(plain.values())):
        raise RuntimeError("two identifiers share a pseudonym; nothing was written")
    return Pseudonymised(
        pseudonyms=out, people=people, rows_without=int(text.isna().sum()), spellings=len(distinct) - people
    )


def _from_hex(text: str, where: str) -> Key:
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if not secret:
        raise _key(
            where, "something other than hexadecimal digits", f"at least {2 * KEY_BYTES} hexadecimal digits"
        )
    return Key(secret, where=where)


def _outside_repositories(path: Path, where: str) -> None:
    for folder in path.resolve().parents:
        if (folder / ".git").exists():
            raise _key(
                where,
                "a place inside a repository",
                "a folder that is never committed",
                "Keep the key apart from the code and from the data.",
            )


def _key(
    where: str, found: str, expected: str, remedy: str = "Make one: `desist pseudonymise --make-key FILE`."
) -> KeyRefused:
    return KeyRefused(where=where, found=found, expected=expected, remedy=remedy)
