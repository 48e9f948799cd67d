"""The estimate to print after interim looks: adjusted for when the trial could have stopped.

The value is the median-unbiased or the bias-adjusted estimate, as the study declares; the interval and
the p-value are of the stage-wise ordering. The ordinary estimate stands beside it in `extra`. Where
data came in after the look that ended the trial, that look is what is adjusted, and the analysis of
all data is shown as over-running (the deletion method).

Reference: Jennison & Turnbull (2000), chapter 8; Whitehead (1992), Controlled Clinical Trials 13,
106-121 (over-running).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp, log
from pathlib import Path

import numpy as np

from evaluation.estimate import Estimate, EstimatorRefused, Interval
from evaluation.monitoring.stagewise import adjusted, bias_adjusted
from experiments.allocation.ledger import Ledger
from experiments.monitoring.declared import Monitoring, Sequential
from experiments.monitoring.looks import bounds
from experiments.monitoring.predictive import operating, z_bounds
from experiments.monitoring.record import FILE, Look, check_tied, looks_in
from experiments.outcome import RATIO_SCALES
from experiments.protocol import Protocol

# The last look and the run compute the same estimate from the same data, up to the text of the record.
SAME = 1e-9


def monitored(protocol: Protocol, analysis: str, estimate: Estimate, data: Path) -> Estimate:
    """`estimate` as it is where its analysis was not monitored; else adjusted, by the record in `data`."""
    plan = protocol.monitoring
    if plan is None or plan.analysis != analysis:
        return estimate
    entries = Ledger(path=data / FILE).entries()
    check_tied(entries, protocol.fingerprint)
    outcome = protocol.outcomes[protocol.estimands[protocol.analyses[analysis].estimand].outcome]
    towards = 1 if outcome.better == "higher" else -1
    return after_looks(estimate, plan, looks_in(entries), towards=towards)


def after_looks(estimate: Estimate, plan: Monitoring, looks: Sequence[Look], *, towards: int) -> Estimate:
    """The estimate adjusted for the looks taken; without any, as it is, and saying so."""
    if not looks:
        return replace(estimate, extra={**estimate.extra, "monitoring": {"looks": 0}})
    if estimate.standard_error is None or estimate.interval is None:
        raise EstimatorRefused(
            where="monitoring.analysis",
            found=f"an estimate by {estimate.estimator} without a standard error",
            expected="an analysis with a standard error",
            remedy="Monitor an analysis such as difference_in_means.",
        )
    if plan.bayesian is not None:
        return _bayesian(estimate, plan, looks, towards=towards)
    assert plan.sequential is not None
    return _sequential(estimate, plan.sequential, looks, towards=towards)


def _sequential(estimate: Estimate, plan: Sequential, looks: Sequence[Look], *, towards: int) -> Estimate:
    onto, back = _scale(estimate.scale)
    last = looks[-1]
    amounts = [look.amount for look in looks]
    final = last.final or last.action != "go on"
    found = bounds(plan, amounts, final=last.final)
    information = np.array(amounts) / last.amount * last.standard_error**-2
    lower = found.lower if found.binding else np.full(len(looks), -np.inf)
    statistic = towards * last.statistic
    level = _level(estimate)
    result = adjusted(information, lower, found.upper, statistic, level=level, sides=plan.sides)
    value = result.median_unbiased
    bias_free = _bias_free(plan, looks, towards)
    if plan.report == "bias_adjusted":
        value = bias_free
    naive_now = onto(estimate.value)
    ran_over = abs(naive_now - last.estimate) > SAME * max(1.0, abs(naive_now))
    ends = sorted(back(towards * end) for end in (result.low, result.high))
    extra = {
        "looks": len(looks),
        "stopped_at": float(found.fractions[-1]),
        "said": last.action,
        "ended": final,
        "reported": plan.report,
        "median_unbiased": back(towards * result.median_unbiased),
        "bias_adjusted": back(towards * bias_free),
        "ordinary": {
            "value": estimate.value,
            "low": estimate.interval.low if estimate.interval else None,
            "high": estimate.interval.high if estimate.interval else None,
            "p_value": estimate.p_value,
        },
        "over_running": ran_over,
        "bounds": [
            {
                "look": look + 1,
                "fraction": float(found.fractions[look]),
                "lower": None if not np.isfinite(found.lower[look]) else float(found.lower[look]),
                "upper": float(found.upper[look]),
                "statistic": towards * looks[look].statistic,
                "spent": float(found.spent[look]),
                "said": looks[look].action,
            }
            for look in range(len(looks))
        ],
    }
    return replace(
        estimate,
        value=back(towards * value),
        standard_error=last.standard_error,
        interval=Interval(low=ends[0], high=ends[1], level=level, kind="confidence"),
        p_value=result.p_value,
        df=None,
        extra={**estimate.extra, "monitoring": extra},
    )


def _bias_free(plan: Sequential, looks: Sequence[Look], towards: int) -> float:
    """The bias-adjusted benefit, over the looks taken and those that were planned after them."""
    last = looks[-1]
    amounts = [look.amount for look in looks]
    if not last.final:
        amounts += [float(t) * plan.maximum for t in plan.looks if float(t) * plan.maximum > last.amount]
    found = bounds(plan, amounts, final=True)
    information = np.array(amounts) / last.amount * last.standard_error**-2
    lower = found.lower if found.binding else np.full(len(amounts), -np.inf)
    return bias_adjusted(information, lower, found.upper, towards * last.estimate)


def _bayesian(estimate: Estimate, plan: Monitoring, looks: Sequence[Look], *, towards: int) -> Estimate:
    """A posterior needs no adjustment for looks; how often the rule misleads is a property of the rule."""
    rule = plan.bayesian
    assert rule is not None
    _, lower, upper = z_bounds(rule, towards=towards)
    nothing = operating(rule, 0.0, towards=towards)
    extra = {
        "looks": len(looks),
        "stopped_at": looks[-1].amount / rule.maximum,
        "said": looks[-1].action,
        "reported": "as estimated: a posterior does not depend on when one looked",
        "false_success": float(nothing.upper.sum()),
        "bounds": [
            {
                "look": k + 1,
                "fraction": float(t),
                "lower": None if not np.isfinite(low) else float(low),
                "upper": float(high),
            }
            for k, (t, low, high) in enumerate(zip(rule.looks, lower, upper, strict=True))
        ],
    }
    return replace(estimate, extra={**estimate.extra, "monitoring": extra})


def _level(estimate: Estimate) -> float:
    assert estimate.interval is not None
    return estimate.interval.level


def _scale(scale: str) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """To and from the analysis's scale: the log for ratios."""
    return (log, exp) if scale in RATIO_SCALES else (float, float)
