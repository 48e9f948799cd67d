"""The primary result under each definition of the outcome, on one axis."""

from __future__ import annotations

from collections.abc import Mapping

from reports import wording as w
from reports.figures.forest import folded, forest
from reports.figures.picture import Picture
from reports.gate.verdict import shown
from reports.keys.definitions import definition_label
from reports.values import Values


def picture(v: Values) -> Picture | None:
    """A forest of the primary analysis under every definition; None where it has only its own."""
    primary = v.record["primary"]
    chosen = [
        e
        for e in v.record["estimates"]
        if e["analysis"] == primary["analysis"]
        and (e["definition"] is not None or e["key"] == primary["analysis"])
        and shown(e["value"])
        and isinstance(e["interval"], Mapping)
    ]
    if len(chosen) < 2:
        return None
    own = next(
        (r["id"] for r in v.record["definitions"] if r["own"] and r["outcome"] == primary["outcome"]), ""
    )
    labels = [definition_label(v.record, primary["outcome"], e["definition"] or own) for e in chosen]
    keys = [f"estimate.{e['key']}" for e in chosen]
    said = [f"{w.upper_first(label)}: {v(f'{key}.full')}" for label, key in zip(labels, keys, strict=True)]
    return forest(
        chosen,
        [
            f"{folded(w.upper_first(label))}\n{v(f'{key}.short')}"
            for label, key in zip(labels, keys, strict=True)
        ],
        caption="The primary result under each definition of the outcome, the study's own first"
        f"{v('primary.mark')}.",
        alt=f"Estimates with intervals, by definition. {'; '.join(said)}.",
    )
