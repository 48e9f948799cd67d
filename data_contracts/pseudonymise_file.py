"""A file with identifiers to a file with pseudonyms, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from data_contracts.files import read_cells
from data_contracts.layout import Layout
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
    """Write `path` as CSV to `out` with `column` replaced by `into`, first, and the `drop` columns left out."""
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
    rest = [name for name in cells.columns if name not in (column, *drop)]
    if into in rest:
        raise _refused(
            "--into", f"a column '{into}' in the file", "a new name", "Choose another name for the pseudonym."
        )
    made = pseudonymise(cells[column], key=key, project=project, scheme=scheme, table=path.stem)
    frame = cells[rest]
    frame.insert(0, into, made.pseudonyms)
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=".pseudonyms.", suffix=".csv")
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


def _refused(where: str, found: str, expected: str, remedy: str) -> PseudonymiseRefused:
    return PseudonymiseRefused(where=where, found=found, expected=expected, remedy=remedy)
