"""Encouragement: chance decides who is invited, and people decide who takes part.

The arms are degrees of encouragement (an invitation, a text message, a keyworker's visit), not the
intervention itself. Comparing the arms estimates the effect of encouragement; with `received`, the
roster or outcome column of what was taken up, and the assumptions that encouragement works only
through take-up (exclusion) and puts nobody off (monotonicity), it identifies the effect on those
moved by it. `non_compliance` says whether the not-encouraged could take part at all: `one-sided` where
they could not, `two-sided` where they could.

Reference: Angrist, Imbens & Rubin (1996), JASA 91, 444-455; Hirano, Imbens, Rubin & Zhou (2000),
Biostatistics 1, 69-88.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from experiments.stratified import Layout, Stratified, equal_layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Encouragement(Stratified):
    """Draw who is encouraged, completely or within blocks, by person or by cluster."""

    received: str
    non_compliance: Literal["one-sided", "two-sided"]
    cluster: str | None = None
    block_by: tuple[str, ...] = ()

    def layout(self, roster: pd.DataFrame) -> Layout:
        """People or clusters, within blocks where there are any."""
        return equal_layout(self, roster, cluster=self.cluster, block_by=self.block_by)
