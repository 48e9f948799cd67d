"""Self-report delinquency: variety and volume of acts in the reference period.

    variety = number of different acts done at least once        (0 to the number of acts)
    volume  = sum over acts of the number of times               (in acts)

Answers are codes: never, once, ..., between 6 and 10 times, more than 10 times. What number a range
stands for is not published in one form, and changes every volume; a study writes it
(`times`), together with how many acts must be answered for a score (`at_least`). Nothing is scaled
up for unanswered acts: with fewer than all answered, both scores are lower bounds.

Any number of acts is scored, because scales that go by this name differ: 24 acts over six months (Elliott,
Huizinga & Ageton 1985), nine of the Edinburgh acts in Growing Up in Scotland. No public copy of an Edinburgh or
Youth Endowment Fund list, with its answers, its scores and a rule for unanswered acts, was found in November 2026;
so none is set here, and a variety is compared only with one of the same acts over the same time.

Reference: Smith & McVie (2003), Theory and method in the Edinburgh Study of Youth Transitions and
Crime, British Journal of Criminology 43(1), 169-195; Sweeten (2012), Scaling criminal offending,
Journal of Quantitative Criminology 28, 533-557, on why variety is the more reliable of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from data_contracts.refusal import Refusal


class SrdsRefused(Refusal):
    """Answers or choices from which no delinquency score follows."""


def srds_scores(items: pd.DataFrame, *, times: Mapping[int, float], at_least: int) -> pd.DataFrame:
    """`variety`, `volume` and `answered` for each row of the items (one column an act, coded as in `times`).

    `times` gives the number of times that each code stands for, with 0 for 0; it must not fall as
    codes rise. A row with fewer than `at_least` acts answered has no scores.
    """
    codes = sorted(times)
    counts = [times[code] for code in codes]
    if not codes or codes[0] != 0 or counts[0] != 0 or any(b < a for a, b in pairwise(counts)):
        raise SrdsRefused(
            where="srds.times",
            found="numbers of times that do not begin at 0 for never, or that fall as answers rise",
            expected="such as {0: 0, 1: 1, ..., 5: 5, 6: 8, 7: 11}",
            remedy="Write the number that each answer stands for.",
        )
    if not 1 <= at_least <= items.shape[1]:
        raise SrdsRefused(
            where="srds.at_least",
            found=str(at_least),
            expected=f"between 1 and the {items.shape[1]} acts asked about",
            remedy="State how many acts must be answered for a score.",
        )
    values = items.to_numpy(dtype=np.float64, na_value=np.nan)
    known = ~np.isnan(values)
    wrong = int((known & ~np.isin(values, codes)).sum())
    if wrong:
        raise SrdsRefused(
            where="srds",
            found=f"{wrong} answers whose code stands for no number",
            expected=f"the codes {', '.join(map(str, codes))}",
            remedy="Declare missing codes in the contract.",
        )
    number = np.interp(np.where(known, values, 0.0), codes, counts)
    answered = known.sum(axis=1)
    enough = answered >= at_least
    return pd.DataFrame(
        {
            "variety": np.where(enough, (number > 0).sum(axis=1), np.nan),
            "volume": np.where(enough, number.sum(axis=1), np.nan),
            "answered": answered,
        },
        index=items.index,
    )
