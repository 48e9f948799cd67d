"""Intervals and p-values of estimates that are about normal, or about t with few clusters."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, t

from evaluation.estimate import Interval


def wald(
    value: float, standard_error: float, *, level: float, df: float | None, ratio: bool
) -> tuple[Interval, float]:
    """(interval, two-sided p-value of no effect) of value +- q * standard_error.

    q is the normal quantile where `df` is None, else Student's. For a ratio, `value` and the interval's ends
    are ratios, `standard_error` is of the log and no effect is 1.
    """
    centre = float(np.log(value)) if ratio else value
    law = norm if df is None else t(df)
    reach = float(law.ppf(0.5 + level / 2)) * standard_error
    p = float(2 * law.sf(abs(centre) / standard_error)) if standard_error > 0 else float(centre == 0)
    low, high = centre - reach, centre + reach
    if ratio:
        low, high = float(np.exp(low)), float(np.exp(high))
    return Interval(low=low, high=high, level=level, kind="confidence"), p
