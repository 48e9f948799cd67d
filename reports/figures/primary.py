"""The primary result: what was seen in each arm, and below it the effect with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from experiments.outcome import RATIO_SCALES
from reports import theme
from reports import wording as w
from reports.figures.axes import ratio_axis
from reports.figures.picture import Picture
from reports.gate.verdict import shown
from reports.values import Values


def picture(v: Values) -> Picture | None:
    """Two panels, or the effect alone where the arms' own figures are withheld or of another kind."""
    primary = v.record["primary"]
    estimate = next((e for e in v.record["estimates"] if e["key"] == primary["analysis"]), None)
    if estimate is None or not shown(estimate["value"]) or not isinstance(estimate["interval"], Mapping):
        return None
    estimand = v.record["protocol"]["estimands"][estimate["estimand"]]
    rows = {r["arm"]: r for r in v.record["outcomes"] if r["outcome"] == estimand["outcome"]}
    seen = [(arm, _level(rows[arm])) for arm in estimand["contrast"] if arm in rows]
    both = len(seen) == 2 and all(shown(level) for _, level in seen)
    seen_text = ""
    if both:
        parts = [
            f"{v(f'primary.{arm}.summary')} with {w.lower_first(v(f'arm.{arm}.label'))}" for arm, _ in seen
        ]
        seen_text = f" {w.upper_first(w.listed(parts))}."
    with theme.styled():
        made = Picture(
            height=3.7 if both else 1.9,
            caption=f"{v('primary.label')} within {v('primary.follow_up')}: "
            + ("what was seen in each arm, and the effect" if both else "the effect")
            + f"{v('primary.mark')}.",
            alt=f"{v('primary.label')} within {v('primary.follow_up')}.{seen_text} "
            f"{w.upper_first(v('primary.scale'))} {v('primary.full')}. {v('primary.caution')}",
        )
        if both:
            made.set_layout_engine("constrained", h_pad=0.1)
            above, below = made.subplots(2, 1, height_ratios=(1.0, 1.05))
            _arms(above, v, seen)
        else:
            below = made.subplots()
        _effect(below, v, estimate, estimand)
    return made


def _level(row: Mapping[str, Any]) -> Any:
    """What an arm is drawn at: its percentage, its rate or its mean."""
    if shown(row["proportion"]):
        return 100 * row["proportion"]
    return row["rate"] if shown(row["rate"]) else row["mean"]


def _arms(axes: Axes, v: Values, seen: list[tuple[str, float]]) -> None:
    outcome = v.record["protocol"]["outcomes"][v.record["primary"]["outcome"]]
    shares = outcome["kind"] in ("binary", "time")
    levels = [level for _, level in seen]
    from_zero = min(levels) >= 0 and outcome["kind"] != "mean"
    for k, (arm, level) in enumerate(seen):
        y = 1 - k
        if from_zero:
            axes.plot([0, level], [y, y], color=theme.ARMS[k], lw=2.2, solid_capstyle="butt")
        axes.plot([level], [y], theme.SHAPES[k], color=theme.ARMS[k], ms=8)
        said = v(f"primary.{arm}.summary") if shares else w.number(level, 2)
        axes.annotate(said, (level, y), xytext=(8, 0), textcoords="offset points", va="center")
    axes.set_yticks([1, 0], [v(f"arm.{arm}.label") for arm, _ in seen])
    axes.set_ylim(-0.6, 1.6)
    if shares:
        axes.set_xlim(0, min(100.0, max(10.0, 1.7 * max(levels))))
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}%")
    elif from_zero:
        axes.set_xlim(0, 1.35 * max(levels))
    else:
        axes.margins(x=0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_title("Seen in each arm")
    if not shares:
        axes.set_xlabel(w.upper_first(outcome["unit"]))


def _effect(axes: Axes, v: Values, estimate: Mapping[str, Any], estimand: Mapping[str, Any]) -> None:
    scale, interval = estimate["scale"], estimate["interval"]
    times, null = w.factor(scale), w.null_value(scale)
    low, high, value = (
        None if x is None else x * times for x in (interval["low"], interval["high"], estimate["value"])
    )
    assert value is not None
    axes.axvline(null * times, color=theme.INK, lw=1)
    outcome = v.record["protocol"]["outcomes"][estimand["outcome"]]
    declared = outcome.get("smallest_worthwhile")
    ends = [x for x in (low, high, value, null * times) if x is not None]
    if declared and declared["scale"] == scale:
        at = float(declared["value"]) * times
        ends.append(at)
        axes.axvline(at, color=theme.MUTED, lw=1, ls=(0, (4, 3)))
        axes.annotate(
            "smallest worthwhile", (at, 0.98), xycoords=("data", "axes fraction"), ha="center", va="top",
            fontsize=8, color=theme.MUTED, backgroundcolor="white",
        )  # fmt: skip
    if scale in RATIO_SCALES:
        ratio_axis(axes, ends)
    else:
        reach = max(ends) - min(ends) or 1.0
        axes.set_xlim(min(ends) - 0.12 * reach, max(ends) + 0.25 * reach)
    left, right = axes.get_xlim()
    axes.plot(
        [left if low is None else low, right if high is None else high], [0, 0], color=theme.ARMS[0], lw=2.2
    )
    axes.plot([value], [0], "D", color=theme.ARMS[0], ms=8)
    axes.annotate(
        v("primary.short"), (value, 0), xytext=(0, 10), textcoords="offset points", ha="center",
        fontweight="bold", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip
    axes.set_yticks([])
    axes.set_ylim(-0.8, 1.35)
    axes.spines["left"].set_visible(False)
    unit = w.unit_words(scale, estimate["unit"]) or w.SCALES.get(scale, scale)
    better = "lower is better" if outcome["better"] == "lower" else "higher is better"
    if outcome["kind"] == "time" and scale == "hazard_ratio":
        better = "below one favours the later event"
    axes.set_xlabel(f"{w.upper_first(unit)} ({better})")
    axes.set_title(f"Effect, with its {v('primary.interval_name')}")
