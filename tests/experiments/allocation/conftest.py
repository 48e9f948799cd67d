"""A roster, a beacon with a round, and sealed records to work on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest

from experiments.allocation import seal
from experiments.allocation.beacon import Beacon, Round
from experiments.allocation.canonical import roster_from
from experiments.allocation.strata import Plan

COMMITTED = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
NONCE = bytes(range(32))
BEACON = Beacon(name="test", genesis_time=1_700_000_000, period=30)
ROUND_NUMBER = BEACON.first_after(COMMITTED + timedelta(hours=1))
SIGNATURE = hashlib.sha256(b"a signature").digest()
ROUND = Round(
    number=ROUND_NUMBER, randomness=hashlib.sha256(SIGNATURE).hexdigest(), signature=SIGNATURE.hex()
)
HALVES = (Fraction(1, 2), Fraction(1, 2))


@pytest.fixture
def people() -> pd.DataFrame:
    """25 people in 3 boroughs and 7 schools, indexed by pseudonym; rows in no order."""
    number = range(25)
    frame = pd.DataFrame(
        {
            "borough": [["ash", "birch", "cedar"][(n % 7) % 3] for n in number],
            "school": [f"s{n % 7}" for n in number],
            "year": [7 + n % 5 for n in number],
        },
        index=pd.Index([f"p{(n * 11) % 25:03d}" for n in number], name="person"),
    )
    return frame


@pytest.fixture
def sealed_with(people: pd.DataFrame) -> Callable[..., seal.Sealed]:
    """`sealed_with(plan, ...)`: a commitment to the people under that plan."""

    def make(plan: Plan, **changes: Any) -> seal.Sealed:
        given: dict[str, Any] = {
            "study": "calder",
            "protocol": "ab" * 32,
            "design": {"scheme": "blocked", "block_by": list(plan.by)},
            "plan": plan,
            "roster": None if plan.sizes else roster_from(people, plan.columns),
            "entropy": seal.beacon_round(BEACON, ROUND_NUMBER, committed_at=COMMITTED),
            "committed_at": COMMITTED,
            "nonce": NONCE,
        }
        return seal.commit(**{**given, **changes})

    return make


@pytest.fixture
def blocked() -> Plan:
    """Three arms in unequal shares within boroughs."""
    return Plan(
        draw="fixed shares",
        arms=("mentoring", "sport", "usual"),
        shares=(Fraction(1, 2), Fraction(1, 6), Fraction(1, 3)),
        by=("borough",),
    )


@pytest.fixture
def rolling() -> Plan:
    """Two arms, blocks of four or six within boroughs."""
    return Plan(
        draw="sequential blocks", arms=("mentoring", "usual"), shares=HALVES, by=("borough",), sizes=(4, 6)
    )


@pytest.fixture
def given() -> Round:
    """The round that the commitments name."""
    return ROUND
