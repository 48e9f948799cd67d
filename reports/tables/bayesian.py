"""Tables of what a posterior says, and of how far it depends on the prior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports import wording as w
from reports.gate.verdict import NOT_AVAILABLE, shown
from reports.tables.accessible import table
from reports.values import Values


def bayesian_estimates(v: Values) -> list[Mapping[str, Any]]:
    """The released estimates that have a credible interval, of each outcome under its own definition."""
    return [
        e
        for e in v.record.get("estimates", ())
        if isinstance(e["interval"], Mapping)
        and e["interval"]["kind"] == "credible"
        and e["definition"] is None
    ]


def belief(v: Values) -> str:
    """Posterior probabilities, and whether the sampler converged."""
    rows = []
    for e in bayesian_estimates(v):
        extra = e["extra"]
        convergence = extra.get("convergence", {})
        rows.append(
            {
                "analysis": w.upper_first(str(e["analysis"]).replace("_", " ")),
                "value": v(f"estimate.{e['key']}.full"),
                "benefit": _chance(extra.get("probability_of_benefit")),
                "worthwhile": _chance(extra.get("probability_worthwhile")),
                "r_hat": _figure(convergence.get("r_hat"), 3),
                "ess": _figure(convergence.get("ess_bulk"), 0),
                "divergences": _figure(convergence.get("divergences"), 0),
            }
        )
    if not rows:
        return "\nThe study declares no Bayesian analysis.\n" if v.present else ""
    return table(
        rows,
        caption="What the Bayesian analyses say, and whether their sampling converged" + _mark(v),
        heads={
            "analysis": "Analysis",
            "value": "Estimate",
            "benefit": "Probability of any benefit",
            "worthwhile": "Probability of a worthwhile benefit",
            "r_hat": "R-hat",
            "ess": "Effective draws",
            "divergences": "Divergences",
        },
        numbers=("benefit", "worthwhile", "r_hat", "ess", "divergences"),
        note="Worthwhile means at least the smallest worthwhile effect that the study declares. R-hat compares "
        "the chains; the run refuses an answer from chains that disagree.",
    )


def prior_sensitivity(v: Values) -> str:
    """The same posterior under narrower, wider and flat priors."""
    rows = []
    for e in bayesian_estimates(v):
        found = e["extra"].get("prior_sensitivity", ())
        ends = [row[k] for row in found for k in ("value", "low", "high") if shown(row.get(k))]
        digits = w.places(e["scale"], e["standard_error"], ends)
        for row in found:
            known = shown(row.get("value"))
            rows.append(
                {
                    "prior": w.upper_first(str(row["prior"])),
                    "value": w.effect(e["scale"], row["value"], e["unit"], digits)
                    if known
                    else NOT_AVAILABLE,
                    "interval": w.span(e["scale"], row["low"], row["high"], digits)
                    if known
                    else NOT_AVAILABLE,
                    "benefit": _chance(row.get("probability_of_benefit")),
                    "worthwhile": _chance(row.get("probability_worthwhile")),
                }
            )
    if not rows:
        return ""
    level = next(w.level(e["interval"]["level"]) for e in bayesian_estimates(v))
    return table(
        rows,
        caption="How far the Bayesian answer depends on the prior of the effect" + _mark(v),
        heads={
            "prior": "Prior",
            "value": "Estimate",
            "interval": f"{level} credible interval",
            "benefit": "Probability of any benefit",
            "worthwhile": "Probability of a worthwhile benefit",
        },
        numbers=("benefit", "worthwhile"),
    )


def _mark(v: Values) -> str:
    """The mark of provisional numbers where any of these estimates is one."""
    estimands = v.record["protocol"]["estimands"]
    outcomes = (estimands[e["estimand"]]["outcome"] for e in bayesian_estimates(v))
    return max((v(f"outcome.{name}.mark") for name in outcomes), default="")


def _chance(value: Any) -> str:
    return w.probability(value) if shown(value) else NOT_AVAILABLE


def _figure(value: Any, digits: int) -> str:
    return w.number(value, digits) if shown(value) else NOT_AVAILABLE
