"""A file with identifiers to a file with pseudonyms, whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data_contracts.convert import is_text
from data_contracts.files import read_cells
from data_contracts.identifiers import normal_nhs, normal_pnc
from data_contracts.layout import Layout
from data_contracts.ods import DATE_MARK
from data_contracts.pseudonym import Key, Scheme, pseudonymise
from data_contracts.refusal import Refusal


class PseudonymiseRefused(Refusal):
    """A file that cannot be pseudonymised as asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudonymisedFile:
    """What was written, in counts."""

    rows: int
    people: int
    rows_without: int
    spellings: int
    dropped: tuple[str, ...]


def pseudonymise_file(
    path: Path,
    out: Path,
    *,
    column: str,
    into: str,
    drop: tuple[str, ...],
    scheme: Scheme,
    project: str,
    key: Key,
) -> PseudonymisedFile:
    """Write `path` as CSV to `out` with `column` replaced by `into`, first, and the `drop` columns left out.

    Refused while another column still holds PNC or NHS numbers: one identifier left in undoes the rest.
    """
    if out.suffix.lower() != ".csv":
        raise _refused(
            "--out", f"a name ending in '{out.suffix}'", "a name ending in .csv", "CSV is written."
        )
    if out.exists():
        raise _refused(
            "--out", "a file", "a name that is not taken", "Nothing is overwritten: choose another name."
        )
    cells = read_cells(path, Layout())
    for name in (column, *drop):
        if name not in cells.columns:
            raise _refused(
                path.name,
                f"no column '{name}'",
                "a column of the file",
                "Check its spelling against the header row.",
            )
    if not cells.columns.is_unique:
        raise _refused(
            path.name,
            f"{int(cells.columns.duplicated().sum())} headers that stand in the file a second time",
            "each header once",
            "Rename the columns at their source: which one was meant is not for the software to guess.",
        )
    rest = [name for name in cells.columns if name not in (column, *drop)]
    left_in = [list(cells.columns).index(name) + 1 for name in rest if holds_identifiers(cells[name])]
    if left_in:
        raise _refused(
            path.name,
            f"PNC or NHS numbers in column {', '.join(map(str, left_in))}, which would stay in the output",
            "identifiers in no column but the one that is pseudonymised",
            "Leave the column out with `--drop`; to keep a second identifier, pseudonymise it apart.",
        )
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_ ]*", into):
        raise _refused(
            "--into",
            "a name with other signs",
            "letters, digits and underscores, starting with a letter",
            "Rename it.",
        )
    if into in rest:
        raise _refused(
            "--into", f"a column '{into}' in the file", "a new name", "Choose another name for the pseudonym."
        )
    identifiers = _as_text(cells[column], path)
    made = pseudonymise(identifiers, key=key, project=project, scheme=scheme, table=path.stem)
    frame = pd.DataFrame({name: _without_marks(cells[name]) for name in rest}, index=cells.index)
    frame.insert(0, into, made.pseudonyms)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=".pseudonyms.", suffix=".csv")
    except OSError as error:
        raise _refused(
            "--out",
            f"a place that cannot be written ({error.strerror})",
            "a folder with write permission",
            "Choose another place.",
        ) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            frame.to_csv(stream, index=False, lineterminator="\n")
        Path(temporary).replace(out)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return PseudonymisedFile(
        rows=len(frame),
        people=made.people,
        rows_without=made.rows_without,
        spellings=made.spellings,
        dropped=(column, *drop),
    )


def holds_identifiers(cells: pd.Series) -> bool:
    """Whether at least half of a column's cells are valid PNC or NHS numbers; chance makes one in eleven."""
    if pd.api.types.is_integer_dtype(cells.dtype):
        cells = cells.astype("str")
    if not is_text(cells):
        return False
    known = cells[cells.notna() & (cells != "")].drop_duplicates()
    valid = sum(normal_nhs(text) is not None or normal_pnc(text) is not None for text in known)
    return valid > 0 and 2 * valid >= len(known)


def _as_text(cells: pd.Series, path: Path) -> pd.Series:
    """The identifiers as text: whole numbers, as a Parquet file may hold them, by their digits."""
    if is_text(cells):
        return _without_marks(cells)
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        known = cells.dropna()
        if (known % 1 == 0).all() and (known.abs() < 2**53).all():
            return cells.astype("Int64").astype("str")
    raise _refused(
        path.name,
        "identifiers that are neither text nor whole numbers",
        "text, or whole numbers of at most fifteen digits",
        "Export the column as text.",
    )


def _without_marks(cells: pd.Series) -> pd.Series:
    """Cells as a file may hold them: the mark that tells a workbook's true dates is only for reading."""
    return cells.str.removeprefix(DATE_MARK) if isinstance(cells.dtype, pd.StringDtype) else cells


def _refused(where: str, found: str, expected: str, remedy: str) -> PseudonymiseRefused:
    return PseudonymiseRefused(where=where, found=found, expected=expected, remedy=remedy)
