"""People in a complete trial of two equal arms: what the plain worlds share."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from evaluation.sample import Sample
from experiments.design import NamedArm
from experiments.designs.complete import Complete

ARMS = (NamedArm(name="usual", share=Fraction(1, 2)), NamedArm(name="mentoring", share=Fraction(1, 2)))


def complete_arms(n: int, rng: np.random.Generator) -> tuple[Complete, pd.DataFrame, np.ndarray[Any, Any]]:
    """The design, its roster, and one draw as (n,) codes: 1 is mentoring."""
    design = Complete(arms=ARMS)
    roster = pd.DataFrame(index=pd.Index([f"p{i}" for i in range(n)], name="person"))
    return design, roster, design.draw_many(roster, 1, rng)[0]


def person_sample(
    rng: np.random.Generator, n: int, outcome: Any, *, unit: str, kind: Any, **more: Any
) -> Sample:
    """A sample in which `outcome(arm, covariate)` gives each person's outcome, or a dict of arrays."""
    design, roster, arm = complete_arms(n, rng)
    covariate = rng.normal(size=n)
    made = outcome(arm, covariate)
    arrays = made if isinstance(made, dict) else {"outcome": made}
    return Sample(
        arm=arm.astype(np.int64),
        arms=("usual", "mentoring"),
        unit=unit,
        kind=kind,
        person=np.arange(n, dtype=np.int64),
        covariates=covariate[:, None],
        covariate_names=("baseline",),
        better="lower",
        design=design,
        roster=roster,
        roster_row=np.arange(n, dtype=np.int64),
        **arrays,
        **more,
    )
