"""Scales of the Strengths and Difficulties Questionnaire at one wave, from its 25 items.

`data_contracts/derive/sdq.py` has the scales, the reversed items and the published rule for missing
ones (at least three of five answered). `where` chooses the informant: scores of different
informants are different measures and are never mixed.

Columns, for outcomes of kind `mean`: total (0 to 40), emotional, conduct, hyperactivity, peer, prosocial
(0 to 10 each), externalising, internalising (0 to 20), and each at the wave before as *_before, for
`baseline`.

Reference: Goodman (1997), Journal of Child Psychology and Psychiatry 38, 581-586; Youthinmind, Scoring the
Strengths and Difficulties Questionnaire for age 4-17 (2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from data_contracts.derive.sdq import ITEMS, SCALES, sdq_scores
from experiments.definitions.definition import Definition
from experiments.derivation import Needed, Rows, expression_columns
from experiments.survey_rows import ScoresSurvey, survey_columns

_SCORES = ("total", *SCALES, "externalising", "internalising")


@dataclass(frozen=True, slots=True, kw_only=True)
class SdqScores(ScoresSurvey):
    """The choices; `where` keeps one informant's rows, such as `informant == 'self'`."""

    where: str

    makes: ClassVar[Mapping[str, str]] = {
        **{name: f"{name} score" for name in _SCORES},
        **{f"{name}_before": f"{name} score at the wave before" for name in _SCORES},
    }

    def needs(self, table: str) -> tuple[Needed, ...]:
        """The 25 items, and what says whose they are and when they were answered."""
        return (
            *survey_columns(table, self.by, self.waves, self.timing),
            *expression_columns(self.where, key="where", table=table),
            *(Needed(where="method", table=table, column=item, holds="numbers") for item in ITEMS),
        )

    def derive(self, rows: Rows, definition: Definition | None) -> pd.DataFrame:
        """Scores at the wave, and at the one before."""
        return self.scored(rows, sdq_scores)
