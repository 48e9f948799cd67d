"""Means of cluster values, one or two of them, with the variance between clusters.

For weights w_c, m = sum w_c v_c / sum w_c and, with G clusters,

    V = G / (G - 1) sum w_c^2 (v_c - m)^2 / (sum w_c)^2

which is s^2 / G where the weights are equal. Two means of different clusters add their variances, with
Welch and Satterthwaite's degrees of freedom.

Reference: Hudgens & Halloran (2008), JASA 103, 832-842, section 5, for equal weights and clusters
that are a small part of all; Welch (1947), Biometrika 34, 28-35.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.estimate import EstimatorRefused
from evaluation.sample import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weighted:
    """Values of G clusters, (G,), their weights (G,), and how many people are behind them."""

    value: Floats
    weight: Floats
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One contrast: its value, variance and degrees of freedom, and who is behind it."""

    value: float
    variance: float
    df: float
    clusters: int
    people: int


def single(values: Weighted, *, where: str) -> Effect:
    """The weighted mean over clusters."""
    count = len(values.value)
    if count < 2:
        raise EstimatorRefused(
            where=where,
            found=f"{count} cluster{'' if count == 1 else 's'} with the people this effect compares",
            expected="two or more, for a variance between them",
            remedy="Ask for an effect between saturations that have more clusters.",
        )
    share = values.weight / values.weight.sum()
    mean = float(share @ values.value)
    variance = count / (count - 1) * float(np.sum((share * (values.value - mean)) ** 2))
    return Effect(value=mean, variance=variance, df=count - 1.0, clusters=count, people=values.people)


def difference(upper: Weighted, lower: Weighted, *, where: tuple[str, str]) -> Effect:
    """The mean over some clusters less the mean over others."""
    a, b = single(upper, where=where[0]), single(lower, where=where[1])
    variance = a.variance + b.variance
    spread = a.variance**2 / a.df + b.variance**2 / b.df
    return Effect(
        value=a.value - b.value,
        variance=variance,
        df=variance**2 / spread if spread > 0 else min(a.df, b.df),
        clusters=a.clusters + b.clusters,
        people=a.people + b.people,
    )
