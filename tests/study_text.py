"""Changed copies of a study file, for tests."""

from __future__ import annotations

import dataclasses

from experiments.load import dump, loads


def without(text: str, *analyses: str) -> str:
    """A study without some of its analyses (the slow ones)."""
    protocol = loads(text, name="changed")
    kept = {key: value for key, value in protocol.analyses.items() if key not in analyses}
    return dump(dataclasses.replace(protocol, analyses=kept))
