"""CR2 and Satterthwaite's df of a difference in means, from cluster totals, for many draws at once.

For two arms of clusters without covariates the general formulas of `cluster_robust` reduce to sums over
clusters. With N_a people in arm a, q_g = n_g / N_a and E_g = T_g - n_g ybar_a the total residual,

    tau = T_1 / N_1 - T_0 / N_0
    V   = sum_g E_g^2 / [N_a^2 (1 - q_g)]                                           (CR2)
    df  = [sum_g (d_g - b_g^2 / N_a)]^2 / sum_a [sum d_g^2 - 2 sum d_g b_g^2 / N_a + (sum b_g^2 / N_a)^2]
          with d_g = n_g / [N_a^2 (1 - q_g)] and b_g = n_g / [N_a (1 - q_g)^(1/2)].

Each row of the arrays is a draw with totals, sizes and arms of its own, so that thousands of simulated
or re-drawn trials cost a few array operations.

Reference: Bell & McCaffrey (2002), Survey Methodology 28, 169-181; Imbens & Kolesar (2016), Review of
Economics and Statistics 98, 701-712, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from evaluation.inference.least_squares import Bools, Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Differences:
    """One value for each draw: (draws,) tau, V and df."""

    value: Floats
    variance: Floats
    df: Floats

    def covers(self, truth: float | Floats, level: float) -> Bools:
        """(draws,) whether tau -/+ t * sqrt(V) holds the truth."""
        reach = student.ppf(0.5 + level / 2, self.df) * np.sqrt(self.variance)
        return np.asarray(np.abs(self.value - truth) <= reach)


def differences(totals: Floats, sizes: Floats, treated: Bools) -> Differences:
    """`totals`, `sizes` and `treated` are (draws, clusters); two clusters or more in each arm of each."""
    value = np.zeros(len(totals))
    variance, trace, square = np.zeros_like(value), np.zeros_like(value), np.zeros_like(value)
    for sign, arm in ((1.0, treated), (-1.0, ~treated)):
        n = np.where(arm, sizes, 0.0)
        people = n.sum(axis=1, keepdims=True)
        mean = np.where(arm, totals, 0.0).sum(axis=1, keepdims=True) / people
        slack = 1 - n / people
        residual = np.where(arm, totals - sizes * mean, 0.0)
        value += sign * mean[:, 0]
        variance += np.sum(residual**2 / slack, axis=1) / people[:, 0] ** 2
        d = n / (people**2 * slack)
        bb = n**2 / (people**3 * slack)
        trace += np.sum(d - bb, axis=1)
        square += np.sum(d**2 - 2 * d * bb, axis=1) + np.sum(bb, axis=1) ** 2
    return Differences(value=value, variance=variance, df=trace**2 / square)
