"""PNC and NHS numbers: one spelling for each, and their check digits.

PNC ID: a year (two or four digits), a serial padded to seven, and a check letter, which is the
number made of the year's last two digits and the serial, modulo 23, into `ZABCDEFGHJKLMNPQRTUVWXY`.
Two-digit and four-digit years are one number: `01/12345H` and `2001/0012345H`.

NHS number: ten digits; the tenth is 11 less the sum of the first nine weighted 10 to 2, modulo 11,
with 11 read as 0 and 10 never issued. `0000000000` passes that arithmetic and is refused.

Reference: Ministry of Justice, hmpps-person-record, PNCIdentifier, whose letters and modulus these are; NHS
Data Model and Dictionary, NHS NUMBER, steps 1 to 5 of the modulus 11 algorithm. Both read in November 2026.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

PNC_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
_PNC = re.compile(r"(?P<year>\d{2}|\d{4})/?(?P<serial>\d{1,7})(?P<letter>[A-Z])")


def normaliser(scheme: Literal["pnc", "nhs"]) -> Callable[[str], str | None]:
    """The function that gives an identifier's one spelling, or None where it is no such number."""
    return {"pnc": normal_pnc, "nhs": normal_nhs}[scheme]


def plain_characters(text: str) -> str:
    """Upper case, half-width, without spaces, dashes or invisible characters."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in folded if not (c.isspace() or unicodedata.category(c) in ("Pd", "Cf", "Cc")))


def pnc_letter(year: int, serial: int) -> str:
    """The check letter: (last two digits of the year, then seven of serial) modulo 23."""
    return PNC_LETTERS[(year % 100 * 10_000_000 + serial) % 23]


def normal_pnc(text: str) -> str | None:
    """`YY/NNNNNNNX`, or None. The century is dropped, because the check letter does not carry it."""
    match = _PNC.fullmatch(plain_characters(text))
    if match is None:
        return None
    year, serial = int(match["year"]) % 100, int(match["serial"])
    if serial == 0 or pnc_letter(year, serial) != match["letter"]:
        return None
    return f"{year:02d}/{serial:07d}{match['letter']}"


def nhs_digit(nine: str) -> int:
    """The check digit of the first nine; 10 means that the number is never issued."""
    total = sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True))
    return (11 - total % 11) % 11


def normal_nhs(text: str) -> str | None:
    """Ten digits, or None."""
    plain = plain_characters(text)
    if not re.fullmatch(r"[0-9]{10}", plain) or plain == "0000000000":
        return None
    digit = nhs_digit(plain[:9])
    return plain if digit != 10 and digit == int(plain[9]) else None
