"""The released estimates as a DataFrame of finished texts, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports import wording as w
from reports.tables.results import sureness
from reports.values import Values

if TYPE_CHECKING:
    import pandas as pd


def effects_frame(v: Values) -> pd.DataFrame:
    """One row to an analysis, indexed by its name: outcome, estimator, value, interval, certainty, people, status."""
    import pandas as pd

    rows = []
    for e in v.record.get("estimates", ()):
        key = f"estimate.{e['key']}"
        rows.append(
            {
                "analysis": e["key"],
                "outcome": v(f"{key}.label"),
                "estimator": v(f"{key}.estimator"),
                "scale": w.upper_first(v(f"{key}.scale")),
                "effect": v(f"{key}.value"),
                "interval": v(f"{key}.interval"),
                "level and kind": v(f"{key}.interval_name"),
                "p-value or probability": sureness(v, e),
                "people": v(f"{key}.n"),
                "status": v(f"{key}.status"),
            }
        )
    return pd.DataFrame(rows).set_index("analysis") if rows else pd.DataFrame()
