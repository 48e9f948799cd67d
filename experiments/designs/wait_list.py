"""Wait-list control: everybody is offered the intervention, and chance decides who waits.

The waiting arms receive the intervention `wait_days` after allocation, so the comparison ends there:
nobody is left to compare with afterwards, and an outcome window longer than the wait mixes treated
with treated. `longest_follow_up_days` says so to whatever plans an analysis. People (or clusters)
are drawn completely, within blocks where `block_by` names any.

Reference: Cunningham, Kypri & McCambridge (2013), BMC Medical Research Methodology 13, 150 (wait-list
designs and what waiting does to the comparison).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from experiments.design import DesignRefused
from experiments.stratified import Layout, Stratified, equal_layout


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitList(Stratified):
    """Draw who starts now and who waits; `waiting` names the arm that waits `wait_days` days."""

    waiting: str
    wait_days: int
    cluster: str | None = None
    block_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Stratified.__post_init__(self)
        self.code(self.waiting)
        if self.wait_days < 1:
            raise DesignRefused(
                where="wait_days",
                found=str(self.wait_days),
                expected="a wait of at least one day",
                remedy="Give the days from allocation until the waiting arm may start.",
            )

    @property
    def longest_follow_up_days(self) -> int:
        """The longest outcome window, from allocation, in which the waiting arm still waits."""
        return self.wait_days

    def layout(self, roster: pd.DataFrame) -> Layout:
        """People or clusters, within blocks where there are any."""
        return equal_layout(self, roster, cluster=self.cluster, block_by=self.block_by)
