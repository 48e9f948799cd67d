"""Axes that are shared by figures: ratios on a log scale with ticks that a reader expects."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

_TICKS = (
    0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0,
    20.0, 50.0, 100.0,
)  # fmt: skip
MOST = 7


def ratio_axis(axes: Axes, ends: Sequence[float]) -> None:
    """A log axis around `ends`, with no more than a handful of ticks, 1 among them where it is in sight."""
    low, high = min(ends) / 1.12, max(ends) * 1.12
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    inside = [tick for tick in _TICKS if low <= tick <= high]
    step = max(1, -(-len(inside) // MOST))
    start = inside.index(1.0) % step if 1.0 in inside else 0
    axes.xaxis.set_major_locator(FixedLocator(inside[start::step]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
