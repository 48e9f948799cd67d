"""Predictive probability of success for two proportions, exactly, by the beta-binomial.

With independent Beta(a, b) priors, x events among n people so far and m still to come, the number of
events to come is beta-binomial. Success at the end is a posterior probability of benefit of at least
`final`; its predictive probability sums the joint chances of all pairs of numbers to come:

    P(success) = sum over (y1, y0) of BB(y1 | m1) BB(y0 | m0) 1{P(p1 better than p0 + margin | all) >= final}.

The posterior probabilities of all pairs come from one matrix product over a quadrature grid.

Reference: Dmitrienko & Wang (2006), Statistics in Medicine 25, 2178-2195; Saville, Connor, Ayers & Alvarez
(2014), Clinical Trials 11, 485-493.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, gammaln
from scipy.stats import beta as beta_law

from experiments.monitoring.declared import MonitoringRefused

Floats = NDArray[np.float64]
QUADRATURE = 400
"""Gauss-Legendre nodes on each arm's posterior range; twice as many change no digit in eight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm at a look: events among people seen so far, and people still `to_come`."""

    events: int
    people: int
    to_come: int

    def __post_init__(self) -> None:
        if not (0 <= self.events <= self.people and self.people >= 1 and self.to_come >= 0):
            raise MonitoringRefused(
                where="look",
                found="more events than people, or nobody",
                expected="0 <= events <= people, and at least one person",
                remedy="Check the counts of the look.",
            )


def predictive_success(
    arm: Arm,
    reference: Arm,
    *,
    prior: tuple[float, float],
    better: Literal["lower", "higher"],
    margin: float,
    final: float,
) -> float:
    """The chance that the final analysis finds P(benefit > margin | data) >= `final`.

    `prior` is the (a, b) of both arms' beta priors; `margin` is on the scale of the risk difference.
    """
    if min(prior) <= 0:
        raise MonitoringRefused(
            where="prior",
            found=str(prior),
            expected="two numbers above zero",
            remedy="Beta(1, 1) is uniform.",
        )
    success = all_posteriors(arm, reference, prior=prior, better=better, margin=margin) >= final
    return float(beta_binomial(arm, prior) @ success @ beta_binomial(reference, prior))


def beta_binomial(arm: Arm, prior: tuple[float, float]) -> Floats:
    """(to_come + 1,) chances of each number of events among those to come."""
    y = np.arange(arm.to_come + 1)
    a, b = prior[0] + arm.events, prior[1] + arm.people - arm.events
    ways = gammaln(arm.to_come + 1) - gammaln(y + 1) - gammaln(arm.to_come - y + 1)
    return np.asarray(np.exp(ways + betaln(a + y, b + arm.to_come - y) - betaln(a, b)))


def all_posteriors(
    arm: Arm,
    reference: Arm,
    *,
    prior: tuple[float, float],
    better: Literal["lower", "higher"],
    margin: float,
) -> Floats:
    """(to_come + 1, to_come + 1) posterior probabilities of benefit beyond `margin`, for every ending."""
    node, weight = np.polynomial.legendre.leggauss(QUADRATURE)
    a0, b0 = _ending(reference, prior)
    # Each column its own range: all of the posterior but 1e-12 in each tail.
    low, high = np.asarray(beta_law.ppf(1e-12, a0, b0)), np.asarray(beta_law.ppf(1 - 1e-12, a0, b0))
    out = np.empty((arm.to_come + 1, reference.to_come + 1))
    a1, b1 = _ending(arm, prior)
    for column in range(reference.to_come + 1):
        p = low[column] + (high[column] - low[column]) * (node + 1) / 2
        mass = beta_law.pdf(p, a0[column], b0[column]) * weight * (high[column] - low[column]) / 2
        edge = np.clip(p - margin if better == "lower" else p + margin, 0.0, 1.0)
        below = betainc(a1[:, None], b1[:, None], edge[None, :])
        out[:, column] = (below if better == "lower" else 1 - below) @ mass
    return out


def _ending(arm: Arm, prior: tuple[float, float]) -> tuple[Floats, Floats]:
    y = np.arange(arm.to_come + 1, dtype=np.float64)
    return prior[0] + arm.events + y, prior[1] + arm.people - arm.events + arm.to_come - y
