"""How much error may be spent by each fraction of the information.

    O'Brien-Fleming type    2 - 2 Phi(z_{a/2} / sqrt(t))
    Pocock type             a log(1 + (e - 1) t)
    Hwang-Shih-DeCani       a (1 - exp(-g t)) / (1 - exp(-g)),  a t where g = 0
    power (Kim-DeMets)      a t^r

for t in (0, 1], with a the whole error of one side. Looks may come at any fraction, and need not be
those planned, as long as when to look is not decided by what the last look showed.

Reference: Lan & DeMets (1983), Biometrika 70, 659-663; Hwang, Shih & DeCani (1990), Statistics in
Medicine 9, 1439-1445; Kim & DeMets (1987), Biometrika 74, 149-154.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from experiments.monitoring.crossing import Vector
from experiments.monitoring.declared import Spending, check_shape

Floats = NDArray[np.float64]


def spent(rule: Spending, error: float, shape: float | None, fractions: Vector) -> Floats:
    """(looks,) error of one side spent by each fraction; beyond the planned information, all of it."""
    t = np.minimum(np.asarray(fractions, dtype=np.float64), 1.0)
    match rule:
        case "lan_demets_obrien_fleming":
            return np.asarray(2 * ndtr(ndtri(error / 2) / np.sqrt(t)))
        case "lan_demets_pocock":
            return np.asarray(error * np.log1p((np.e - 1) * t))
        case "hwang_shih_decani":
            gamma = check_shape(rule, shape)
            return error * t if gamma == 0 else np.asarray(error * np.expm1(-gamma * t) / np.expm1(-gamma))
        case "power":
            return np.asarray(error * t ** check_shape(rule, shape))
