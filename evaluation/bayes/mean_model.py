"""Means of people, in clusters or not: the model behind `bayes_mean` and `bayes_clustered_mean`.

    y_i = mu_k + x_i' gamma + u_c + e_i,    u_c ~ N(0, rho s^2),    e_i ~ N(0, (1 - rho) s^2)

The clusters' effects are integrated out. With r_i the residual from the means, r_c its sum in cluster c
of n_c people, sigma^2 = (1 - rho) s^2 and tau^2 = rho s^2, the log likelihood is, up to a constant,

    - (N - C) log sigma - sum_c log(sigma^2 + n_c tau^2) / 2
    - (sum r_i^2 - sum r_c^2 / n_c) / (2 sigma^2) - sum r_c^2 / (2 n_c (sigma^2 + n_c tau^2))

which needs the people only through a cross-product matrix and the clusters' sums: its cost does not
grow with the trial. Without clusters rho is 0 and each person is a cluster of one.

Reference: Searle, Casella & McCulloch (1992), Variance Components, 3.4 and 6.8.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import nutpie
import pymc as pm


@cache
def compiled_model(clustered: bool, columns: int) -> Any:
    """The model, compiled once for each number of covariate columns.

    Data: `cross` (2 + k + 1, 2 + k + 1) of [arm 0, arm 1, x, y]; where clustered, `sums` (C, 2 + k + 1)
    and `sizes` (C,); `people`; and (mean, sd) pairs of the priors, `spread` and `correlation`.
    """
    k = 2 + columns
    with pm.Model() as model:
        cross, people = pm.Data("cross", np.eye(k + 1)), pm.Data("people", 3.0)
        reference = pm.Data("reference", np.array([0.0, 1.0]))
        difference = pm.Data("difference", np.array([0.0, 1.0]))
        spread = pm.Data("spread", 1.0)
        means = pm.Flat("means", shape=2, initval=np.zeros(2))
        pm.Potential("reference_prior", pm.logp(pm.Normal.dist(reference[0], reference[1]), means[0]))
        pm.Potential(
            "difference_prior", pm.logp(pm.Normal.dist(difference[0], difference[1]), means[1] - means[0])
        )
        terms = [means]
        if columns:
            slope = pm.Data("slope", np.array([0.0, 1.0]))
            terms.append(pm.Normal("slopes", slope[0], slope[1], shape=columns))
        sd = pm.HalfNormal("sd", spread, initval=1.0)
        contrast = pm.math.concatenate([*[-t for t in terms], np.ones(1)])
        squares = pm.math.dot(contrast, pm.math.dot(cross, contrast))
        if clustered:
            sums, sizes = pm.Data("sums", np.ones((2, k + 1))), pm.Data("sizes", np.ones(2))
            correlation = pm.Data("correlation", np.array([1.0, 9.0]))
            icc = pm.Beta("icc", correlation[0], correlation[1])
            within, between = (1 - icc) * sd**2, icc * sd**2
            residual = pm.math.dot(sums, contrast)
            share = residual**2 / sizes
            total = within + sizes * between
            pm.Potential(
                "likelihood",
                -(people - sizes.shape[0]) * pm.math.log(within) / 2
                - pm.math.sum(pm.math.log(total)) / 2
                - (squares - pm.math.sum(share)) / (2 * within)
                - pm.math.sum(share / total) / 2,
            )
        else:
            pm.Potential("likelihood", -people * pm.math.log(sd) - squares / (2 * sd**2))
    return nutpie.compile_pymc_model(model, backend="numba")
