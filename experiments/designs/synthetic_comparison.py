"""One treated place, or a few, against a weighted blend of others: synthetic control.

Nobody drew the treated places. `treated_units` names them by their value in `cluster`;
`intervention_starts` is their first treated period. `excluded_donors` names the places that may not
enter the blend with the reason, because they were treated too, or were touched by the intervention or
by a shock of their own. `anticipation_periods` before the start are not fitted. How well the blend
follows the treated place before the start is the evidence for it, and must be reported.

Reference: Abadie, Diamond & Hainmueller (2010), JASA 105, 493-505; Abadie (2021), Journal of Economic
Literature 59, 391-425; Arkhangelsky, Athey, Hirshberg, Imbens & Wager (2021), AER 111, 4088-4118.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from experiments.design import Design
from experiments.schedule import Period
from experiments.undrawn import check_anticipation, check_listed, check_start


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticComparison(Design):
    """Treated places and a pool of donors; `cluster` and `period` are roster columns."""

    cluster: str
    period: str
    periods: tuple[Period, ...]
    treated_units: tuple[str, ...]
    intervention_starts: Period
    anticipation_periods: int
    excluded_donors: Mapping[str, str] = field(default_factory=dict)

    randomised: ClassVar[bool] = False
    stands_in: ClassVar[str | None] = (
        "a stable blend: the weights that make the donors follow the treated places before the "
        "intervention would have gone on making them do so without it, and the donors were not touched by it"
    )

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        before = check_start(self.intervention_starts, self.periods)
        check_anticipation(self.anticipation_periods, before)
        check_listed("treated_units", self.treated_units, self.excluded_donors)
