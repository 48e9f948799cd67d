"""Mentoring some pupils of a school helps their friends: 40 schools at saturations of 0, 30% and 60%.

An untreated pupil's score falls by 2 x the share treated; a treated one's by a further 1.5. At `high` (60%)
the direct effect is -1.5, against `none` the spill-over is -1.2, the total -2.7 and the overall -2.1.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd

from evaluation.sample import Sample
from experiments.design import NamedArm
from experiments.designs.two_stage import TwoStage
from experiments.saturation import Saturation

SHARES = {"none": Fraction(0), "low": Fraction(3, 10), "high": Fraction(6, 10)}


def design() -> TwoStage:
    # Half the clusters at high and a quarter at each of the others: 3/10 x 1/4 + 6/10 x 1/2 = 3/8 treated.
    of_clusters = {"none": Fraction(1, 4), "low": Fraction(1, 4), "high": Fraction(1, 2)}
    saturations = {
        name: Saturation(
            share=of_clusters[name],
            arms={"usual": Fraction(1)} if share == 0 else {"usual": 1 - share, "mentoring": share},
        )
        for name, share in SHARES.items()
    }
    arms = (NamedArm(name="usual", share=Fraction(5, 8)), NamedArm(name="mentoring", share=Fraction(3, 8)))
    return TwoStage(arms=arms, cluster="school", saturations=saturations)


def make(rng: np.random.Generator) -> tuple[Sample, dict[str, float]]:
    drawn = design()
    school = np.repeat(np.arange(40), 20)
    n = len(school)
    roster = pd.DataFrame(
        {"school": [f"s{c}" for c in school]}, index=pd.Index([f"p{i}" for i in range(n)], name="person")
    )
    saturation, arm = (codes[0] for codes in drawn.draw_both(roster, 1, rng))
    names = np.array(tuple(SHARES))[saturation]
    share = np.array([float(s) for s in SHARES.values()])[saturation]
    y = 14 + rng.normal(size=40)[school] - 2 * share - 1.5 * arm + rng.normal(0, 3, n)
    sample = Sample(
        outcome=y,
        arm=arm.astype(np.int64),
        arms=("usual", "mentoring"),
        unit="points on the scale",
        kind="mean",
        person=np.arange(n, dtype=np.int64),
        cluster=school.astype(np.int64),
        better="lower",
        design=drawn,
        roster=roster.assign(saturation=names),
        roster_row=np.arange(n, dtype=np.int64),
    )
    return sample, {"mean_difference": -1.2}
