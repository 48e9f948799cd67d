"""One way to write a value as bytes, so that two programs hash the same thing.

Canonical JSON is RFC 8785 restricted to text, whole numbers within 2^53, true, false, null, lists and
objects with ASCII keys: UTF-8, no spaces, keys in order. Numbers with a fraction have no canonical
form here; shares are written as text such as "1/3".

A roster is canonical when its ids and its design columns are text in Unicode form C and its rows
stand in the order of their ids' UTF-8 bytes. Two ids, or two labels of one column, that differ only
in case or in compatibility characters are refused: one would sooner or later be taken for the other.

Reference: RFC 8785 (2020), JSON Canonicalization Scheme; Unicode Standard Annex 15 (forms C and KC).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_contracts.refusal import Refusal

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 2**53 - 1
_PNC = re.compile(r"^(\d{2}|\d{4})/\d{1,7}[A-Z]$", re.IGNORECASE)
_NHS = re.compile(r"^\d{10}$")


class NotCanonical(Refusal):
    """A value that two programs could write, or read, in two ways."""


class RosterRefused(Refusal):
    """A roster whose ids cannot be told apart, or that are no pseudonyms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Ids and the columns that the design reads; `rows` are (id, value, value, ...), sorted by id."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def as_json(self) -> dict[str, Any]:
        """The roster as the proof holds it."""
        return {"columns": list(self.columns), "rows": [list(row) for row in self.rows]}

    def as_frame(self) -> pd.DataFrame:
        """The roster as a table of text, indexed by id."""
        import pandas as pd

        frame = pd.DataFrame([row[1:] for row in self.rows], columns=list(self.columns), dtype=object)
        return frame.set_index(pd.Index([row[0] for row in self.rows], dtype=object))

    def column(self, name: str) -> tuple[str, ...]:
        """The values of one column, in the order of the rows."""
        place = 1 + self.columns.index(name)
        return tuple(row[place] for row in self.rows)


def canonical(value: Any) -> bytes:
    """The bytes of `value`, which holds only text, whole numbers, true, false, null, lists and objects."""
    _check(value, "value")
    return spelled(value)


def spelled(value: Any) -> bytes:
    """The bytes of a value that came from `parse`, or was checked before."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def parse(raw: bytes, *, where: str) -> Any:
    """The value that `raw` is the canonical form of; any other spelling of it is refused."""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_never,
            parse_constant=_never,
            parse_int=_whole,
        )
        same = spelled(value) == raw
    except (ValueError, RecursionError):
        same = False
        value = None
    if not same:
        raise NotCanonical(
            where=where,
            found="bytes that are not canonical JSON",
            expected="the file exactly as it was written",
            remedy="It was edited, cut, or saved by another program; fetch the original.",
        )
    return value


def roster_from(frame: pd.DataFrame, columns: Sequence[str]) -> Roster:
    """The canonical roster of a table indexed by unit id, with the design's `columns` only."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise RosterRefused(
            where="roster",
            found=f"no column '{missing[0]}'",
            expected=f"the design's columns: {', '.join(columns)}",
            remedy="Add it, or correct its name in the design.",
        )
    ids = [_atom(value, "id", row) for row, value in enumerate(frame.index, start=1)]
    values = [
        [_atom(value, f"column '{name}'", row) for row, value in enumerate(frame[name], start=1)]
        for name in columns
    ]
    rows = sorted(zip(ids, *values, strict=True), key=lambda row: row[0].encode())
    roster = Roster(columns=tuple(columns), rows=tuple(rows))
    check_roster(roster)
    return roster


def check_roster(roster: Roster) -> None:
    """Refuse a roster out of order, with ids or labels that can be confused, or without pseudonyms."""
    width = 1 + len(roster.columns)
    for place, row in enumerate(roster.rows, start=1):
        if len(row) != width:
            raise _roster(f"{len(row)} values in row {place}", f"{width}: the id and the design's columns")
        for value in row:
            _atom(value, "the roster", place)
    ids = [row[0] for row in roster.rows]
    if not ids:
        raise _roster("no units", "at least one")
    check_ids(ids)
    if ids != sorted(ids, key=str.encode):
        raise _roster("rows out of order", "rows in the order of their ids' UTF-8 bytes")
    for name in roster.columns:
        _check_labels(set(roster.column(name)), f"column '{name}'")


