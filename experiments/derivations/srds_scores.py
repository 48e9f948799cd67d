"""Variety and volume of self-reported delinquency at one wave, from the acts that were asked about.

`data_contracts/derive/srds.py` has the formulas. What number of times an answer such as "between 6 and 10
times" stands for is a choice that moves every volume: `times` writes it, answer code by answer code from 0,
never. `acts` begins the names of the columns of acts, as in `srds_`; `at_least` is how many must be answered.

Columns: variety (different acts), volume (times), and each at the wave before as *_before. Both are counts:
for `kind: mean` compare their means, for `kind: count` their rates per person.

Reference: Smith & McVie (2003), British Journal of Criminology 43(1), 169-195; Sweeten (2012), Journal of
Quantitative Criminology 28, 533-557.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from data_contracts.derive.srds import srds_scores
from experiments.definitions.definition import Definition
from experiments.derivation import Needed, Rows, expression_columns
from experiments.survey_rows import ScoresSurvey, survey_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class SrdsScores(ScoresSurvey):
    """The choices; `times[c]` is the number of times that answer code c stands for."""

    acts: str
    times: tuple[float, ...]
    at_least: int

    makes: ClassVar[Mapping[str, str]] = {
        "variety": "different acts done at least once",
        "volume": "times that acts were done",
        "variety_before": "different acts, at the wave before",
        "volume_before": "times that acts were done, at the wave before",
    }

    def needs(self, table: str) -> tuple[Needed, ...]:
        """The acts, and what says whose answers they are and when they were given."""
        return (
            Needed(where="acts", table=table, column=self.acts, holds="numbers", begins=True),
            *survey_columns(table, self.by, self.waves, self.timing),
            *expression_columns(self.where, key="where", table=table),
        )

    def derive(self, rows: Rows, definition: Definition | None) -> pd.DataFrame:
        """Scores at the wave, and at the one before."""
        acts = [name for name in rows.table.frame.columns if str(name).startswith(self.acts)]
        times = dict(enumerate(self.times))
        return self.scored(
            rows, lambda answers: srds_scores(answers[acts], times=times, at_least=self.at_least)
        )
