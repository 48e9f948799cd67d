"""Further baseline columns of the roster, as numbers: for models of what is missing, never of the effect."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data_contracts.refusal import nearest
from evaluation.estimate import EstimatorRefused
from evaluation.sample import Floats, Sample


def auxiliary_matrix(sample: Sample, names: tuple[str, ...], *, where: str) -> tuple[Floats, tuple[str, ...]]:
    """(n, k) columns of the roster in the order of the sample's rows, and their labels.

    Numbers stay as they are, gaps as NaN; categories become 0/1 columns against the commonest, a gap
    being a category of its own. Columns that do not vary in these rows are left out.
    """
    if not names:
        return np.empty((len(sample.outcome), 0)), ()
    if sample.roster is None or sample.roster_row is None:
        raise EstimatorRefused(
            where=where,
            found="a sample with no roster",
            expected="the roster that holds the auxiliary columns",
            remedy="Build the sample from the study, or leave `auxiliary` empty.",
        )
    columns: list[Floats] = []
    labels: list[str] = []
    for name in names:
        if name not in sample.roster.columns:
            raise EstimatorRefused(
                where=where,
                found=f"'{name}'",
                expected="a column of the roster",
                remedy=nearest(name, map(str, sample.roster.columns)),
            )
        series = sample.roster[name].iloc[sample.roster_row]
        if pd.api.types.is_numeric_dtype(series.dtype):
            columns.append(series.to_numpy(dtype=np.float64, na_value=np.nan))
            labels.append(name)
            continue
        text = series.astype("object").where(series.notna(), "missing").astype(str)
        levels = text.value_counts().sort_index().sort_values(ascending=False, kind="stable").index
        for level in levels[1:]:
            columns.append((text == level).to_numpy(dtype=np.float64))
            labels.append(f"{name}: {level}")
    matrix = np.column_stack(columns) if columns else np.empty((len(sample.outcome), 0))
    varies = np.array([len(np.unique(c[~np.isnan(c)])) > 1 for c in matrix.T], dtype=bool)
    kept = tuple(label for label, keep in zip(labels, varies, strict=True) if keep)
    return np.asarray(matrix[:, varies], dtype=np.float64), kept