def check_ids(ids: Sequence[str]) -> None:
    """Refuse repeated ids, ids that differ only in case, and what looks like a person's identifier."""
    if len(set(ids)) < len(ids):
        raise _roster(f"{len(ids) - len(set(ids))} repeated ids", "each unit once")
    _check_labels(set(ids), "ids")
    rows = [place for place, value in enumerate(ids, start=1) if _identifies(value)]
    numbers = sum(map(_is_nhs_number, ids))
    if rows or (numbers > 1 and numbers > len(ids) / 2):
        raise RosterRefused(
            where="roster",
            found=f"ids that look like names, e-mail addresses, PNC or NHS numbers or formulas ({len(rows) or numbers} rows)",
            expected="pseudonyms: letters, digits and marks without spaces",
            remedy="Replace them by study pseudonyms (`desist pseudonymise`) before anything is committed.",
        )


def _check_labels(labels: set[str], what: str) -> None:
    folded = {unicodedata.normalize("NFKC", label).casefold() for label in labels}
    if len(folded) < len(labels):
        raise RosterRefused(
            where="roster",
            found=f"{len(labels) - len(folded)} of the {what} differ from another only in case or in look-alike characters",
            expected="labels that cannot be taken for one another",
            remedy="Decide which are the same, correct the roster, and commit then.",
        )


def _atom(value: Any, what: str, row: int) -> str:
    """A roster value as text; whole numbers and true/false have one spelling, fractions none."""
    if isinstance(value, str):
        text = value
    elif type(value).__name__ in ("bool", "bool_"):
        text = "true" if value else "false"
    elif type(value).__name__ in (
        "int",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint64",
        "uint32",
        "uint16",
        "uint8",
    ):
        text = str(int(value))
    else:
        raise _roster(
            f"a missing value or a number with a fraction in {what}, row {row}", "text or whole numbers"
        )
    if (
        not text
        or text != text.strip()
        or text != unicodedata.normalize("NFC", text)
        or any(unicodedata.category(character) in ("Cc", "Cs", "Cf", "Zl", "Zp") for character in text)
    ):
        raise _roster(
            f"an empty value, outer spaces or invisible characters in {what}, row {row}",
            "text in Unicode form C",
        )
    return text


def _identifies(value: str) -> bool:
    formula = value[0] in "=+-@"
    return formula or "@" in value or any(c.isspace() for c in value) or bool(_PNC.match(value))


def _is_nhs_number(value: str) -> bool:
    if not _NHS.match(value):
        return False
    remainder = 11 - sum((10 - place) * int(value[place]) for place in range(9)) % 11
    return remainder % 11 == int(value[9]) and remainder != 10


def _check(value: Any, where: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            raise _form(where, "half a surrogate pair", "Unicode text")
    elif isinstance(value, int):
        if abs(value) > LARGEST:
            raise _form(where, "a whole number beyond 2^53", "a smaller one, or text")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise _form(where, "a key that is not ASCII text", "ASCII keys")
            _check(item, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            _check(item, f"{where}[{place}]")
    else:
        raise _form(
            where, f"a {type(value).__name__}", "text, whole numbers, true, false, null, lists, objects"
        )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs) or not all(map(str.isascii, out)):
        raise ValueError("a key twice, or one that is not ASCII")
    return out


def _whole(digits: str) -> int:
    number = int(digits)
    if abs(number) > LARGEST:
        raise ValueError("a whole number beyond 2^53")
    return number


def _never(text: str) -> Any:
    raise ValueError(f"{len(text)} characters of a number with a fraction")


def _form(where: str, found: str, expected: str) -> NotCanonical:
    return NotCanonical(where=where, found=found, expected=expected, remedy="Write it as text.")


def _roster(found: str, expected: str) -> RosterRefused:
    return RosterRefused(
        where="roster", found=found, expected=expected, remedy="Correct the roster, then commit."
    )
