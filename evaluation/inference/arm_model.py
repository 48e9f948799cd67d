"""Regression of an outcome on the arm, blocks and covariates, with the variance that the study names.

    g(E[y | arm, x]) = intercept + b arm + blocks + x c + offset

Blocks enter as indicators, because arms were balanced within them. The variances and degrees of
freedom are those of `small_sample_gee`; people drawn one by one take HC0 to HC3, clusters CR0 to CR3 or
FG. Which may be trusted was settled by simulation (`benchmarks/coverage_counts.py`): with
10 to 40 unequal clusters, CR0 with a normal quantile covers 83 to 93% when it says 95, so fewer than 100 clusters
are refused either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.estimate import EstimatorRefused
from evaluation.inference.cluster_layout import Layout, by_cluster
from evaluation.inference.estimating import (
    Equations,
    Family,
    Working,
    solve,
    solve_negative_binomial,
)
from evaluation.inference.small_sample_gee import Correction, between_within, robust
from evaluation.inference.treatment_columns import treatment_columns
from evaluation.sample import Sample

Floats = NDArray[np.float64]
Variance = Literal["model", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2", "CR3", "FG"]
Freedom = Literal["normal", "between_within", "satterthwaite"]

MANY_CLUSTERS = 100
FEWEST_DEGREES = 4.0
"""Below about four, the t approximation itself fails (Pustejovsky & Tipton 2018, section 3)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmModel:
    """A fit: `columns` (n, k) in the layout's order, the first the intercept and the second the arm."""

    equations: Equations
    columns: Floats
    names: tuple[str, ...]
    layout: Layout
    offset: Floats | None
    weight: Floats | None


def check_variance(variance: Variance, df: Freedom, layout: Layout) -> None:
    """Refuse a variance that forgets the clusters, asks for ones that are not there, or needs more of them."""
    if layout.clustered and variance[:2] in ("HC", "mo"):
        raise EstimatorRefused(
            where="variance",
            found=f"{variance}, in a design that drew clusters",
            expected="FG, CR2 or CR3",
            remedy="Use `variance: FG` with `df: satterthwaite`: people in a cluster are alike, and were drawn together.",
        )
    if not layout.clustered and variance[:2] in ("CR", "FG"):
        raise EstimatorRefused(
            where="variance",
            found=f"{variance}, in a design without clusters",
            expected="HC2 or HC3",
            remedy="Use `variance: HC2`, or declare the design's clusters.",
        )
    if not layout.clustered or layout.clusters >= MANY_CLUSTERS:
        return
    if variance in ("CR0", "CR1") or df == "normal":
        raise EstimatorRefused(
            where="variance" if variance in ("CR0", "CR1") else "df",
            found=f"{variance} with df {df} and {layout.clusters} clusters",
            expected=f"at least {MANY_CLUSTERS} clusters for that choice: its intervals are too short with fewer",
            remedy="Use `variance: FG` with `df: satterthwaite`, or the estimator `cluster_means`.",
        )


def fit_arm_model(
    sample: Sample, family: Family, *, working: Working = "independence", exposure: bool = False
) -> ArmModel:
    """Fit `family`'s canonical-link mean model (log link for counts) to complete rows."""
    layout = by_cluster(sample)
    x, names = treatment_columns(sample)
    blocks = block_columns(sample)
    columns = np.hstack([np.ones((len(x), 1)), x, blocks])[layout.order]
    y = sample.outcome[layout.order]
    offset = None
    if exposure and sample.exposure is not None:
        offset = np.log(sample.exposure[layout.order])
    weight = None if sample.weight is None else sample.weight[layout.order]
    if family == "negative_binomial":
        fitted = solve_negative_binomial(
            y, columns, starts=layout.starts, offset=offset, working=working, weight=weight
        )
    else:
        fitted = solve(
            y,
            columns,
            family=family,
            starts=layout.starts,
            offset=offset,
            weight=weight,
            working=working,
        )
    return ArmModel(
        equations=fitted,
        columns=columns,
        names=("intercept", *names, *(f"block {j + 2}" for j in range(blocks.shape[1]))),
        layout=layout,
        offset=offset,
        weight=weight,
    )


def contrast_error(
    model: ArmModel, contrast: Floats, variance: Variance, df: Freedom, *, dispersed: bool = False
) -> tuple[float, float | None]:
    """(standard error of c'b, degrees of freedom or None); `dispersed` scales `model` by Pearson's phi."""
    fitted, layout = model.equations, model.layout
    if variance == "model":
        scale = float(fitted.dispersion) if dispersed else 1.0
        error = float(np.sqrt(scale * contrast @ fitted.bread @ contrast))
        rows, k = model.columns.shape
        return error, None if df == "normal" else float(rows - k)
    correction: Correction = "CR0"
    if variance in ("CR0", "CR1", "CR2", "CR3", "FG"):
        correction = variance
    elif variance != "HC1":
        correction = {"HC0": "CR0", "HC2": "CR2", "HC3": "CR3"}[variance]  # type: ignore[assignment]
    squared, satterthwaite = robust(fitted, contrast, correction)
    rows, k = model.columns.shape
    factor = rows / (rows - k) if variance == "HC1" else 1.0
    error = float(np.sqrt(squared * factor))
    if df == "normal":
        return error, None
    if df == "between_within":
        freedom = float(between_within(model.columns, layout.starts)) if layout.clustered else float(rows - k)
    else:
        freedom = float(satterthwaite)
    if freedom < FEWEST_DEGREES and layout.clustered:
        raise EstimatorRefused(
            where="df",
            found=f"{freedom:.1f} degrees of freedom from {layout.clusters} clusters",
            expected=f"at least {FEWEST_DEGREES:.0f}",
            remedy="Use `randomisation_test`, which needs no degrees of freedom, or `cluster_means` without covariates.",
        )
    return error, freedom


def block_columns(sample: Sample) -> Floats:
    """(n, blocks - 1) indicators of the blocks within which arms were balanced; none without blocks."""
    if sample.block is None:
        return np.empty((len(sample.outcome), 0))
    levels = np.unique(sample.block)
    for level in levels:
        inside = sample.arm[sample.block == level]
        if inside.min() == inside.max():
            raise EstimatorRefused(
                where="block",
                found="a block with people of one arm only",
                expected="both arms in every block",
                remedy="Leave the block out in the study's population, or merge it with its nearest, and say so.",
            )
    return np.asarray((sample.block[:, None] == levels[None, 1:]).astype(np.float64))
