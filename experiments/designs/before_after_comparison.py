"""Before and after, in places with the intervention and places without: difference in differences.

Nobody drew which places were treated. `treated` is the roster column (0 or 1, constant within a
place) of places that got the intervention, `period` the column of time and `intervention_starts` its
first treated value. Periods are compared in the order of `periods`. `anticipation_periods` are left
out just before the start, because people may have changed beforehand. `scale` is the scale on which
trends are taken to be parallel: it cannot be both, unless the groups start alike.

Reference: Roth, Sant'Anna, Bilinski & Poe (2023), Journal of Econometrics 235, 2218-2244; Roth &
Sant'Anna (2023), Econometrica 91, 737-747 (parallel trends and the scale).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from experiments.design import Design
from experiments.schedule import Period
from experiments.undrawn import check_anticipation, check_start


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfterComparison(Design):
    """Treated and comparison places, before and after one start; `cluster` is the column of places."""

    cluster: str
    treated: str
    period: str
    periods: tuple[Period, ...]
    intervention_starts: Period
    anticipation_periods: int
    scale: Literal["level", "log"]

    randomised: ClassVar[bool] = False
    stands_in: ClassVar[str | None] = (
        "parallel trends: without the intervention, mean outcomes of treated and comparison places would "
        "have changed alike on the declared scale, nobody acted on it before the declared anticipation, "
        "and it did not reach the comparison places"
    )

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        before = check_start(self.intervention_starts, self.periods)
        check_anticipation(self.anticipation_periods, before)
