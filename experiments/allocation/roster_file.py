"""A roster from a CSV file: every value as the text that stands there, nothing guessed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from experiments.allocation.canonical import RosterRefused


def read_roster(path: Path, id_column: str) -> pd.DataFrame:
    """(units, columns) of text, indexed by `id_column`; blanks are missing."""
    if not path.is_file():
        raise _refused(path, "no file", "a CSV file", "Check the path and its spelling.")
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(path, "bytes that are not UTF-8", "UTF-8 text", "Save the file as UTF-8.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        raise _refused(
            path, "no table", "a CSV file with a header", "Open it and compare its lines."
        ) from None
    if id_column not in frame.columns:
        raise _refused(
            path, f"no column '{id_column}'", "the study's id column", "Add it, or correct `population.id`."
        )
    frame = frame.replace("", None)
    missing = int(frame[id_column].isna().sum())
    if missing:
        raise _refused(path, f"{missing} missing ids", "an id for every unit", "Complete the ids.")
    return frame.set_index(id_column)


def _refused(path: Path, found: str, expected: str, remedy: str) -> RosterRefused:
    return RosterRefused(where=path.name, found=found, expected=expected, remedy=remedy)
