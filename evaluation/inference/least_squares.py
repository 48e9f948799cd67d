"""Weighted least squares with one absorbed factor, in coordinates in which the design is orthonormal.

For a design X (n, k), weights w and the levels of an absorbed factor T, columns of X are centred
within levels (weighted means) and factorised, sqrt(w) X = Q R. Then X~ = X R^-1 satisfies
X~'W X~ = I and X~'W T = 0, so that

    beta = R^-1 X~'W y          (X'WX)^-1 = R^-1 R^-T          leverage_i = w_i |x~_i|^2 + w_i / W_level(i)

and nothing of size n by n, nor a column per level, is ever formed (Frisch & Waugh 1933; Lovell 1963).
Several factors: absorb the one with most levels and give the others as indicator columns.

A column that is a linear combination of those to its left (and of the absorbed levels) is left out
and named; rows of weight zero take no part. Coefficients of kept columns are identified, those of
the columns left out are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from data_contracts.refusal import Refusal
from evaluation.inference.factor_codes import factor_codes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# A column whose part orthogonal to those before it is smaller than this share of its length is
# taken as collinear: QR leaves about 1e-15 * sqrt(n) of rounding, and true designs rarely go below 1e-7.
COLLINEAR = 1e-9


class NotEstimable(Refusal):
    """A regression that these rows cannot identify."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projection:
    """The column space of a design.

    `rows` is X~ (n, k); `root` is R^-1 (k, k), so beta = root @ (X~'W y); `kept` and `dropped` are
    columns of the design as given; `weight` is (n,) or None; `level` (n,) codes 0..L-1 of the absorbed
    factor or None, with `level_weight` (L,) the sum of weights in each. `used` marks the rows, of those
    given, that have weight: every other array here holds those rows alone.
    """

    rows: Floats
    root: Floats
    kept: tuple[int, ...]
    dropped: tuple[int, ...]
    weight: Floats | None
    level: Ints | None
    level_weight: Floats | None
    used: Bools

    @property
    def parameters(self) -> int:
        """Coefficients fitted, absorbed levels included."""
        return len(self.kept) + (0 if self.level_weight is None else len(self.level_weight))

    @property
    def residual_df(self) -> int:
        """Rows less parameters."""
        return len(self.rows) - self.parameters

    def weighted(self, values: Floats) -> Floats:
        """`values`, (n,) or (n, j), times the weights."""
        if self.weight is None:
            return values
        return values * (self.weight if values.ndim == 1 else self.weight[:, None])

    def leverage(self) -> Floats:
        """(n,) diagonal of the hat matrix, absorbed levels included."""
        leverage = np.einsum("ij,ij->i", self.rows, self.rows)
        if self.level is not None and self.level_weight is not None:
            leverage = leverage + 1 / self.level_weight[self.level]
        return self.weighted(leverage)

    def position(self, column: int) -> int:
        """Where a column of the design as given stands among those kept; refuses one left out."""
        if column not in self.kept:
            raise NotEstimable(
                where="design",
                found=f"column {column + 1} of the regression is a combination of the others",
                expected="a column that varies when the others are held still",
                remedy="Remove the covariate or the factor that repeats it.",
            )
        return self.kept.index(column)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """`coefficients` (k,) of the kept columns; `residuals` (n,), of the rows with weight."""

    projection: Projection
    coefficients: Floats
    residuals: Floats

    @property
    def classical(self) -> Floats:
        """(k, k) covariance s^2 (X'WX)^-1 with s^2 = sum w e^2 / (n - parameters)."""
        p = self.projection
        s2 = float(self.residuals @ p.weighted(self.residuals)) / p.residual_df
        covariance: Floats = s2 * p.root @ p.root.T
        return covariance


