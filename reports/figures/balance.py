"""Baseline balance: the standardised difference of every covariate, and the declared limit."""

from __future__ import annotations

from typing import Any

from reports import theme
from reports import wording as w
from reports.figures.picture import Picture
from reports.gate.verdict import shown
from reports.values import Values


def picture(v: Values) -> Picture | None:
    """One dot to a covariate whose difference was released."""
    rows: list[dict[str, Any]] = next((c["rows"] for c in v.record["checks"] if c["name"] == "balance"), [])
    found = {
        r["covariate"]: r["standardised_difference"] for r in rows if shown(r["standardised_difference"])
    }
    if not found:
        return None
    limit = v.record["protocol"].get("checks", {}).get("balance", {}).get("limit")
    names = [w.upper_first(str(name).replace("_", " ")) for name in found]
    said = "; ".join(f"{name} {w.number(d, 2)}" for name, d in zip(names, found.values(), strict=True))
    reach = 1.15 * max([abs(d) for d in found.values()] + ([limit] if limit else [0.1]))
    with theme.styled():
        made = Picture(
            height=0.9 + 0.26 * len(found),
            caption="How alike the arms were at the start: standardised differences"
            + (", with the declared limit" if limit else "")
            + f"{v('primary.mark')}.",
            alt=f"Standardised differences at the start: {said}."
            + (f" The declared limit is {w.number(limit, 2)} either way." if limit else ""),
        )
        axes = made.subplots()
        if limit:
            axes.axvspan(-limit, limit, color=theme.PALE, lw=0)
        axes.axvline(0, color=theme.INK, lw=1)
        axes.plot(list(found.values()), range(len(found)), theme.SHAPES[0], color=theme.ARMS[0], ms=6.5)
        axes.set_yticks(range(len(found)), names)
        axes.set_ylim(len(found) - 0.4, -0.6)
        axes.set_xlim(-reach, reach)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("Standardised difference (standard deviations)")
    return made
