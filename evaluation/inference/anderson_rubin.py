"""Anderson and Rubin's confidence set for the effect of one treatment, right however weak the instruments.

For a value b, regress y - b D on [Z, X] and test that the instruments have no part. With g the
coefficients of the instruments in the regressions of y and of D and S their joint covariance,

    AR(b) = (g_y - b g_D)' (S_yy - b (S_yD + S_Dy) + b^2 S_DD)^-1 (g_y - b g_D) / m

is compared with F(m, df). All b that are not rejected form the set. With one instrument AR(b) <= c is
a quadratic inequality, and the set is an interval, everything outside an interval, or every value: the
last two when the first stage is not itself significant, and then no finite interval is honest. With
several instruments the set may also be empty, when they disagree; its ends are found on b = tan(a).

Reference: Anderson & Rubin (1949), Annals of Mathematical Statistics 20, 46-63; Andrews, Stock & Sun
(2019), Annual Review of Economics 11, 727-753, section 5; Mikusheva (2010), Journal of Econometrics
157, 236-247, for the shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import f as fisher

from evaluation.inference.least_squares import Floats, fit
from evaluation.inference.robust import Variance, robust_scores
from evaluation.inference.two_stage import Instrumented

Shape = Literal["interval", "outside", "everything", "empty", "pieces"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReducedForm:
    """g_y and g_D (m,), the blocks of their covariance (m, m), and the F's denominator df."""

    outcome: Floats
    treatment: Floats
    outcome_variance: Floats
    cross: Floats
    treatment_variance: Floats
    df: float

    def statistic(self, b: float) -> float:
        """AR(b)."""
        gap = self.outcome - b * self.treatment
        spread = self.outcome_variance - b * (self.cross + self.cross.T) + b * b * self.treatment_variance
        return float(gap @ np.linalg.pinv(spread, hermitian=True) @ gap) / len(gap)

    @property
    def limit(self) -> float:
        """AR as b goes to either infinity: the F of the first stage."""
        g = self.treatment
        return float(g @ np.linalg.pinv(self.treatment_variance, hermitian=True) @ g) / len(g)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceSet:
    """`interval`: [low, high]; `outside`: all but (low, high); `pieces` are all the stretches, ends included.

    An end of None is infinite.
    """

    shape: Shape
    pieces: tuple[tuple[float | None, float | None], ...]
    p_value: float
    """Of no effect: AR(0)."""


def reduced_form(problem: Instrumented, kind: Variance) -> ReducedForm:
    """Regressions of outcome and treatment on the instruments, with their joint covariance.

    df is n - p (HC0 to HC3), clusters - 1 (CR0, CR1, CR1S) or, for HC2_BM, CR2 and CR3, the smallest
    Satterthwaite df among the instruments.
    """
    first = problem.first
    asked = [i for i, j in enumerate(first.kept) if j < problem.instruments.shape[1]]
    contrasts = np.eye(len(first.kept))[asked]
    images, coefficients, df = [], [], np.inf
    for column in (problem.outcome, problem.endogenous[:, 0]):
        regression = fit(column, first)
        scores, dfs = robust_scores(first, regression.residuals, kind, problem.cluster, contrasts)
        images.append(scores @ first.root.T[:, asked])
        coefficients.append(regression.coefficients[asked])
        df = min(df, float(dfs.min()))
    y, d = images
    return ReducedForm(
        outcome=coefficients[0],
        treatment=coefficients[1],
        outcome_variance=y.T @ y,
        cross=y.T @ d,
        treatment_variance=d.T @ d,
        df=df,
    )


def confidence_set(form: ReducedForm, level: float) -> ConfidenceSet:
    """All effects that AR's test does not reject at 1 - `level`."""
    m = len(form.outcome)
    critical = float(fisher.ppf(level, m, form.df))
    p = float(fisher.sf(form.statistic(0.0), m, form.df))
    shape, pieces = _one(form, critical) if m == 1 else _several(form, critical)
    return ConfidenceSet(shape=shape, pieces=pieces, p_value=p)


def _one(form: ReducedForm, critical: float) -> tuple[Shape, tuple[tuple[float | None, float | None], ...]]:
    """The quadratic a b^2 - 2 h b + c <= 0 of a single instrument."""
    gy, gd = float(form.outcome[0]), float(form.treatment[0])
    a = gd**2 - critical * float(form.treatment_variance[0, 0])
    h = gy * gd - critical * float(form.cross[0, 0])
    c = gy**2 - critical * float(form.outcome_variance[0, 0])
    gap = h * h - a * c
    if a > 0:  # the set holds gy / gd, so the roots are real up to rounding
        root = sqrt(max(gap, 0.0))
        return "interval", (((h - root) / a, (h + root) / a),)
    if gap <= 0:
        return "everything", ((None, None),)
    root = sqrt(gap)
    if a == 0:
        end = c / (2 * h)
        return "outside", ((end, None),) if h > 0 else ((None, end),)
    return "outside", ((None, (h + root) / a), ((h - root) / a, None))


def _several(
    form: ReducedForm, critical: float
) -> tuple[Shape, tuple[tuple[float | None, float | None], ...]]:
    """Sign changes of AR - critical over b = centre + scale tan(a), refined by bisection."""
    centre, scale = _centre(form)

    def excess(angle: float) -> float:
        return form.statistic(centre + scale * float(np.tan(angle))) - critical

    grid = np.linspace(-np.pi / 2, np.pi / 2, 2002)[1:-1]
    values = np.array([excess(float(angle)) for angle in grid])
    ends = [
        centre + scale * float(np.tan(brentq(excess, float(grid[i]), float(grid[i + 1]), xtol=1e-14)))
        for i in np.flatnonzero(np.diff(values <= 0))
    ]
    inside = bool(values[0] <= 0)
    if not ends:
        return ("everything", ((None, None),)) if inside else ("empty", ())
    edges: list[float | None] = [*([None] if inside else []), *ends]
    if len(edges) % 2:
        edges.append(None)
    pieces = tuple(zip(edges[::2], edges[1::2], strict=True))
    if len(pieces) == 1 and None not in pieces[0]:
        return "interval", pieces
    if len(pieces) == 2 and pieces[0][0] is None and pieces[1][1] is None:
        return "outside", pieces
    return "pieces", pieces


def _centre(form: ReducedForm) -> tuple[float, float]:
    """A starting value and a scale: the two-step minimum of AR with the covariance at b = 0."""
    inverse = np.linalg.pinv(form.outcome_variance, hermitian=True)
    bottom = float(form.treatment @ inverse @ form.treatment)
    centre = float(form.treatment @ inverse @ form.outcome) / bottom if bottom > 0 else 0.0
    scale = 1 / sqrt(bottom) if bottom > 0 else 1.0
    return (centre, scale) if isfinite(centre) and isfinite(scale) else (0.0, 1.0)
