"""All analyses of the primary question on one axis: confidence and credible intervals side by side."""

from __future__ import annotations

from collections.abc import Mapping

from reports.figures.forest import folded, forest
from reports.figures.picture import Picture
from reports.gate.verdict import shown
from reports.values import Values


def picture(v: Values) -> Picture | None:
    """A forest of the estimates that share the primary estimand, its definition and its scale."""
    primary = v.record["primary"]
    chosen = [
        e
        for e in v.record["estimates"]
        if e["estimand"] == primary["estimand"]
        and e["definition"] is None
        and shown(e["value"])
        and isinstance(e["interval"], Mapping)
    ]
    if not chosen:
        return None
    chosen = [e for e in chosen if e["scale"] == chosen[0]["scale"]]
    keys = [f"estimate.{e['key']}" for e in chosen]
    said = [f"{v(f'{key}.estimator')}: {v(f'{key}.full')}" for key in keys]
    return forest(
        chosen,
        [f"{folded(v(f'{key}.estimator'))}\n{v(f'{key}.short')}" for key in keys],
        caption="The same question answered in several ways. Circles: confidence intervals. "
        f"Diamonds: credible intervals{v('primary.mark')}.",
        alt=f"Estimates with intervals. {'; '.join(said)}.",
    )
