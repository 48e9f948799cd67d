"""Allocation by the order of HMACs: any language can recompute it, for ever.

Every random quantity is HMAC-SHA256 under the seed of the canonical JSON list ["desist-allocation/1",
purpose, ...]. In a stratum of n units with exact shares f_k:

1. Arm k has floor(n f_k) places. The places left over, sum_k (n f_k - floor(n f_k)), go to arms by
   systematic sampling of the remainders r_k: with L the least common denominator, arms in the order
   of their HMACs, A_j the running sums of L r_k and v uniform on {0, ..., L - 1}, arm j gets one more
   place if some v + tL (t = 0, 1, ...) lies in [A_{j-1}, A_j). So P(one more place for k) = r_k exactly,
   and every unit's chance of arm k is exactly f_k.
2. Units stand in the order of their HMACs; the first places go to the first arm, and so on.

v is exactly uniform: of HMAC outputs read as 256-bit numbers, those at or above the largest multiple
of L are passed over.

Reference: Krawczyk, Bellare & Canetti (1997), RFC 2104; Madow (1949), Ann. Math. Stat. 20, 333-354.
The bytes are specified in docs/allocation-format.md.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from experiments.allocation.canonical import canonical

FORMAT = "desist-allocation/1"
ALGORITHM = "hmac-order/1"

Label = Sequence[str | int]


def mac(key: bytes, *fields: Any) -> bytes:
    """HMAC-SHA256 of the canonical list of the format's name and `fields`."""
    return hmac.digest(key, canonical([FORMAT, *fields]), "sha256")


def below(seed: bytes, limit: int, purpose: str, stratum: Label, *fields: Any) -> int:
    """A whole number uniform on {0, ..., limit - 1}, exactly."""
    ceiling = 2**256 - 2**256 % limit
    attempt = 0
    while True:
        number = int.from_bytes(mac(seed, purpose, list(stratum), *fields, attempt), "big")
        if number < ceiling:
            return number % limit
        attempt += 1


def ordered[T: (str, int)](seed: bytes, stratum: Label, units: Sequence[T]) -> list[T]:
    """The units in the order of their HMACs."""
    return sorted(units, key=lambda unit: mac(seed, "order", list(stratum), unit))


def places(
    seed: bytes, stratum: Label, units: int, arms: Sequence[str], shares: Sequence[Fraction]
) -> list[int]:
    """How many of `units` go to each arm: whole parts, and the remainders by one exact draw."""
    counts = [int(units * share) for share in shares]
    remainders = [units * share - whole for share, whole in zip(shares, counts, strict=True)]
    if not any(remainders):
        return counts
    limit = lcm(*(remainder.denominator for remainder in remainders))
    start = below(seed, limit, "remainder", stratum)
    upper = 0
    for k in sorted(range(len(arms)), key=lambda k: mac(seed, "arm", list(stratum), arms[k])):
        lower, upper = upper, upper + int(remainders[k] * limit)
        first = start + limit * max(0, -((start - lower) // limit))
        counts[k] += int(lower <= first < upper)
    return counts


def fixed_shares(
    seed: bytes, stratum: Label, units: Sequence[str], arms: Sequence[str], shares: Sequence[Fraction]
) -> dict[str, str]:
    """Arm by unit: every arm its exact share of the stratum."""
    counts = places(seed, stratum, len(units), arms, shares)
    line = [arm for arm, count in zip(arms, counts, strict=True) for _ in range(count)]
    return dict(zip(ordered(seed, stratum, units), line, strict=True))


def independent(
    seed: bytes, stratum: Label, units: Sequence[str], arms: Sequence[str], shares: Sequence[Fraction]
) -> dict[str, str]:
    """Arm by unit: each unit by a draw of its own."""
    limit = lcm(*(share.denominator for share in shares))
    edges = [int(sum(shares[: k + 1], Fraction(0)) * limit) for k in range(len(arms))]
    out: dict[str, str] = {}
    for unit in units:
        number = below(seed, limit, "unit", stratum, unit)
        out[unit] = next(arm for arm, edge in zip(arms, edges, strict=True) if number < edge)
    return out
