"""The posterior of the effect: where it lies, and how much of it is a benefit."""

from __future__ import annotations

from matplotlib.ticker import MaxNLocator

from reports import theme
from reports import wording as w
from reports.figures.picture import Picture
from reports.gate.verdict import shown
from reports.tables.bayesian import bayesian_estimates
from reports.values import Values


def picture(v: Values) -> Picture | None:
    """The first Bayesian analysis of the primary estimand that has a density."""
    found = [
        e
        for e in bayesian_estimates(v)
        if e["estimand"] == v.record["primary"]["estimand"] and e["extra"].get("density", {}).get("x")
    ]
    if not found:
        return None
    e = found[0]
    scale, extra = e["scale"], e["extra"]
    times, null = w.factor(scale), w.null_value(scale)
    outcome = v.record["protocol"]["outcomes"][v.record["protocol"]["estimands"][e["estimand"]]["outcome"]]
    x = [times * at for at in extra["density"]["x"]]
    y = extra["density"]["y"]
    chance = extra.get("probability_of_benefit")
    said = f" The probability of any benefit is {w.probability(chance)}." if shown(chance) else ""
    worth = extra.get("probability_worthwhile")
    if shown(worth):
        said += f" The probability of at least the smallest worthwhile effect is {w.probability(worth)}."
    with theme.styled():
        made = Picture(
            height=2.5,
            caption="What the Bayesian analysis believes about the effect, given the data, the model and the prior. "
            f"Shaded: a benefit{v('primary.mark')}.",
            alt=f"Posterior density of the effect. Estimate {v(f'estimate.{e["key"]}.full')}.{said}",
        )
        axes = made.subplots()
        better = [(at < null * times) == (outcome["better"] == "lower") for at in x]
        axes.fill_between(x, 0, y, where=better, color=theme.BENEFIT, lw=0, interpolate=True)
        axes.plot(x, y, color=theme.CREDIBLE, lw=1.8)
        axes.axvline(null * times, color=theme.INK, lw=1)
        low, high = e["interval"]["low"], e["interval"]["high"]
        if low is not None and high is not None:
            axes.plot([low * times, high * times], [-0.07, -0.07], color=theme.CREDIBLE, lw=2.2)
        axes.plot([e["value"] * times], [-0.07], "D", color=theme.CREDIBLE, ms=6)
        declared = outcome.get("smallest_worthwhile")
        if declared and declared["scale"] == scale:
            axes.axvline(float(declared["value"]) * times, color=theme.MUTED, lw=1, ls=(0, (4, 3)))
        axes.set_title(_lines(said), fontsize=8.5, fontweight="normal", linespacing=1.4)
        axes.set_yticks([])
        axes.set_ylim(-0.16, 1.08)
        axes.xaxis.set_major_locator(MaxNLocator(7))
        axes.spines["left"].set_visible(False)
        unit = w.unit_words(scale, e["unit"]) or w.SCALES.get(scale, scale)
        axes.set_xlabel(f"{w.upper_first(unit)}; the bar is the {v(f'estimate.{e["key"]}.interval_name')}")
    return made


def _lines(said: str) -> str:
    return said.strip().replace(". ", ".\n")
