"""Samples made by hand for the tests of estimators."""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.sample import Sample
from experiments.estimand import Estimand

RNG = np.random.default_rng(0)


def ask(scale: Any) -> Estimand:
    return Estimand(
        outcome="y", contrast=("offered", "usual"), population="all", scale=scale, intercurrent={}
    )


def trial(outcome: Any, arm: Any, kind: Any, **more: Any) -> Sample:
    y = np.asarray(outcome, dtype=float)
    covariates = more.pop("covariates", None)
    if covariates is not None:
        more["covariates"] = np.asarray(covariates, dtype=float).reshape(len(y), -1)
        more["covariate_names"] = tuple(f"x{j}" for j in range(more["covariates"].shape[1]))
    for name in ("cluster", "block", "period"):
        if name in more:
            more[name] = np.asarray(more[name], dtype=np.int64)
    return Sample(
        outcome=y,
        arm=np.asarray(arm, dtype=np.int64),
        arms=("usual", "offered"),
        unit="units",
        kind=kind,
        person=more.pop("person", np.arange(len(y))),
        **more,
    )
