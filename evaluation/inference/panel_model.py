"""Regression of cluster-periods or people in them on period effects and treatment, robust to clusters.

    g(E[y_gti]) = period_t + treatment columns + x c (+ cluster_g) (+ log exposure)

The variance sums over clusters, whose rows may hang together over time in any way, with the corrections and degrees of
freedom of `small_sample_gee`. Cluster effects, where asked for, are indicators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.estimate import EstimatorRefused
from evaluation.inference.binary_rows import check_binary
from evaluation.inference.cluster_layout import Layout
from evaluation.inference.count_rows import check_counts
from evaluation.inference.estimating import Equations, Family, Working, solve
from evaluation.inference.small_sample_gee import robust
from evaluation.sample import Sample

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FAMILY: dict[tuple[str, str], Family] = {
    ("mean", "mean_difference"): "gaussian",
    ("binary", "risk_difference"): "gaussian",
    ("binary", "odds_ratio"): "binomial",
    ("count", "rate_ratio"): "poisson",
}
MOST_NUMBERS = 60_000_000
FEWEST_DEGREES = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """A fit; `treatment` are the positions of the treatment columns."""

    equations: Equations
    treatment: tuple[int, ...]
    layout: Layout


def panel_family(sample: Sample, scale: str) -> Family:
    """The mean model for this outcome and scale; a risk difference is a linear probability model."""
    if (sample.kind, scale) not in FAMILY:
        raise EstimatorRefused(
            where="scale",
            found=f"{scale} of a {sample.kind} outcome",
            expected="one of: " + ", ".join(f"{s} ({k})" for k, s in FAMILY),
            remedy="Change the estimand's scale.",
        )
    if sample.kind == "binary":
        check_binary(sample, scale)
    if sample.kind == "count":
        check_counts(sample)
    return FAMILY[sample.kind, scale]


def fit_panel(
    sample: Sample,
    layout: Layout,
    family: Family,
    period: Ints,
    treatment: Floats,
    *,
    working: Working,
    cluster_effects: bool,
) -> Panel:
    """Fit with `treatment` (n, j) columns; refuses columns that period and cluster effects absorb."""
    n = len(period)
    columns = [np.ones((n, 1)), treatment]
    columns.append((period[:, None] == np.arange(1, period.max() + 1)).astype(float))
    if sample.covariates is not None:
        columns.append(sample.covariates)
    x = np.hstack(columns)[layout.order]
    if cluster_effects:
        number = np.repeat(np.arange(layout.clusters), layout.sizes)
        x = np.hstack([x, (number[:, None] == np.arange(1, layout.clusters)).astype(float)])
    k = x.shape[1]
    if k * k * layout.clusters > MOST_NUMBERS:
        raise EstimatorRefused(
            where="period",
            found=f"{k} coefficients for {layout.clusters} clusters",
            expected=f"at most {int((MOST_NUMBERS / layout.clusters) ** 0.5)}",
            remedy="Measure over longer periods (weeks for days), which loses nothing that the period effects keep.",
        )
    _identified(x, treatment.shape[1])
    y = sample.outcome[layout.order]
    offset = None
    if family == "poisson" and sample.exposure is not None:
        offset = np.log(sample.exposure[layout.order])
    weight = None if sample.weight is None else sample.weight[layout.order]
    fitted = solve(y, x, family=family, starts=layout.starts, offset=offset, weight=weight, working=working)
    if not bool(fitted.solved):
        raise EstimatorRefused(
            where="outcome",
            found="equations without a solution (a period, place or arm without events, or one in which all have them)",
            expected="events and non-events in every period and arm",
            remedy="Merge periods, or leave out places without any event and say how many.",
        )
    return Panel(equations=fitted, treatment=tuple(range(1, 1 + treatment.shape[1])), layout=layout)


def panel_contrast(
    panel: Panel, weights: Floats, variance: Literal["CR2", "CR3", "FG"], df: str
) -> tuple[float, float, float]:
    """(value, standard error, degrees of freedom) of a weighted sum of the treatment columns."""
    contrast = np.zeros(panel.equations.coefficient.shape[0])
    contrast[list(panel.treatment)] = weights
    squared, satterthwaite = robust(panel.equations, contrast, variance)
    freedom = float(satterthwaite) if df == "satterthwaite" else float(panel.layout.clusters - 1)
    if freedom < FEWEST_DEGREES:
        raise EstimatorRefused(
            where="df",
            found=f"{freedom:.1f} degrees of freedom from {panel.layout.clusters} clusters",
            expected=f"at least {FEWEST_DEGREES:.0f}",
            remedy="Use `randomisation_test` over the declared draw, which needs no degrees of freedom.",
        )
    return float(contrast @ panel.equations.coefficient), float(np.sqrt(squared)), freedom


def _identified(x: Floats, treatments: int) -> None:
    others = np.delete(x, np.arange(1, 1 + treatments), axis=1)
    scale = np.maximum(np.sqrt((others**2).sum(axis=0)), 1e-300)
    basis, triangle = np.linalg.qr(others / scale)
    basis = basis[:, np.abs(np.diag(triangle)) > 1e-9]
    target = x[:, 1 : 1 + treatments]
    left = target - basis @ (basis.T @ target)
    if np.linalg.matrix_rank(left, tol=1e-8 * np.sqrt(len(x))) < treatments:
        raise EstimatorRefused(
            where="period",
            found="treatment that period effects (and place effects) explain wholly, for some length of treatment",
            expected="periods in which some clusters are treated and others not, for every effect asked",
            remedy="Ask for a constant effect, or leave out periods in which all clusters are treated and say so.",
        )
