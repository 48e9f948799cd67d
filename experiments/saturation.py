"""The saturations of a two-stage design: how strongly a cluster is treated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """`share` of the clusters get this saturation; within them the arms have the shares `arms`."""

    share: Fraction
    arms: Mapping[str, Fraction]
