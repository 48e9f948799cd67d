"""How a published file lays out its table: what stands around the numbers, declared and never guessed.

A tidy file needs none of this. Statistical releases put titles above the header, notes below the
last row, footnote marks on numbers and letters where a number is withheld; each is declared here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from data_contracts.refusal import Refusal

Encoding = Literal["utf-8", "cp1252", "latin-1", "utf-16"]


class LayoutRefused(Refusal):
    """A layout that no file could have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`header_row` counts from 1; `sheets` (names, `*` standing for anything) are
    read one below the other, `sheet_column` holding their names.

    `marks` maps a cell's whole text (`..`, `[c]`, `*`) to the reason no number stands there.
    `footnotes` is a pattern removed from the end of cells and headers (such as `\\[note \\d+\\]`).
    `drop_rows` maps a column to values whose rows are not part of the table (totals, non-geographic units).
    `stop_at_blank` ends the table at the first wholly blank row, where notes follow it.
    `fill_down` names columns whose blank cells repeat the cell above.
    `ignore` names columns of the file that the contract leaves out on purpose.
    `trim` removes spaces at both ends of every cell.
    """

    encoding: Encoding = "utf-8"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    header_row: int = 1
    sheets: tuple[str, ...] = ()
    sheet_column: str | None = None
    thousands: Literal[",", " ", ""] = ""
    decimal: Literal[".", ","] = "."
    marks: Mapping[str, str] = field(default_factory=dict)
    footnotes: str | None = None
    drop_rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stop_at_blank: bool = False
    fill_down: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    trim: bool = False

    def __post_init__(self) -> None:
        if self.header_row < 1:
            raise LayoutRefused(
                where="header_row",
                found=str(self.header_row),
                expected="1 or more",
                remedy="Rows are counted from 1; a file without a header row is given one at its source.",
            )
        if self.thousands == self.decimal:
            raise LayoutRefused(
                where="thousands",
                found=f"'{self.thousands}' for thousands and for decimals",
                expected="two different signs",
                remedy="Say what the file has.",
            )
        try:
            re.compile(self.footnotes or "")
        except re.error:
            raise LayoutRefused(
                where="footnotes",
                found="a pattern that does not compile",
                expected="a regular expression",
                remedy="Put a backslash before brackets that are meant as such.",
            ) from None
