"""From people to the posterior of a difference in means: what the two estimators of means share.

The outcome is handed to the sampler in standard deviations about its mean, the priors with it, and the
draws are carried back: a change of variables and no change of model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.bayes.arm_rows import people_by_covariates, ranges
from evaluation.bayes.posterior import Sampling, effect_estimate
from evaluation.bayes.prior_sensitivity import prior_sensitivity
from evaluation.bayes.priors import ClusteredMeanPriors, MeanPriors, NormalPrior
from evaluation.estimate import Estimate, EstimatorRefused
from evaluation.sample import Floats, Sample
from experiments.estimand import Estimand


def mean_effect(
    sample: Sample,
    estimand: Estimand,
    prior: MeanPriors,
    *,
    level: float,
    sampling: Sampling,
    estimator: str,
    rng: np.random.Generator,
) -> Estimate:
    """The posterior of the difference in means; clusters count where the priors have an `icc`."""
    from evaluation.bayes.mean_model import compiled_model
    from evaluation.bayes.sampling import check_convergence, sample_posterior

    if sample.kind not in ("mean", "binary") or np.ptp(sample.outcome) == 0:
        raise EstimatorRefused(
            where="outcome",
            found=f"a {sample.kind} outcome" if sample.kind != "mean" else "the same value for everybody",
            expected="a score that varies",
            remedy="Use `bayes_binary` for events and `bayes_rate` for counts.",
        )
    clustered = isinstance(prior, ClusteredMeanPriors)
    people = people_by_covariates(
        sample, np.ones(len(sample.outcome)), adjusts=prior.covariate_slopes is not None
    )
    centre, unit = float(people.outcome.mean()), float(people.outcome.std())
    rows = np.column_stack(
        [people.arm == 0, people.arm == 1, people.covariates, (people.outcome - centre) / unit]
    ).astype(np.float64)
    data: dict[str, Any] = {
        "cross": rows.T @ rows,
        "people": float(len(rows)),
        "reference": _scaled(prior.reference_mean, centre, unit),
        "difference": _scaled(prior.difference, 0.0, unit),
        "spread": prior.sd.sd / unit,
    }
    columns = people.covariates.shape[1]
    if columns and prior.covariate_slopes is not None:
        data["slope"] = _scaled(prior.covariate_slopes, 0.0, unit)
    if isinstance(prior, ClusteredMeanPriors):
        assert people.cluster is not None
        codes = np.unique(people.cluster, return_inverse=True)[1]
        sums = np.column_stack([np.bincount(codes, weights=column) for column in rows.T])
        data |= {"sums": sums, "sizes": np.bincount(codes).astype(np.float64)}
        data["correlation"] = np.array([prior.icc.alpha, prior.icc.beta])
    posterior = sample_posterior(compiled_model(clustered, columns), data, sampling, rng)
    means = centre + unit * posterior.values["means"]
    draws = means[:, :, 1] - means[:, :, 0]
    convergence = check_convergence(posterior, draws, sampling)
    extra: dict[str, Any] = {
        "means": [{"arm": name, **ranges(means[:, :, arm], level)} for arm, name in enumerate(sample.arms)],
        "sd": ranges(unit * posterior.values["sd"], level),
        "prior_sensitivity": prior_sensitivity(
            draws.reshape(-1),
            draws.reshape(-1),
            prior.difference,
            sample=sample,
            scale=estimand.scale,
            level=level,
        ),
        "adjusted_for": list(people.names),
    }
    if "icc" in posterior.values:
        extra["icc"] = ranges(posterior.values["icc"], level)
    return effect_estimate(
        draws,
        sample,
        estimand,
        estimator=estimator,
        level=level,
        convergence=convergence,
        extra=extra,
    )


def _scaled(prior: NormalPrior, centre: float, unit: float) -> Floats:
    return np.array([(prior.mean - centre) / unit, prior.sd / unit])
