"""Something nobody chose moved people towards the intervention: an instrument.

Nobody drew who was treated, but `instrument` (a roster column: distance, which caseworker was on duty,
a change of rule) made some likelier to take it up, as recorded in `received`. Within the combinations
of `block_by` (court and month, say) it must be as good as drawn. `monotone` says in words why it moved
nobody away. Unlike `encouragement`, where chance is known, every one of these has to be argued, and
the argument is part of the declaration.

Reference: Angrist, Imbens & Rubin (1996), JASA 91, 444-455; Andrews, Stock & Sun (2019), Annual Review
of Economics 11, 727-753 (weak instruments); Aizer & Doyle (2015), QJE 130, 759-803 (judges).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from experiments.design import Design
from experiments.undrawn import check_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument(Design):
    """`instrument` moves `received`; the three arguments say why it may be used."""

    instrument: str
    received: str
    as_good_as_drawn: str
    only_through_take_up: str
    monotone: str
    block_by: tuple[str, ...] = ()
    cluster: str | None = None

    randomised: ClassVar[bool] = False
    stands_in: ClassVar[str | None] = (
        "a valid instrument: within its blocks it is unrelated to what else determines the outcome, affects the "
        "outcome only through take-up, moves take-up, and moves nobody the other way"
    )

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        check_words("as_good_as_drawn", self.as_good_as_drawn)
        check_words("only_through_take_up", self.only_through_take_up)
        check_words("monotone", self.monotone)
