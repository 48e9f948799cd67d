"""The smallest effect that a trial of a given precision can detect (MDES), planned and achieved.

    MDES = (t_{1 - alpha/2, v} + t_{power, v}) * SE / SD

Achieved: SE and v of the finished analysis. Planned, in SD units, with P the share treated, J clusters or
sites of n people, rho the ICC, R1 and R2 the variance explained within and between, and g cluster-level
covariates (v beside each):

    individual      sqrt[(1 - R1) / (P (1-P) n)]                                           n - g - 2
    cluster         sqrt[rho (1-R2) / (P(1-P) J) + (1-rho)(1-R1) / (P(1-P) J n)]             J - g - 2
    sites, fixed    sqrt[(1-rho)(1-R1) / (P(1-P) J n)]                                      J (n - 2) - g
    sites, random   sqrt[rho w (1-Rt) / J + (1-rho)(1-R1) / (P(1-P) J n)]                    J - g - 1

w is the variance of effects between sites over the variance of means between sites. n may be a list of
sizes: its harmonic mean is used, as precision is an average of 1/n.

Reference: Bloom (1995), Evaluation Review 19, 547-556; Dong & Maynard (2013), Journal of Research on
Educational Effectiveness 6, 24-67 (IRA, CRA2_2r, BIRA2_1f and BIRA2_1r).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from scipy.stats import t as student

from data_contracts.refusal import Refusal


class NotDetectable(Refusal):
    """A planned trial with no degrees of freedom, or a share that is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectable:
    """The MDES in SD units with the SE and degrees of freedom behind it."""

    value: float
    standard_error: float
    df: float
    power: float
    level: float


def achieved(*, standard_error: float, sd: float, df: float, power: float, level: float) -> Detectable:
    """From a finished analysis: `standard_error` and `sd` in the outcome's unit."""
    return _detectable(standard_error / sd, df, power, level)


def planned(
    *,
    design: Literal["individual", "cluster", "sites_fixed", "sites_random"],
    share_treated: float,
    people: float | Sequence[int],
    power: float,
    level: float,
    groups: int = 1,
    icc: float = 0.0,
    explained_within: float = 0.0,
    explained_between: float = 0.0,
    effect_variation: float = 0.0,
    explained_effects: float = 0.0,
    covariates: int = 0,
) -> Detectable:
    """From a plan: `people` in all (individual), or in each of `groups` (one number, or their sizes)."""
    if not 0 < share_treated < 1:
        raise _refused("share_treated", str(share_treated), "between 0 and 1", "Write 1/2 for equal arms.")
    for name, value in (
        ("icc", icc),
        ("explained_within", explained_within),
        ("explained_between", explained_between),
    ):
        if not 0 <= value < 1:
            raise _refused(name, str(value), "zero or more and below 1", "Write a proportion, not a percent.")
    n = float(people) if isinstance(people, int | float) else len(people) / sum(1 / size for size in people)
    j = groups if isinstance(people, int | float) else len(people)
    spread = share_treated * (1 - share_treated)
    inside = (1 - icc) * (1 - explained_within) / (spread * j * n)
    if design == "individual":
        variance, df = (1 - explained_within) / (spread * n), n - covariates - 2
    elif design == "cluster":
        variance, df = icc * (1 - explained_between) / (spread * j) + inside, float(j - covariates - 2)
    elif design == "sites_fixed":
        variance, df = inside, j * (n - 2) - covariates
    else:
        variance, df = (
            icc * effect_variation * (1 - explained_effects) / j + inside,
            float(j - covariates - 1),
        )
    return _detectable(sqrt(variance), df, power, level)


def _detectable(error: float, df: float, power: float, level: float) -> Detectable:
    if not df > 0:
        raise _refused(
            "groups", f"{df:g} degrees of freedom", "one or more", "Plan more groups, or fewer covariates."
        )
    if not (0.5 < power < 1 and 0.5 <= level < 1):
        raise _refused(
            "power", f"{power} at level {level}", "proportions such as 0.8 and 0.95", "Write 0.8, not 80."
        )
    multiplier = float(student.ppf(0.5 + level / 2, df) + student.ppf(power, df))
    return Detectable(value=multiplier * error, standard_error=error, df=df, power=power, level=level)


def _refused(where: str, found: str, expected: str, remedy: str) -> NotDetectable:
    return NotDetectable(where=where, found=found, expected=expected, remedy=remedy)
