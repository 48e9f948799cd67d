"""Logistic regression that has an answer under separation: Firth's penalised likelihood.

The score is penalised by Jeffreys' prior, so that each outcome counts as y_i + h_i (1/2 - p_i) with h_i the leverage,
and estimates stay finite when an arm or a covariate separates events from non-events.

References: Firth (1993), Biometrika 80, 27-38; Heinze & Schemper (2002), Statistics in Medicine 21, 2409-2419.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from evaluation.estimate import EstimatorRefused
from evaluation.inference.estimating import Equations

Floats = NDArray[np.float64]


def solve_firth(
    y: Floats, x: Floats, *, starts: NDArray[np.int64], weight: Floats | None = None
) -> Equations:
    """One trial: y (n,) of 0 and 1, x (n, k). The residuals are the penalised ones, which sum to zero in x."""
    w = np.ones_like(y) if weight is None else weight
    b = np.zeros(x.shape[1])
    for _ in range(500):
        p = expit(x @ b)
        root = np.sqrt(np.maximum(w * p * (1 - p), 1e-300))
        rows = x * root[:, None]
        bread = np.linalg.inv(rows.T @ rows)
        leverage = np.einsum("ij,jk,ik->i", rows, bread, rows)
        residual = (w * (y - p) + leverage * (0.5 - p)) / root
        move = bread @ (rows.T @ residual)
        b = b + move * min(1.0, 2.0 / max(float(np.abs(x @ move).max()), 1e-300))
        if np.abs(move).max() < 1e-11 * max(1.0, float(np.abs(b).max())):
            return Equations(
                coefficient=b,
                mean=p,
                rows=rows,
                residual=residual,
                bread=bread,
                dispersion=np.asarray((residual**2).sum() / (len(y) - x.shape[1])),
                correlation=np.asarray(0.0),
                shape=0.0,
                solved=np.asarray(True),
                starts=starts,
            )
    raise EstimatorRefused(
        where="covariates",
        found="a penalised likelihood without a maximum in reach",
        expected="covariates on comparable scales",
        remedy="Rescale or remove covariates with extreme values.",
    )
