"""What the gate knows of estimators' own numbers and of checks' tables; all else is withheld.

To let a new estimator's number out, add its name here with the rule that fits it:

    statistic   one number (or a small group of named ones) computed from the whole sample behind the
                estimate: judged with the estimate
    count       a count of people or events: judged by the threshold
    quantiles_of_effect   a posterior's quantiles by probability: of the effect, not of people
    grid        a smooth curve for plotting, {"x", "y"}: thinned to few points
    histogram   counts of re-draws (not of people) between edges
    setting     a choice or a technical figure of the computation, not a finding about people
    refused     known, and never printed: rests on one person or on few
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Rule = Literal["statistic", "count", "setting", "quantiles_of_effect", "grid", "histogram", "refused"]
ColumnRule = Literal["label", "people", "lost", "share_of_people", "magnitude", "statistic", "clusters"]

STRUCTURE = frozenset({"analysis", "role", "missing", "sensitivity_to", "behind"})
"""Entries that address an estimate and are judged elsewhere."""

LEAVES = frozenset(
    {
        "statistic", "df", "p_value", "value", "low", "high", "level", "kind", "standard_error", "clock",
        "treatment", "all_columns", "interval", "estimate", "method", "arm", "prior", "mean", "sd",
        "effective_draws", "probability_of_benefit", "probability_worthwhile", "r_hat", "ess_bulk",
        "ess_tail", "divergences", "monte_carlo_error", "name", "questions", "adjusted_p_value",
    }
)  # fmt: skip
"""Names that may stand inside a `statistic`."""

EXTRAS: Mapping[str, Rule] = {
    # differences in means, adjusted differences
    "variance": "setting",
    "unit_of_draw": "setting",
    "blocks": "setting",
    "covariates": "setting",
    "left_out": "setting",
    "pairs_left_out": "count",
    "arm_means": "refused",
    # time to event
    "log_hazard_ratio": "statistic",
    "log_likelihood": "statistic",
    "log_likelihood_at_zero": "statistic",
    "likelihood_ratio": "statistic",
    "proportionality": "statistic",
    "events": "count",
    "coefficients": "refused",
    # Bayesian
    "quantiles": "quantiles_of_effect",
    "density": "grid",
    "convergence": "statistic",
    "probability_below_no_effect": "statistic",
    "probability_above_no_effect": "statistic",
    "probability_of_benefit": "statistic",
    "probability_worthwhile": "statistic",
    "smallest_worthwhile": "setting",
    "prior_predictive": "statistic",
    "prior_sensitivity": "statistic",
    "risks": "statistic",
    "adjusted_for": "setting",
    # re-draws
    "statistic": "setting",
    "null": "setting",
    "exact": "setting",
    "redraws": "setting",
    "undefined": "setting",
    "conditional": "setting",
    "observed": "statistic",
    "monte_carlo_error": "statistic",
    "assumes": "setting",
    "no_interval": "setting",
    "histogram": "histogram",
    # effect sizes, clusters, several questions
    "icc": "statistic",
    "hedges_g": "statistic",
    "minimum_detectable_effect": "statistic",
    "design_effect": "statistic",
    "adjusted_p_value": "statistic",
    "family": "statistic",
    # single people's values, whatever they are called
    "minimum": "refused",
    "maximum": "refused",
    "residuals": "refused",
    "leverage": "refused",
    "weights": "refused",
}

CHECK_TABLES: Mapping[str, Mapping[str, ColumnRule]] = {
    "attrition": {
        "arm": "label",
        "randomised": "people",
        "observed": "people",
        "lost": "lost",
        "share_lost": "share_of_people",
        "clusters": "clusters",
        "clusters_lost": "clusters",
    },
}
"""Checks whose rows the gate knows, column by column; balance has a file of its own."""

EXTREMES = frozenset({"min", "max", "minimum", "maximum", "range", "smallest", "largest"})
