"""A roster from a CSV file: every value as the text that stands there, nothing guessed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd

from experiments.allocation.canonical import RosterRefused


def read_roster(path: Path, id_column: str) -> pd.DataFrame:
    """(units, columns) of text, indexed by `id_column`; blanks are missing."""
    if not path.is_file():
        raise _refused(path, "no file", "a CSV file", "Check the path and its spelling.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError:
        raise _refused(path, "bytes that are not UTF-8", "UTF-8 text", "Save the file as UTF-8.") from None
    except csv.Error:
        raise _refused(path, "quotes that do not close", "a CSV file", "Save it as CSV again.") from None
    rows = [row for row in rows if row]
    if not rows:
        raise _refused(path, "no table", "a CSV file with a header", "Check that this is the roster.")
    header = rows.pop(0)
    if len(set(header)) < len(header) or id_column not in header:
        raise _refused(
            path,
            f"a header without '{id_column}', or with a name twice",
            "each column once, the study's id column among them",
            "Correct the header, or `population.id` in the study.",
        )
    uneven = [place for place, row in enumerate(rows, start=1) if len(row) != len(header)]
    if uneven:
        raise _refused(
            path,
            f"{len(uneven)} rows with more or fewer values than the header, the first row {uneven[0]}",
            f"{len(header)} values in every row",
            "Look for a comma inside a value; such a value stands in quotes.",
        )
    frame = pd.DataFrame(rows, columns=header, dtype=object).replace("", None)
    missing = int(frame[id_column].isna().sum())
    if missing:
        raise _refused(path, f"{missing} missing ids", "an id for every unit", "Complete the ids.")
    return frame.set_index(id_column)


def _refused(path: Path, found: str, expected: str, remedy: str) -> RosterRefused:
    return RosterRefused(where=path.name, found=found, expected=expected, remedy=remedy)
