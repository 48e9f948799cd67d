"""Balance before and after: what plain randomisation risked, what the design allowed, what was drawn."""

from __future__ import annotations

import numpy as np

from experiments.draw_balance import DrawBalance
from reports import theme
from reports.figures.picture import Picture


def picture(balance: DrawBalance) -> Picture:
    """For each covariate, the central 95% of plain draws, that of the design's draws, and the draw made."""
    covariates = [name.replace("_", " ") for name in balance.covariates]
    before = np.nanquantile(balance.before, (0.025, 0.975), axis=0)
    after = np.nanquantile(balance.after, (0.025, 0.975), axis=0)
    said = "; ".join(
        f"{name}: drawn {drawn:.2f}, designed draws {low:.2f} to {high:.2f}, plain draws {wide_low:.2f} to {wide_high:.2f}"
        for name, drawn, low, high, wide_low, wide_high in zip(
            covariates, balance.drawn, *after, *before, strict=True
        )
    )
    with theme.styled():
        made = Picture(
            height=1.1 + 0.34 * len(covariates),
            caption=(
                f"Standardised differences, {balance.arm.replace('_', ' ')} against "
                f"{balance.other.replace('_', ' ')}: the middle 95% of plain complete draws (pale) and of "
                "the design's draws (dark), and the draw that was made (dot)."
            ),
            alt=f"Standardised differences of {len(covariates)} covariates. {said}.",
        )
        axes = made.subplots()
        axes.axvline(0, color=theme.INK, lw=1)
        rows = np.arange(len(covariates))
        axes.hlines(rows, *before, color=theme.RULE, lw=9)
        axes.hlines(rows, *after, color=theme.ARMS[0], lw=3)
        axes.plot(balance.drawn, rows, theme.SHAPES[0], color=theme.ARMS[1], ms=7)
        axes.set_yticks(rows, covariates)
        axes.set_ylim(len(covariates) - 0.4, -0.6)
        reach = 1.1 * float(np.nanmax(np.abs([*before, *after, balance.drawn])))
        axes.set_xlim(-reach, reach)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("Standardised difference (standard deviations)")
    return made
