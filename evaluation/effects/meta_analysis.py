"""Random-effects meta-analysis: estimates that differ between sites, and by how much.

    y_j ~ N(theta_j, v_j),   theta_j ~ N(mu, tau^2),   w_j = 1 / (v_j + tau^2),   mu = sum w y / sum w

tau^2 by restricted maximum likelihood (REML), DerSimonian & Laird's moments (DL) or fixed at 0 (EE). The variance of mu
is 1 / sum w with normal quantiles, or Knapp & Hartung's sum w (y - mu)^2 / ((J - 1) sum w) with t on J - 1, which
holds its level with few sites. The prediction interval, for the effect in a new site, is mu +- q sqrt(tau^2 + V(mu)) with
the same q. tau^2's own interval inverts Q (Q-profile).

References: DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188; Viechtbauer (2005), JEBS 30, 261-293; Knapp & Hartung
(2003), Statistics in Medicine 22, 2693-2710; Higgins, Thompson & Spiegelhalter (2009), JRSS A 172, 137-159; Viechtbauer (2007),
Statistics in Medicine 26, 37-52 (Q-profile); Higgins & Thompson (2002) (I^2). Checked against metafor 3.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2, norm, t

from data_contracts.refusal import Refusal

Floats = NDArray[np.float64]


class MetaAnalysisRefused(Refusal):
    """Estimates that cannot be pooled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """On the scale of the estimates given. `i_squared` is a percentage; `df` None for normal quantiles."""

    estimate: float
    standard_error: float
    low: float
    high: float
    p_value: float
    df: float | None
    tau_squared: float
    tau_squared_low: float
    tau_squared_high: float
    i_squared: float
    q: float
    q_p_value: float
    prediction_low: float
    prediction_high: float
    weights: tuple[float, ...]


def pool(
    estimates: Floats,
    variances: Floats,
    *,
    method: Literal["REML", "DL", "EE"],
    interval: Literal["knapp_hartung", "normal"],
    level: float,
) -> Pooled:
    """Pool (J,) estimates with (J,) known variances, J of two or more."""
    y, v = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    if len(y) < 2 or np.any(np.logical_not(v > 0)) or not np.isfinite(y).all():
        raise MetaAnalysisRefused(
            where="variances",
            found=f"{len(y)} estimates, {int(np.count_nonzero(np.logical_not(v > 0)))} without a variance above zero",
            expected="at least two estimates, each with a variance",
            remedy="Leave out sites in which nobody, or everybody, had the outcome, and say how many.",
        )
    tau2 = _reml(y, v) if method == "REML" else _dersimonian_laird(y, v) if method == "DL" else 0.0
    w = 1 / (v + tau2)
    mu = float(w @ y / w.sum())
    variance = float(1 / w.sum())
    df: float | None = None
    quantile = float(norm.ppf(0.5 + level / 2))
    if interval == "knapp_hartung":
        df = float(len(y) - 1)
        variance = float(w @ (y - mu) ** 2 / (df * w.sum()))
        quantile = float(t.ppf(0.5 + level / 2, df))
    error = float(np.sqrt(variance))
    fixed = 1 / v
    q = float(fixed @ (y - fixed @ y / fixed.sum()) ** 2)
    typical = (len(y) - 1) * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
    reach = quantile * float(np.sqrt(tau2 + variance))
    low_tau, high_tau = _q_profile(y, v, level)
    law = norm if df is None else t(df)
    return Pooled(
        estimate=mu,
        standard_error=error,
        low=mu - quantile * error,
        high=mu + quantile * error,
        p_value=float(2 * law.sf(abs(mu) / error)),
        df=df,
        tau_squared=tau2,
        tau_squared_low=low_tau,
        tau_squared_high=high_tau,
        i_squared=float(100 * tau2 / (tau2 + typical)),
        q=q,
        q_p_value=float(chi2.sf(q, len(y) - 1)),
        prediction_low=mu - reach,
        prediction_high=mu + reach,
        weights=tuple(float(share) for share in w / w.sum()),
    )


def _dersimonian_laird(y: Floats, v: Floats) -> float:
    w = 1 / v
    q = float(w @ (y - w @ y / w.sum()) ** 2)
    return max(0.0, (q - (len(y) - 1)) / float(w.sum() - (w**2).sum() / w.sum()))


def _reml(y: Floats, v: Floats) -> float:
    """The root of the restricted score in tau^2, or zero where the score is below zero there."""

    def score(tau2: float) -> float:
        w = 1 / (v + tau2)
        residual = y - w @ y / w.sum()
        return float((w**2) @ residual**2 - w.sum() + (w**2).sum() / w.sum())

    top = 10 * float(np.var(y, ddof=1) + v.max())
    if score(0.0) <= 0:
        return 0.0
    return float(brentq(score, 0.0, top, xtol=1e-15, rtol=1e-13))


def _q_profile(y: Floats, v: Floats, level: float) -> tuple[float, float]:
    def gap(tau2: float, target: float) -> float:
        w = 1 / (v + tau2)
        return float(w @ (y - w @ y / w.sum()) ** 2) - target

    top = 1000 * float(np.var(y, ddof=1) + v.max())
    ends = []
    for share in (0.5 + level / 2, 0.5 - level / 2):
        target = float(chi2.ppf(share, len(y) - 1))
        if gap(0.0, target) <= 0:
            ends.append(0.0)
        else:
            ends.append(
                float(brentq(gap, 0.0, top, args=(target,), xtol=1e-12)) if gap(top, target) < 0 else top
            )
    return ends[0], ends[1]
