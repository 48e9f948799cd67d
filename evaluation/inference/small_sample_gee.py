"""Robust variances of estimating equations that stay honest with few clusters, and their degrees of freedom.

In the whitened rows x~, e~ of `estimating`, with M = (sum x~ x~')^-1, S_g = sum_g x~ x~' and s_g = sum_g x~ e~
(each k by k or k, so nothing of the size of a cluster is made), the influence of cluster g on b is M F_g s_g and
V = sum_g of its square:

    CR0   F = I                                      Liang & Zeger
    CR1   CR0 times G / (G - 1)
    CR2   residuals times (I - H_gg)^{-1/2}          Kauermann & Carroll; Bell & McCaffrey
    CR3   residuals times (I - H_gg)^{-1}            Mancl & DeRouen
    FG    F = diag(1 - min(3/4, (S_g M)_jj))^{-1/2}  Fay & Graubard

H_gg = x~_g M x~_g' has the eigenvalues of T_g = L'S_g L, M = LL', whence M F_g = L V (1 - lambda)^{-p} V'L' with T_g = V
lambda V' and p = 1/2 or 1. With single rows for clusters these are HC0, HC1, HC2 and HC3. Satterthwaite's
degrees of freedom for c'b are (tr W)^2 / tr(W^2), W_gh the covariance of the influences under the working model:

    W_gh = [g = h] q'V lambda (1-lambda)^{-2p} V'q - h_g'h_h,    h_g = V lambda (1-lambda)^{-p} V'q,    q = L'c

References: Liang & Zeger (1986); Kauermann & Carroll (2001), JASA 96, 1387-1396; Mancl & DeRouen (2001), Biometrics 57,
126-134; Fay & Graubard (2001), Biometrics 57, 1198-1206; Bell & McCaffrey (2002), Survey Methodology 28, 169-181;
Pustejovsky & Tipton (2018), JBES 36, 672-683, eqs. 10-13.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.inference.estimating import Equations, segment_sum

Floats = NDArray[np.float64]
Correction = Literal["CR0", "CR1", "CR2", "CR3", "FG"]
# A cluster whose own column the fit reproduces exactly (lambda = 1) says nothing about it.
SATURATED = 1 - 1e-8


def robust(fitted: Equations, contrast: Floats, correction: Correction) -> tuple[Floats, Floats]:
    """(variance of c'b, Satterthwaite degrees of freedom), each (...); `contrast` is (..., k)."""
    if len(fitted.starts) == fitted.rows.shape[-2] and correction != "FG":
        return _robust_of_rows(fitted, contrast, correction)
    products = _cluster_products(fitted)
    score = segment_sum(fitted.rows * fitted.residual[..., None], fitted.starts, -2)
    return robust_from_sums(products, score, fitted.bread, contrast, correction)


def robust_from_sums(
    products: Floats, score: Floats, bread: Floats, contrast: Floats, correction: Correction
) -> tuple[Floats, Floats]:
    """The same from S_g (..., G, k, k), s_g (..., G, k) and M (..., k, k): for any score that sums over clusters."""
    root = _root(bread)
    turned = np.swapaxes(root, -1, -2)[..., None, :, :] @ products @ root[..., None, :, :]
    value, vector = np.linalg.eigh((turned + np.swapaxes(turned, -1, -2)) / 2)
    value = np.clip(value, 0.0, 1.0)
    factor = _factor(value, correction)
    q = np.broadcast_to((np.swapaxes(root, -1, -2) @ contrast[..., None])[..., 0], bread.shape[:-1])
    seen = (np.swapaxes(vector, -1, -2) @ q[..., None, :, None])[..., 0]
    if correction == "FG":
        share = np.minimum(0.75, np.diagonal(products @ bread[..., None, :, :], axis1=-2, axis2=-1))
        direction = (bread @ contrast[..., None])[..., 0]
        influence = (direction[..., None, :] / np.sqrt(1 - share) * score).sum(axis=-1)
    else:
        turned_score = np.swapaxes(vector, -1, -2) @ (
            np.swapaxes(root, -1, -2)[..., None, :, :] @ score[..., None]
        )
        influence = (seen * factor * turned_score[..., 0]).sum(axis=-1)
    own = (seen**2 * value * factor**2).sum(axis=-1)
    shared = (vector @ (value * factor * seen)[..., None])[..., 0]
    return _variance(influence, correction), _satterthwaite(own, shared)


def between_within(x: Floats, starts: NDArray[np.int64]) -> int:
    """Clusters less the columns of x (n, k) that do not vary within any: Schluchter & Elashoff's (1990) count."""
    first = x[starts]
    sizes = np.diff(np.append(starts, len(x)))
    constant = np.isclose(x, np.repeat(first, sizes, axis=0)).all(axis=0)
    return int(len(starts) - constant.sum())


def _robust_of_rows(fitted: Equations, contrast: Floats, correction: Correction) -> tuple[Floats, Floats]:
    """The same where every row is a cluster: one eigenvalue each, its leverage."""
    reach = (fitted.rows @ (fitted.bread @ contrast[..., None]))[..., 0]
    turned = fitted.rows @ _root(fitted.bread)
    leverage = np.clip((turned**2).sum(axis=-1), 0.0, 1.0)
    factor = _factor(leverage, correction)
    influence = reach * fitted.residual * factor
    shared = turned * (reach * factor)[..., None]
    return _variance(influence, correction), _satterthwaite((reach * factor) ** 2, shared)


def _factor(value: Floats, correction: Correction) -> Floats:
    power = {"CR0": 0.0, "CR1": 0.0, "CR2": 0.5, "CR3": 1.0, "FG": 0.0}[correction]
    return np.where(value < SATURATED, (1 - np.minimum(value, SATURATED)) ** -power, 0.0)


def _variance(influence: Floats, correction: Correction) -> Floats:
    clusters = influence.shape[-1]
    return np.asarray(
        (influence**2).sum(axis=-1) * (clusters / (clusters - 1) if correction == "CR1" else 1.0)
    )


def _satterthwaite(own: Floats, shared: Floats) -> Floats:
    """(tr W)^2 / tr(W^2) for W = diag(own) - shared shared', own (..., G) and shared (..., G, k)."""
    square = (shared**2).sum(axis=-1)
    overlap = np.swapaxes(shared, -1, -2) @ shared
    trace = own.sum(axis=-1) - square.sum(axis=-1)
    total = (own**2).sum(axis=-1) - 2 * (own * square).sum(axis=-1) + (overlap**2).sum(axis=(-2, -1))
    return np.asarray(trace**2 / np.maximum(total, 1e-300))


def _cluster_products(fitted: Equations) -> Floats:
    """S_g, (..., G, k, k), a column at a time so that memory stays at the size of the rows."""
    k = fitted.rows.shape[-1]
    columns = [segment_sum(fitted.rows * fitted.rows[..., j : j + 1], fitted.starts, -2) for j in range(k)]
    return np.stack(columns, axis=-1)


def _root(bread: Floats) -> Floats:
    """L with LL' = bread, by eigenvectors, so that a singular bread does no harm."""
    value, vector = np.linalg.eigh(bread)
    return np.asarray(vector * np.sqrt(np.maximum(value, 0.0))[..., None, :])
