"""Places that start at different times: staggered adoption.

Nobody drew who started when. `first_treated` is the roster column of the period in which a place
started, empty where it never did; once started, a place stays treated. `comparison` says who stands
for the untreated: places that never start, or all that have not started yet. Effects are asked for
each starting group and each period, and averaged afterwards with declared weights: a two-way
fixed-effects average can weight some of them negatively.

Reference: Callaway & Sant'Anna (2021), Journal of Econometrics 225, 200-230; Goodman-Bacon (2021),
Journal of Econometrics 225, 254-277; Sun & Abraham (2021), Journal of Econometrics 225, 175-199.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from experiments.design import Design
from experiments.undrawn import check_at_least


@dataclass(frozen=True, slots=True, kw_only=True)
class StaggeredRollout(Design):
    """Places by the period of their start; `cluster`, `period`, `first_treated` are roster columns."""

    cluster: str
    period: str
    first_treated: str
    comparison: Literal["never treated", "not yet treated"]
    anticipation_periods: int

    randomised: ClassVar[bool] = False
    stands_in: ClassVar[str | None] = (
        "parallel trends by starting group: without the intervention, each group's mean outcome would have "
        "changed as that of the declared comparison places did, in every period after its start, with no "
        "effect before the declared anticipation and none on places not yet started"
    )

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        check_at_least("anticipation_periods", self.anticipation_periods, 0)
