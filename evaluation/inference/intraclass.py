"""How alike people of one cluster are: the intraclass correlation, on the scale that the study declares.

With tau2 the variance of random intercepts on the link's scale and m the linear predictor at its average:

    mean, either scale       tau2 / (tau2 + sigma2)
    binary, latent           tau2 / (tau2 + pi^2 / 3)
    binary, response         Var(p_u) / (pbar (1 - pbar)),   p_u = expit(m + tau u)
    count, latent            tau2 / (tau2 + log(1 + 1/mu + alpha))
    count, response          mu^2 (e^tau2 - 1) / (mu^2 (e^tau2 - 1) + mu + alpha mu^2 e^tau2),  mu = exp(m + tau2 / 2)

For counts mu is at the average exposure, and sqrt(e^tau2 - 1) is the coefficient of variation between clusters' rates.

References: Eldridge, Ukoumunne & Carlin (2009), International Statistical Review 77, 378-394; Goldstein, Browne & Rasbash (2002),
Understanding Statistics 1, 223-231; Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14, 20170213; Hayes & Moulton
(2017), section 2.3.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import expit

IccScale = Literal["response", "latent"]


def icc_binary(tau2: float, centre: float, scale: IccScale) -> float:
    """Of a yes-or-no outcome; `centre` is the average linear predictor."""
    if scale == "latent":
        return tau2 / (tau2 + np.pi**2 / 3)
    point, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()
    p = expit(centre + np.sqrt(tau2) * point)
    mean = float(weight @ p)
    return float(weight @ (p - mean) ** 2) / (mean * (1 - mean))


def icc_count(tau2: float, centre: float, alpha: float, scale: IccScale) -> float:
    """Of a count; `centre` is the average linear predictor with its offset, `alpha` the overdispersion within clusters."""
    mu = float(np.exp(centre + tau2 / 2))
    if scale == "latent":
        return tau2 / (tau2 + float(np.log1p(1 / mu + alpha)))
    between = mu**2 * float(np.expm1(tau2))
    return between / (between + mu + alpha * mu**2 * float(np.exp(tau2)))
