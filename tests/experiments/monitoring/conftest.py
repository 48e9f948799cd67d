"""Plans to hold against published numbers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from experiments.monitoring.declared import Sequential


@pytest.fixture
def plan() -> Callable[..., Sequential]:
    """`plan(rule, looks=5, ...)`: two-sided 5% at equally spaced looks, unless told otherwise."""

    def make(rule: Any, looks: int = 5, **changes: Any) -> Sequential:
        choices: dict[str, Any] = {
            "rule": rule,
            "alpha": 0.05,
            "sides": 2,
            "looks": tuple(Fraction(k, looks) for k in range(1, looks + 1)),
            "measure": "people with the outcome",
            "maximum": 500.0,
            "report": "median_unbiased",
        }
        return Sequential(**{**choices, **changes})

    return make
