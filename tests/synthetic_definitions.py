"""A run written by hand whose primary outcome is also counted under other definitions."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

from synthetic_run import ARMS, run_content

SHA = hashlib.sha256(b"definition").hexdigest()
OWN, WIDE, NEAR = "violence_with_injury", "london_serious_violence", "near_miss_homicide"


def definition(name: str, *, own: bool = False, events: int = 60, apart: dict[str, int] | None = None) -> Any:
    arms = [
        {
            "outcome": "rearrest", "arm": arm, "people": 216, "observed": 216, "events": float(events), "mean": 0.2,
            "sd": None, "exposure": None,
        }
        for arm in ARMS
    ]  # fmt: skip
    return {
        "outcome": "rearrest", "own": own, "id": name, "label": name.replace("_", " "), "version": "1.0.0",
        "date": "2024-01-01", "locality": "Somewhere", "words": f"The words of {name}.", "source": "A source.",
        "reading": "A reading.", "sha256": SHA, "arms": arms,
        "apart": [
            {"arm": arm, "against": against, "people": people}
            for against, people in (apart or {}).items()
            for arm in ARMS
        ],
    }  # fmt: skip


def content(*others: Any, value: float = -0.083, reach: float = 0.083) -> tuple[Any, Any]:
    """The LIFE numbers with the primary outcome also under other definitions; one estimate for each of them."""
    findings, evidence = run_content()
    evidence["definitions"] = [definition(OWN, own=True), *others]
    primary = findings["estimates"][0]
    for row in others:
        one = copy.deepcopy(primary)
        one["value"] = value
        one["interval"] |= {"low": value - reach, "high": value + reach}
        one["extra"] |= {"definition": row["id"], "sensitivity_to": "primary"}
        findings["estimates"].append(one)
    return findings, evidence
