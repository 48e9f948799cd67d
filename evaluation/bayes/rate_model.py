"""Two arms, counts with time at risk, and a prior on the log rate ratio: the model behind `bayes_rate`.

    y_i ~ Poisson(e_i lambda_k exp(x_i' gamma))                     or, over-dispersed,
    y_i ~ NegativeBinomial(the same mean m_i, variance m_i + delta m_i^2),   delta ~ Exponential(its mean)

    log lambda_0 ~ Normal,   theta = log lambda_1 - log lambda_0 ~ Normal,   gamma_j ~ Normal

Sampled on the two log rates, which the data make nearly independent; x are columns in standard
deviations about their means. The numbers of the priors are data of the compiled model.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import nutpie
import pymc as pm


@cache
def compiled_model(overdispersed: bool, columns: int) -> Any:
    """The model, compiled once for each likelihood and number of covariate columns."""
    with pm.Model() as model:
        count, arm = pm.Data("count", np.array([1, 2])), pm.Data("arm", np.array([0, 1]))
        log_exposure = pm.Data("log_exposure", np.zeros(2))
        rate, ratio = pm.Data("rate", np.array([0.0, 1.0])), pm.Data("ratio", np.array([0.0, 1.0]))
        logs = pm.Flat("log_rates", shape=2, initval=np.zeros(2))
        pm.Potential("rate_prior", pm.logp(pm.Normal.dist(rate[0], rate[1]), logs[0]))
        pm.Potential("ratio_prior", pm.logp(pm.Normal.dist(ratio[0], ratio[1]), logs[1] - logs[0]))
        centre = log_exposure + logs[arm]
        if columns:
            x, slope = pm.Data("x", np.zeros((2, columns))), pm.Data("slope", np.array([0.0, 1.0]))
            gamma = pm.Normal("slopes", slope[0], slope[1], shape=columns)
            centre = centre + pm.math.dot(x, gamma)
        if overdispersed:
            mean_dispersion = pm.Data("mean_dispersion", 1.0)
            dispersion = pm.Exponential("dispersion", 1 / mean_dispersion)
            pm.NegativeBinomial("outcome", mu=pm.math.exp(centre), alpha=1 / dispersion, observed=count)
        else:
            pm.Poisson("outcome", mu=pm.math.exp(centre), observed=count)
    return nutpie.compile_pymc_model(model, backend="numba")
