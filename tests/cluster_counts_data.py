"""The data of `studies/cluster_counts.yaml`: 24 schools of unequal size in three boroughs, rate ratio 0.75."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

RATE_RATIO = 0.75


def tables(seed: int) -> dict[str, pd.DataFrame]:
    """The two tables by contract name; about one in thirty young people has no police record to link."""
    rng = np.random.default_rng(seed)
    borough = np.repeat(["mid", "north", "south"], 8)
    treated = np.concatenate([rng.permutation(np.tile([0, 1], 4)) for _ in range(3)])
    sizes = np.maximum(6, rng.gamma(4.0, 6.0, 24).astype(int))
    school = np.repeat(np.arange(24), sizes)
    n = len(school)
    earlier = rng.poisson(rng.gamma(1.2, 1.0, n))
    age = np.clip(np.round(rng.normal(14, 1.6, n)), 10, 17).astype(int)
    years = np.round(np.where(rng.random(n) < 0.8, 1.0, rng.uniform(0.3, 1.0, n)), 3)
    rate = (
        1.1
        * RATE_RATIO ** treated[school]
        * np.exp(0.25 * rng.normal(size=24)[school] + 0.15 * (earlier - 1.2))
    )
    count = np.minimum(rng.poisson(rate * years * rng.gamma(1.5, 1 / 1.5, n)), 60)
    person = [f"P{i + 1:04d}" for i in range(n)]
    participants = pd.DataFrame(
        {
            "person": person,
            "school": [f"S{s + 1:02d}" for s in school],
            "borough": borough[school],
            "arm": np.where(treated[school] == 1, "mentoring", "usual"),
            "age": age,
            "earlier_incidents": np.minimum(earlier, 40),
        }
    )
    contact = pd.DataFrame(
        {
            "person": person,
            "years_at_risk": years,
            "violent_incidents": count,
            "any_incident": (count > 0).astype(int),
        }
    )
    return {
        "mentoring_participants": participants,
        "mentoring_police_contact": contact[rng.random(n) > 1 / 30],
    }


def write(folder: Path, seed: int = 7) -> Path:
    """The tables as CSV files named after their contracts, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables(seed).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder
