"""Time to an event: the share of each arm with the event so far, at the few times that were released."""

from __future__ import annotations

from reports import theme
from reports import wording as w
from reports.figures.picture import Picture
from reports.keys.study import cell
from reports.values import Values

FEWEST = 2


def picture(v: Values) -> Picture | None:
    """The first time outcome with curves to compare: one released curve alone is not drawn."""
    curves = v.record["curves"]
    released = [c["outcome"] for c in curves]
    names = [name for name in dict.fromkeys(released) if released.count(name) >= FEWEST]
    if not names:
        return None
    name = names[0]
    chosen = [c for c in curves if c["outcome"] == name]
    arms = list(v.record["protocol"]["arms"])
    label, window = v(f"outcome.{name}.label"), v(f"outcome.{name}.follow_up")
    said = []
    for c in chosen:
        last = c["points"][-1]
        said.append(f"{v(f'arm.{c["arm"]}.label')}: {w.percent(1 - last['survival'])} by the end")
    with theme.styled():
        made = Picture(
            height=3.1,
            caption=f"{label} within {window}: share of each arm with the event so far, at the times "
            "that were released; lines join them. Below: how many are still without it, rounded"
            f"{v(f'outcome.{name}.mark')}.",
            alt=f"Curves of the share with the event over {window}. {'; '.join(said)}.",
        )
        axes, below = made.subplots(2, 1, height_ratios=(4, 1), sharex=True)
        for c in chosen:
            k = arms.index(c["arm"])
            times = [p["time"] for p in c["points"]]
            share = [100 * (1 - p["survival"]) for p in c["points"]]
            axes.plot(
                times,
                share,
                theme.SHAPES[k],
                color=theme.ARMS[k],
                lw=1.6,
                ms=4.5,
                ls=("-", (0, (5, 2)))[k % 2],
                label=v(f"arm.{c['arm']}.label"),
            )
            for p in c["points"]:
                below.text(
                    p["time"],
                    -k,
                    cell(p["at_risk"]),
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color=theme.ARMS[k],
                )
        axes.set_ylim(0, min(100, 1.35 * max(100 * (1 - p["survival"]) for c in chosen for p in c["points"])))
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}%")
        axes.legend(frameon=False, loc="upper left", handlelength=3)
        axes.set_title("With the event so far")
        below.set_ylim(-len(arms) + 0.4, 0.6)
        below.set_yticks(
            [-k for k in range(len(arms))], [v(f"arm.{arm}.label") for arm in arms], fontsize=7.5
        )
        below.tick_params(axis="y", length=0)
        below.spines["left"].set_visible(False)
        days = v.record["protocol"]["outcomes"][name]["time_unit_days"]
        unit = {1: "Days", 7: "Weeks", 30: "Months", 365: "Years"}.get(days, f"Units of {days} days")
        below.set_xlabel(f"{unit} since the start")
    return made
