"""Two-level fractional factorials: which effects a fraction cannot tell apart.

A fraction is defined by generators such as `d = a * b * c`, with levels coded -1 (first listed) and
+1. Each generator gives a word (abcd) whose product is constant over the fraction; all products of
words form the defining relation. Two effects whose product is a word are aliased: their contrasts are
the same numbers. The resolution is the length of the shortest word.

Reference: Box, Hunter & Hunter (2005), Statistics for Experimenters, 2nd edition, chapter 6; Collins,
Dziak & Li (2009), Psychological Methods 14, 202-224 (fractions in intervention research).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from experiments.roster import DesignRefused

Word = frozenset[str]
Signed = tuple[Word, int]


def defining_relation(generators: tuple[str, ...], factors: tuple[str, ...]) -> tuple[Signed, ...]:
    """Every word with its sign (+1 or -1): products of the generators' words."""
    base = [_word(generator, factors) for generator in generators]
    words: list[Signed] = []
    for size in range(1, len(base) + 1):
        for chosen in combinations(base, size):
            word: Word = frozenset()
            sign = 1
            for part, part_sign in chosen:
                word, sign = word ^ part, sign * part_sign
            if not word:
                raise DesignRefused(
                    where="generators",
                    found="generators that repeat one another",
                    expected="independent generators",
                    remedy="Remove the one that follows from the others.",
                )
            words.append((word, sign))
    return tuple(words)


def resolution(generators: tuple[str, ...], factors: tuple[str, ...]) -> int | None:
    """The length of the shortest word; None for a full factorial."""
    words = defining_relation(generators, factors)
    return min((len(word) for word, _ in words), default=None)


def aliases(
    effect: tuple[str, ...], generators: tuple[str, ...], factors: tuple[str, ...]
) -> tuple[str, ...]:
    """The effects that the fraction confounds with `effect`, signed, shortest first."""
    mine = frozenset(effect)
    found = [(mine ^ word, sign) for word, sign in defining_relation(generators, factors)]
    named = [
        ("-" if sign < 0 else "") + (" * ".join(f for f in factors if f in word) or "mean")
        for word, sign in found
    ]
    return tuple(sorted(named, key=lambda name: (name.count("*"), name)))


def in_fraction(levels: Mapping[str, int], generators: tuple[str, ...], factors: tuple[str, ...]) -> bool:
    """Whether a combination of levels (-1 or +1 by factor) satisfies every generator."""
    for word, sign in (_word(generator, factors) for generator in generators):
        product = 1
        for factor in word:
            product *= levels[factor]
        if product != sign:
            return False
    return True


def _word(generator: str, factors: tuple[str, ...]) -> Signed:
    """`d = a * b` as the word {a, b, d}; a minus after the equals sign gives it the sign -1."""
    left, equals, right = generator.partition("=")
    body = right.strip()
    sign = -1 if body.startswith("-") else 1
    parts = [left.strip(), *(part.strip() for part in body.removeprefix("-").split("*"))]
    if not equals or len(parts) < 3 or len(set(parts)) != len(parts) or not set(parts) <= set(factors):
        raise DesignRefused(
            where="generators",
            found=f"'{generator}'",
            expected=f"a line such as 'd = a * b' over the factors {', '.join(factors)}",
            remedy="Name each factor once.",
        )
    return frozenset(parts), sign
