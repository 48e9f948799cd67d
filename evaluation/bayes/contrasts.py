"""Effects from draws of two risks."""

from __future__ import annotations

import numpy as np

from evaluation.sample import Floats


def risk_contrast(p0: Floats, p1: Floats, log_odds_ratio: Floats, scale: str) -> Floats:
    """The effect on `scale` (risk_difference, risk_ratio or odds_ratio), treated against reference."""
    if scale == "risk_difference":
        return np.asarray(p1 - p0)
    if scale == "risk_ratio":
        return np.asarray(p1 / p0)
    return np.asarray(np.exp(log_odds_ratio))
