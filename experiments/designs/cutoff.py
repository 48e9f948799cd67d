"""A score decides: everybody on one side of a threshold is offered the intervention.

Nobody drew who was offered, but those just either side of `threshold` differ by little else.
`score` is the roster column of the score, `offered` the side that was offered it. With `fuzzy`
compliance, `received` names the column of what was taken up, and the effect is that on those whom the
threshold moved. `score_steps` says whether the score takes few values (sentences in months, item
counts): then people at the same step are clusters, and a continuous method may not be used unexamined.

Reference: Cattaneo, Idrobo & Titiunik (2020, 2024), A Practical Introduction to Regression
Discontinuity Designs, Cambridge; Lee & Lemieux (2010), Journal of Economic Literature 48, 281-355.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import ClassVar, Literal

from experiments.design import Design, DesignRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff(Design):
    """Offer by a threshold of `score`."""

    score: str
    threshold: float
    offered: Literal["at or above", "above", "at or below", "below"]
    compliance: Literal["sharp", "fuzzy"]
    score_steps: Literal["continuous", "discrete"]
    received: str | None = None

    randomised: ClassVar[bool] = False
    stands_in: ClassVar[str | None] = (
        "continuity at the threshold: without the offer, mean outcomes would have run smoothly through it, "
        "because nobody could place themselves just on one side and nothing else changes there"
    )

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        if not isfinite(self.threshold):
            raise DesignRefused(
                where="threshold",
                found=str(self.threshold),
                expected="a finite number, on the score's own scale",
                remedy="Write the value at which the offer changes.",
            )
        if (self.compliance == "fuzzy") != (self.received is not None):
            raise DesignRefused(
                where="received",
                found="nothing" if self.received is None else "a column though compliance is sharp",
                expected="the column of take-up exactly where compliance is fuzzy",
                remedy="Name it, or declare `compliance: sharp`.",
            )
