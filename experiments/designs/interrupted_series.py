"""One series, before and after a known moment: interrupted time series.

Nobody drew the moment. `intervention_starts` is the first treated period; `transition_periods` after
it are left out while the change beds in. `season_length` is the number of periods in a season (12 for
months; none where the series has no season). `comparison_series` names the roster column (0 or 1) that
marks a series without the intervention, where there is one: the change is then set against its change.
`breaks` lists periods in which recording changed, each with its reason: a break at the start of the
intervention cannot be told from an effect.

Reference: Lopez Bernal, Cummins & Gasparrini (2017), International Journal of Epidemiology 46,
348-355; Wagner, Soumerai, Zhang & Ross-Degnan (2002), J. Clin. Pharm. Ther. 27, 299-309.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from experiments.design import Design, DesignRefused
from experiments.schedule import Period
from experiments.undrawn import check_at_least, check_start


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedSeries(Design):
    """A series over `period`, interrupted once."""

    period: str
    periods: tuple[Period, ...]
    intervention_starts: Period
    transition_periods: int
    season_length: int | None
    comparison_series: str | None = None
    breaks: Mapping[str, str] = field(default_factory=dict)

    randomised: ClassVar[bool] = False
    stands_in: ClassVar[str | None] = (
        "a continuing trend: without the intervention the series would have gone on along its earlier level, "
        "trend and season, and nothing else (another programme, a change of recording) began at that moment"
    )

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        before = check_start(self.intervention_starts, self.periods)
        check_at_least("transition_periods", self.transition_periods, 0)
        if self.season_length is not None:
            check_at_least("season_length", self.season_length, 2)
        if before < 3 or len(self.periods) - before <= self.transition_periods:
            raise DesignRefused(
                where="periods",
                found=f"{before} periods before the start and {len(self.periods) - before} from it on",
                expected="three or more before, to see a trend, and some after the transition",
                remedy="Add periods, or use `before_after_comparison` with comparison places.",
            )
        if str(self.intervention_starts) in self.breaks:
            raise DesignRefused(
                where="breaks",
                found="a change of recording in the period in which the intervention starts",
                expected="breaks at other times, so that they can be told from an effect",
                remedy="Use a comparison recorded in the same way, or an outcome whose recording did not change.",
            )
