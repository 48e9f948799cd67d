"""Example data that ship inside Python packages, written as the files that their contracts describe."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pandas as pd

from data_contracts.refusal import Refusal, nearest

EXAMPLES = ("life_release_cohort",)


class NoExample(Refusal):
    """A table for which no example data are at hand."""


def write_example(name: str, directory: Path) -> Path:
    """Write the example for the contract `name` into `directory` as CSV, whole or not at all."""
    if name not in EXAMPLES:
        raise NoExample(
            where="example",
            found=f"'{name}'",
            expected="a table with example data",
            remedy=nearest(name, EXAMPLES),
        )
    directory.mkdir(parents=True, exist_ok=True)
    text = life_release_cohort().to_csv(index=False, lineterminator="\n")
    path = directory / f"{name}.csv"
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=f".{name}.", suffix=".csv")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def life_release_cohort() -> pd.DataFrame:
    """The 432 men of the LIFE experiment, as the contract names their columns.

    Data: lifelines, `load_rossi`; Rossi, Berk & Lenihan (1980), Money, Work, and Crime. The package's
    documentation, like others, calls them after the later Transitional Aid Research Project.
    """
    from lifelines.datasets import load_rossi

    rossi = load_rossi()
    return pd.DataFrame(
        {
            "person": [f"LIFE{number:03d}" for number in range(1, len(rossi) + 1)],
            "arm": rossi["fin"].map({1: "financial_aid", 0: "no_aid"}).to_list(),
            "weeks_observed": rossi["week"].to_list(),
            "rearrested": rossi["arrest"].to_list(),
            "age": rossi["age"].to_list(),
            "black": rossi["race"].to_list(),
            "work_experience": rossi["wexp"].to_list(),
            "married": rossi["mar"].to_list(),
            "parole": rossi["paro"].to_list(),
            "prior_convictions": rossi["prio"].to_list(),
        }
    )
