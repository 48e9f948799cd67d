"""Risks averaged over the people in the trial, and their difference or ratio with its gradient.

    p_a = mean over people of expit(x_i(a) b),  x_i(a) the row of person i with the arm set to a
    dp_a / db = mean over people of p (1 - p) x_i(a)

Reference: Ge, Durham, Meyer, Xie & Thomas (2011), Drug Information Journal 45, 481-493.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from evaluation.inference.arm_model import ArmModel

Floats = NDArray[np.float64]


def effect(
    scale: str, one: float, zero: float, slope_one: Floats, slope_zero: Floats
) -> tuple[float, Floats]:
    """(value, gradient in the coefficients): of the difference, or of the log of the ratio."""
    if scale == "risk_difference":
        return one - zero, slope_one - slope_zero
    if scale == "risk_ratio":
        return one / zero, slope_one / one - slope_zero / zero
    value = float(np.exp(logit(one) - logit(zero)))
    return value, slope_one / (one * (1 - one)) - slope_zero / (zero * (1 - zero))


def effects(scale: str, one: Floats, zero: Floats) -> Floats:
    """The values of `effect`, for (R,) risks."""
    if scale == "risk_difference":
        return one - zero
    if scale == "risk_ratio":
        return one / zero
    return np.asarray(one / (1 - one) / (zero / (1 - zero)))


def standardise(model: ArmModel, arm: float) -> tuple[float, Floats]:
    """(risk with everybody in `arm`, its gradient in the coefficients), for a logistic model."""
    columns = model.columns.copy()
    columns[:, 1] = arm
    p = expit(columns @ model.equations.coefficient)
    weight = np.ones(len(p)) if model.weight is None else model.weight
    weight = weight / weight.sum()
    return float(weight @ p), np.asarray((weight * p * (1 - p)) @ columns)