def project(design: Floats, *, weight: Floats | None = None, absorb: Ints | None = None) -> Projection:
    """The column space of `design` (n, k), with weights (n,) of at least zero and a factor to absorb."""
    used = np.ones(len(design), dtype=bool)
    if weight is not None:
        if not np.all(np.isfinite(weight)) or np.any(weight < 0):
            raise NotEstimable(
                where="weight",
                found=f"{int(np.count_nonzero(~(weight >= 0)))} negative or missing weights",
                expected="weights of zero or more",
                remedy="Check how the weights were made.",
            )
        used = weight > 0
    rows = design if used.all() else design[used]
    w = None if weight is None else weight[used]
    level = level_weight = None
    if absorb is not None:
        level, levels = factor_codes(absorb if used.all() else absorb[used])
        level_weight = np.bincount(level, weights=w, minlength=levels).astype(np.float64)
    centred = rows if level is None or level_weight is None else within(rows, level, level_weight, w)
    root_weight = None if w is None else np.sqrt(w)
    kept, q, r = _orthonormal(centred if root_weight is None else centred * root_weight[:, None], rows, w)
    if len(rows) <= len(kept) + (0 if level_weight is None else len(level_weight)):
        raise NotEstimable(
            where="design",
            found=f"{len(rows)} rows with weight for {len(kept)} columns"
            + ("" if level_weight is None else f" and {len(level_weight)} absorbed levels"),
            expected="more rows than parameters",
            remedy="Use fewer covariates or a coarser factor.",
        )
    return Projection(
        rows=q if root_weight is None else q / root_weight[:, None],
        root=solve_triangular(r, np.eye(len(kept))),
        kept=tuple(kept),
        dropped=tuple(j for j in range(design.shape[1]) if j not in kept),
        weight=w,
        level=level,
        level_weight=level_weight,
        used=used,
    )


def fit(outcome: Floats, projection: Projection) -> Fit:
    """Least squares of `outcome` (n,), all rows as given to `project`, on a projected design."""
    p = projection
    y = outcome if p.used.all() else outcome[p.used]
    if p.level is not None and p.level_weight is not None:
        y = within(y[:, None], p.level, p.level_weight, p.weight)[:, 0]
    inner = p.rows.T @ p.weighted(y)
    return Fit(projection=p, coefficients=p.root @ inner, residuals=y - p.rows @ inner)


def within(rows: Floats, level: Ints, level_weight: Floats, weight: Floats | None) -> Floats:
    """(n, k) deviations from the weighted means of each level."""
    centred = np.empty_like(rows, dtype=np.float64)
    for j in range(rows.shape[1]):
        column = rows[:, j]
        total = np.bincount(level, weights=column if weight is None else column * weight)
        centred[:, j] = column - (total / level_weight)[level]
    return centred


def indicators(codes: Ints, *, reference: int | None = None) -> tuple[Floats, Sequence[int]]:
    """(n, levels) 0/1 columns of a factor, with its levels; `reference` leaves one level out."""
    levels = [int(code) for code in np.unique(codes) if int(code) != reference]
    return (codes[:, None] == np.array(levels, dtype=np.int64)[None, :]).astype(np.float64), levels


def _orthonormal(scaled: Floats, rows: Floats, weight: Floats | None) -> tuple[list[int], Floats, Floats]:
    """Kept columns and the QR factors of `scaled`; lengths are judged against the uncentred columns."""
    length = np.sqrt(np.einsum("ij,ij,i->j", rows, rows, np.ones(len(rows)) if weight is None else weight))
    kept = list(range(scaled.shape[1]))
    if scaled.shape[0] >= scaled.shape[1]:
        q, r = np.linalg.qr(scaled)
        if np.all(np.abs(np.diag(r)) > COLLINEAR * length):
            return kept, q, r
    kept = []
    basis = np.empty((scaled.shape[0], 0))
    for j in range(scaled.shape[1]):
        column = scaled[:, j]
        for _ in range(2):  # a second pass removes what rounding left of the first
            column = column - basis @ (basis.T @ column)
        size = float(np.linalg.norm(column))
        if size > COLLINEAR * length[j]:
            kept.append(j)
            basis = np.column_stack([basis, column / size])
    q, r = np.linalg.qr(scaled[:, kept])
    return kept, q, r
