"""Events in clusters: the model behind `bayes_clustered_binary`.

    y_c ~ Binomial(n_c, p_c),   p_c ~ Beta(mu_k phi, (1 - mu_k) phi),   phi = (1 - rho) / rho

so that the risk of a person in arm k, over clusters like these, is mu_k, and rho is the intracluster
correlation of the outcome, the same in both arms. The clusters' own risks are integrated out (a
beta-binomial). mu_0 ~ Beta, logit mu_1 - logit mu_0 ~ Normal, rho ~ Beta.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import nutpie
import pymc as pm


@cache
def compiled_model() -> Any:
    """The model, compiled once: the numbers of the priors and the clusters are its data."""
    with pm.Model() as model:
        events, people = pm.Data("events", np.array([1, 1])), pm.Data("people", np.array([2, 2]))
        arm = pm.Data("arm", np.array([0, 1]))
        risk, effect = pm.Data("risk", np.array([1.0, 1.0])), pm.Data("effect", np.array([0.0, 1.0]))
        correlation = pm.Data("correlation", np.array([1.0, 9.0]))
        logits = pm.Flat("logit_risks", shape=2, initval=np.zeros(2))
        pm.Potential("risk_prior", risk[0] * logits[0] - (risk[0] + risk[1]) * pm.math.log1pexp(logits[0]))
        pm.Potential("effect_prior", pm.logp(pm.Normal.dist(effect[0], effect[1]), logits[1] - logits[0]))
        icc = pm.Beta("icc", correlation[0], correlation[1])
        mu = pm.math.invlogit(logits)[arm]
        phi = (1 - icc) / icc
        pm.BetaBinomial("outcome", alpha=mu * phi, beta=(1 - mu) * phi, n=people, observed=events)
    return nutpie.compile_pymc_model(model, backend="numba")
