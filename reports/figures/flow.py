"""The flow of participants: a box for each stage and arm, after the CONSORT diagram."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from reports import theme
from reports import wording as w
from reports.figures.picture import Picture
from reports.keys.study import cell
from reports.values import Values

MOST_ARMS = 4
ROW, GAP = 0.62, 0.34


def picture(v: Values) -> Picture | None:
    """Boxes from the first stage down, one column to an arm; None for more arms than fit."""
    flow = v.record["flow"]
    arms = list(v.record["protocol"]["arms"])
    stages = list(dict.fromkeys(row["stage"] for row in flow))
    if not stages or len(arms) > MOST_ARMS:
        return None
    counts = {(row["stage"], row["arm"]): row["people"] for row in flow}
    labels = {arm: v(f"arm.{arm}.label") for arm in arms}
    rows = len(stages) + 1
    with theme.styled():
        made = Picture(
            height=rows * (ROW + GAP),
            caption=f"Who took part: people at each stage{v('primary.mark')}.",
            alt=alternative(v, stages, arms, labels),
        )
        made.set_layout_engine("none")
        axes = made.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        width = 1.0 / len(arms)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, rows)
        centre = [(k + 0.5) * width for k in range(len(arms))]
        top = rows - 0.5
        _box(
            axes,
            0.5,
            top,
            min(0.62, 0.9),
            f"{w.upper_first(stages[0])}\n{cell(counts.get((stages[0], None)))}",
        )
        axes.plot([centre[0], centre[-1]], [rows - 1.0] * 2, color=theme.MUTED, lw=1)
        axes.plot([0.5, 0.5], [top - 0.34, rows - 1.0], color=theme.MUTED, lw=1)
        for k, arm in enumerate(arms):
            for s, stage in enumerate(stages):
                y = rows - 1.5 - s
                what = labels[arm] if s == 0 else w.upper_first(stage)
                _arrow(axes, centre[k], y + (0.5 if s == 0 else 0.66), y + 0.34)
                colour = theme.ARMS[k % len(theme.ARMS)] if s == 0 else None
                _box(axes, centre[k], y, 0.9 * width, f"{what}\n{cell(counts.get((stage, arm)))}", colour)
    return made


def alternative(v: Values, stages: list[str], arms: list[str], labels: dict[str, str]) -> str:
    """The diagram in words."""
    counts = {(row["stage"], row["arm"]): row["people"] for row in v.record["flow"]}
    parts = [f"Flow diagram. {w.upper_first(stages[0])}: {cell(counts.get((stages[0], None)))}."]
    for arm in arms:
        steps = [f"{stage} {cell(counts.get((stage, arm)))}" for stage in stages]
        parts.append(f"{labels[arm]}: {', '.join(steps)}.")
    return " ".join(parts)


def _box(axes: Axes, x: float, y: float, width: float, text: str, colour: str | None = None) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - 0.34),
            width,
            0.68,
            boxstyle="round,pad=0,rounding_size=0.015",
            mutation_aspect=8,
            facecolor=theme.PALE,
            edgecolor=colour or theme.MUTED,
            linewidth=1.6 if colour else 0.9,
        )
    )
    head, _, count = text.partition("\n")
    axes.text(x, y + 0.11, head, ha="center", va="center", fontsize=9)
    axes.text(x, y - 0.15, count, ha="center", va="center", fontsize=10.5, fontweight="bold")


def _arrow(axes: Axes, x: float, start: float, end: float) -> None:
    axes.annotate(
        "",
        xy=(x, end),
        xytext=(x, start),
        arrowprops={"arrowstyle": "-|>", "color": theme.MUTED, "lw": 1, "shrinkA": 0, "shrinkB": 0},
    )
