"""Strengths and Difficulties Questionnaire: five scales, the total and their bands, from 25 items.

Items are answered 0 (not true), 1 (somewhat true), 2 (certainly true); five are scored in reverse
(obeys, reflect, attends, friend, popular). A scale is the sum of its five items, from 0 to 10. With
one or two items missing it is scaled up from those answered,

    scale = floor(1/2 + 5 * mean of the answered items),    at least 3 answered,

and with more it is missing. Total difficulties (0 to 40) is the sum of all scales but prosocial and is
missing where any of the four is; externalising is conduct plus hyperactivity, internalising
emotional plus peer problems.

Bands: `four_band` is the newer categorisation from a large UK survey (close to average, slightly
raised, high, very high; for prosocial, lowered instead of raised), `three_band` the original (normal,
borderline, abnormal). They differ by informant, and a study states which it uses.

Reference: Goodman (1997), Journal of Child Psychology and Psychiatry 38, 581-586; Goodman, Meltzer &
Bailey (1998), European Child & Adolescent Psychiatry 7, 125-130; Youthinmind, Scoring the Strengths
and Difficulties Questionnaire for age 4-17 (19 August 2014), tables 1 to 4, and its published syntax
(sdqinfo.org/c9.html).

Checked in November 2026, every cut against:

- four bands, parent: two public scoring programs that follow sdqinfo.org, one of them for this informant alone;
- four bands, teacher: PMC4830858, table 1;
- four bands, self: Born in Bradford, Age of Wonder, derived variables of survey module 232 (release code);
- three bands, parent: doi 10.1186/s12887-023-03837-1, table 2, UK columns for age 4 to 17;
- three bands, teacher and self: three public scoring programs that agree in every cut, psicocalc
  (core/tables/clinicalNorms.ts) among them; no paper that prints these two tables whole was found;
- reversed items and scaling up: the 2014 instructions (a score of 4 on three items becomes 7), the Age of Wonder
  code, and copies of the syntax in R and Stata, which round a half up as here. Plain `round` in R rounds 2.5 to 2.

Other cuts go by the same name. Papers that cite the UK norms (PMC4054577, table 6) band parents' prosocial
scores by percentile, 8 to 10, 7 and 0 to 6: that is neither table here. One program bands self-reported
conduct in four from 3, not 4, and one sheet bands young people by the teacher's three. State the table used.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.refusal import Refusal

Floats = NDArray[np.float64]
Informant = Literal["self", "parent", "teacher"]
Bands = Literal["four_band", "three_band"]

SCALES: dict[str, tuple[str, ...]] = {
    "emotional": ("somatic", "worries", "unhappy", "clingy", "afraid"),
    "conduct": ("tantrum", "obeys", "fights", "lies", "steals"),
    "hyperactivity": ("restles", "fidgety", "distrac", "reflect", "attends"),
    "peer": ("loner", "friend", "popular", "bullied", "oldbest"),
    "prosocial": ("consid", "shares", "caring", "kind", "helpout"),
}
REVERSED = ("obeys", "reflect", "attends", "friend", "popular")
ITEMS = tuple(item for items in SCALES.values() for item in items)

_LABELS = {
    "four_band": ("close to average", "slightly raised", "high", "very high"),
    "three_band": ("normal", "borderline", "abnormal"),
}
_LOW_LABELS = {
    "four_band": ("close to average", "slightly lowered", "low", "very low"),
    "three_band": ("normal", "borderline", "abnormal"),
}
# The first score of each band after the first; for prosocial, the last score of each.
_CUTS: dict[tuple[str, str], dict[str, tuple[int, ...]]] = {
    ("four_band", "parent"): {
        "total": (14, 17, 20),
        "emotional": (4, 5, 7),
        "conduct": (3, 4, 6),
        "hyperactivity": (6, 8, 9),
        "peer": (3, 4, 5),
        "prosocial": (7, 6, 5),
    },
    ("four_band", "teacher"): {
        "total": (12, 16, 19),
        "emotional": (4, 5, 6),
        "conduct": (3, 4, 5),
        "hyperactivity": (6, 8, 9),
        "peer": (3, 5, 6),
        "prosocial": (5, 4, 3),
    },
    ("four_band", "self"): {
        "total": (15, 18, 20),
        "emotional": (5, 6, 7),
        "conduct": (4, 5, 6),
        "hyperactivity": (6, 7, 8),
        "peer": (3, 4, 5),
        "prosocial": (6, 5, 4),
    },
    ("three_band", "parent"): {
        "total": (14, 17),
        "emotional": (4, 5),
        "conduct": (3, 4),
        "hyperactivity": (6, 7),
        "peer": (3, 4),
        "prosocial": (5, 4),
    },
    ("three_band", "teacher"): {
        "total": (12, 16),
        "emotional": (5, 6),
        "conduct": (3, 4),
        "hyperactivity": (6, 7),
        "peer": (4, 5),
        "prosocial": (5, 4),
    },
    ("three_band", "self"): {
        "total": (16, 20),
        "emotional": (6, 7),
        "conduct": (4, 5),
        "hyperactivity": (6, 7),
        "peer": (4, 6),
        "prosocial": (5, 4),
    },
}


class SdqRefused(Refusal):
    """Items that are not SDQ items as answered."""


def sdq_scores(items: pd.DataFrame) -> pd.DataFrame:
    """Scales, total, externalising and internalising of the 25 item columns; NaN where missing."""
    absent = [item for item in ITEMS if item not in items.columns]
    if absent:
        raise SdqRefused(
            where="sdq",
            found=f"no column {', '.join(absent)}",
            expected="the 25 items under their published names",
            remedy="Use the contract `sdq_survey`.",
        )
    values = items[list(ITEMS)].to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = int((~np.isnan(values) & ~np.isin(values, (0.0, 1.0, 2.0))).sum())
    if wrong:
        raise SdqRefused(
            where="sdq",
            found=f"{wrong} answers other than 0, 1 and 2",
            expected="0 not true, 1 somewhat true, 2 certainly true",
            remedy="Declare missing codes in the contract; answers coded 1 to 3 are recoded at their source.",
        )
    answers = dict(zip(ITEMS, values.T, strict=True))
    for item in REVERSED:
        answers[item] = 2.0 - answers[item]
    scores = {
        scale: scale_score(np.column_stack([answers[item] for item in names]))
        for scale, names in SCALES.items()
    }
    scores["total"] = scores["emotional"] + scores["conduct"] + scores["hyperactivity"] + scores["peer"]
    scores["externalising"] = scores["conduct"] + scores["hyperactivity"]
    scores["internalising"] = scores["emotional"] + scores["peer"]
    return pd.DataFrame(scores, index=items.index)


def scale_score(answers: Floats) -> Floats:
    """(n,) score from (n, 5) answers in scoring direction: scaled up with 3 or 4 answered, NaN with fewer."""
    answered = np.count_nonzero(~np.isnan(answers), axis=1)
    total = np.nansum(answers, axis=1)
    enough = answered >= 3
    scaled = np.floor(0.5 + 5.0 * total / np.maximum(answered, 1))
    return np.where(enough, scaled, np.nan)


def sdq_band(score: pd.Series, *, scale: str, informant: Informant, bands: Bands) -> pd.Series:
    """The band of each score, as an ordered category; missing where the score is."""
    cuts = _CUTS[bands, informant]
    if scale not in cuts:
        raise SdqRefused(
            where=f"sdq.{scale}",
            found="a score without published bands",
            expected=f"one of {', '.join(cuts)}",
            remedy="Externalising and internalising are reported as scores.",
        )
    values = score.to_numpy(dtype=np.float64)
    if scale == "prosocial":
        labels = _LOW_LABELS[bands]
        place = np.sum([values <= cut for cut in cuts[scale]], axis=0)
    else:
        labels = _LABELS[bands]
        place = np.sum([values >= cut for cut in cuts[scale]], axis=0)
    named = [None if np.isnan(value) else labels[at] for value, at in zip(values, place, strict=True)]
    return pd.Series(
        pd.Categorical(named, categories=list(labels), ordered=True), index=score.index, name=scale
    )
