"""Two arms, a binary outcome, and a prior on the log odds ratio: the model behind `bayes_binary`.

    y_0 ~ Binomial(n_0, p_0)          p_0 ~ Beta(alpha, beta)
    y_1 ~ Binomial(n_1, p_1)          logit p_1 = logit p_0 + theta,   theta ~ Normal(mean, sd)

Sampled on the two logits, which the data make nearly independent and which have no wall to hit; a
Beta(alpha, beta) proportion has log density alpha x - (alpha + beta) log(1 + e^x) in its logit x, up
to a constant, and theta is their difference (the change of variables has Jacobian 1). The numbers of
the priors are data of the compiled model, which is therefore compiled once.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import nutpie
import pymc as pm


@cache
def compiled_model() -> Any:
    """The model, compiled; its data are `events`, `people`, `alpha`, `beta`, `mean` and `sd`."""
    with pm.Model() as model:
        events = pm.Data("events", np.array([1, 1]))
        people = pm.Data("people", np.array([2, 2]))
        alpha, beta = pm.Data("alpha", 1.0), pm.Data("beta", 1.0)
        mean, sd = pm.Data("mean", 0.0), pm.Data("sd", 1.0)
        reference = pm.Flat("logit_reference_risk", initval=0.0)
        treated = pm.Flat("logit_treated_risk", initval=0.0)
        pm.Potential("reference_risk_prior", alpha * reference - (alpha + beta) * pm.math.log1pexp(reference))
        pm.Potential("log_odds_ratio_prior", pm.logp(pm.Normal.dist(mean, sd), treated - reference))
        pm.Binomial("outcome", n=people, logit_p=pm.math.stack([reference, treated]), observed=events)
    return nutpie.compile_pymc_model(model, backend="numba")
