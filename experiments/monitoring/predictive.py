"""Bayesian stopping on a normal approximation: posterior, predictive probability of success, bounds.

The estimate of the benefit at information I (one over its squared standard error) is N(theta, 1 / I), and
theta has the prior N(m, s^2). With P = I + 1 / s^2,

    posterior             N((m / s^2 + I estimate) / P, 1 / P)
    P(theta > d | data)   Phi((posterior mean - d) sqrt(P))
    future estimate       N(posterior mean, 1 / P + 1 / (I_n - I)) from the information still to come

and the final estimate weighs what is there and what is to come by their information. Both
probabilities rise with the estimate, so the rule is a pair of bounds on Z = estimate sqrt(I), and its
frequency properties (how often a useless intervention passes) are found exactly, as those of any other
group-sequential rule.

Reference: Spiegelhalter, Freedman & Blackburn (1986), Controlled Clinical Trials 7, 8-17; Spiegelhalter,
Abrams & Myles (2004), Bayesian Approaches to Clinical Trials and Health-Care Evaluation, sections 6.6
and 6.12; Dmitrienko & Wang (2006), Statistics in Medicine 25, 2178-2195.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from experiments.monitoring.crossing import Crossing, Vector, crossing
from experiments.monitoring.declared import Bayesian, MonitoringRefused
from experiments.monitoring.looks import Action, check_information

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the rule says at one look; probabilities are of a benefit beyond the declared margin."""

    fraction: float
    posterior_mean: float
    posterior_sd: float
    probability: float
    predictive: float | None
    action: Action


def posterior(prior_mean: float, prior_sd: float, estimate: float, information: float) -> tuple[float, float]:
    """(mean, standard deviation) of the effect, given an estimate with this information."""
    precision = prior_sd**-2 + information
    return (prior_mean * prior_sd**-2 + information * estimate) / precision, float(precision**-0.5)


def predictive_probability(
    prior_mean: float,
    prior_sd: float,
    estimate: float,
    information: float,
    final_information: float,
    needed: float,
) -> float:
    """The chance that the final estimate is at least `needed`, given what was seen."""
    to_come = final_information - information
    if to_come <= 0:
        return float(estimate >= needed)
    mean, sd = posterior(prior_mean, prior_sd, estimate, information)
    centre = (information * estimate + to_come * mean) / final_information
    spread = to_come / final_information * np.sqrt(sd**2 + 1 / to_come)
    return float(ndtr((centre - needed) / spread))


def needed_estimate(
    prior_mean: float, prior_sd: float, information: float, margin: float, probability: float
) -> float:
    """The smallest estimate for which P(theta > margin | data) is at least `probability`."""
    precision = prior_sd**-2 + information
    mean = margin + float(ndtri(probability)) / np.sqrt(precision)
    return float((precision * mean - prior_mean * prior_sd**-2) / information)


def read_look(
    rule: Bayesian, amount: float, estimate: float, standard_error: float, *, towards: int, final: bool
) -> Reading:
    """The rule at a look with this `amount` of information in its measure.

    `estimate` and its standard error are on the analysis's scale (the log for ratios); `towards` is 1
    where higher is better and -1 where lower is.
    """
    fraction = float(check_information(rule.maximum, [amount], final=final)[0])
    if not (standard_error > 0 and np.isfinite(standard_error) and np.isfinite(estimate)):
        raise MonitoringRefused(
            where="look",
            found="an estimate or a standard error that is not a number",
            expected="a finite estimate and a standard error above zero",
            remedy="See why the analysis could not be run at this look.",
        )
    benefit, mean = towards * estimate, towards * rule.prior.mean
    information = standard_error**-2
    centre, sd = posterior(mean, rule.prior.sd, benefit, information)
    probability = float(ndtr((centre - rule.margin) / sd))
    if final:
        action: Action = "stop for benefit" if probability >= rule.final else "end without benefit"
        return Reading(
            fraction=1.0,
            posterior_mean=towards * centre,
            posterior_sd=sd,
            probability=probability,
            predictive=None,
            action=action,
        )
    last = max(rule.final_standard_error**-2, information)
    needed = needed_estimate(mean, rule.prior.sd, last, rule.margin, rule.final)
    predictive = predictive_probability(mean, rule.prior.sd, benefit, information, last, needed)
    action = (
        "stop for benefit"
        if probability >= rule.success
        else "stop for futility"
        if predictive < rule.futility
        else "go on"
    )
    return Reading(
        fraction=fraction,
        posterior_mean=towards * centre,
        posterior_sd=sd,
        probability=probability,
        predictive=predictive,
        action=action,
    )


def z_bounds(rule: Bayesian, *, towards: int) -> tuple[Floats, Floats, Floats]:
    """(information, lower, upper) at the planned looks: the rule as bounds on Z in the direction of benefit."""
    information = np.array([float(look) for look in rule.looks]) * rule.final_standard_error**-2
    mean, sd = towards * rule.prior.mean, rule.prior.sd
    last = information[-1]
    final = needed_estimate(mean, sd, last, rule.margin, rule.final)
    lower, upper = [], []
    for now in information[:-1]:
        upper.append(needed_estimate(mean, sd, now, rule.margin, rule.success) * np.sqrt(now))
        lower.append(min(_futile(rule, mean, now, last, final) * np.sqrt(now), upper[-1]))
    return information, np.array([*lower, final * np.sqrt(last)]), np.array([*upper, final * np.sqrt(last)])


def operating(rule: Bayesian, benefit: float, *, towards: int) -> Crossing:
    """Chances of stopping at each planned look where the true benefit is `benefit`, signed to be good above 0.

    At `benefit` 0 the sum of `upper` is the rule's type I error.
    """
    information, lower, upper = z_bounds(rule, towards=towards)
    return crossing(information, lower, upper, benefit)


def _futile(rule: Bayesian, mean: float, now: float, last: float, needed: float) -> float:
    """The estimate at which the predictive probability equals the futility limit: linear in the estimate."""
    if rule.futility == 0:
        return -np.inf
    to_come = last - now
    precision = rule.prior.sd**-2 + now
    spread = to_come / last * np.sqrt(1 / precision + 1 / to_come)
    target = needed + float(ndtri(rule.futility)) * spread
    slope = (now + to_come * now / precision) / last
    return float((target - to_come * mean * rule.prior.sd**-2 / precision / last) / slope)


def expected_fraction(rule: Bayesian, chance: Crossing) -> float:
    """The mean share of the planned information at which the trial ends."""
    looks: Vector = [float(look) for look in rule.looks]
    ended = (chance.upper + chance.lower)[:-1]
    return float(ended @ np.asarray(looks)[:-1] + (1 - ended.sum()))
