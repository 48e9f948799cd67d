"""Covariates that a design balances or pairs on, as numbers, by drawn unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.roster import DesignRefused

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def covariate_matrix(roster: pd.DataFrame, columns: tuple[str, ...], *, where: str) -> Floats:
    """(rows, k) finite numbers; refuses text, missing and constant columns by name."""
    for column in columns:
        values = roster[column]
        if not (pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype)):
            raise _refused(
                where,
                f"the column '{column}', which is not a number",
                "numbers (0 and 1 for a category)",
                "Code it as numbers, or block on it.",
            )
        numbers = values.to_numpy(dtype=np.float64)
        if not np.isfinite(numbers).all():
            raise _refused(
                where,
                f"{int((~np.isfinite(numbers)).sum())} values of '{column}' that are missing or infinite",
                "a number for every unit",
                "Complete the column before the draw.",
            )
        if np.ptp(numbers) == 0:
            raise _refused(
                where,
                f"the column '{column}', which has one value only",
                "columns that vary",
                "Leave it out: it is balanced in every draw.",
            )
    return roster[list(columns)].to_numpy(dtype=np.float64)


def unit_means(values: Floats, unit: Ints, units: int) -> Floats:
    """(units, k) means of the rows of each drawn unit."""
    sums = np.zeros((units, values.shape[1]))
    np.add.at(sums, unit, values)
    return sums / np.bincount(unit, minlength=units)[:, None]


def _refused(where: str, found: str, expected: str, remedy: str) -> DesignRefused:
    return DesignRefused(where=where, found=found, expected=expected, remedy=remedy)
