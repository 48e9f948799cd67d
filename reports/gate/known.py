"""What the gate knows of estimators' own numbers and of checks' tables; all else is withheld.

To let a new estimator's number out, add its name here with the rule that fits it:

    statistic   one number (or a small group of named ones) computed from the whole sample behind the
                estimate: judged with the estimate
    count       a count of people or events: judged by the threshold
    quantiles_of_effect   a posterior's quantiles by probability: of the effect, not of people
    grid        a smooth curve for plotting, {"x", "y"}: thinned to few points
    histogram   counts of re-draws (not of people) between edges
    shares      shares of the people behind the estimate: each must be neither few nor all but few
    groups      rows about groups of people: each judged by the people behind it
    setting     a choice or a technical figure of the computation, not a finding about people
    refused     known, and never printed: rests on one person or on few
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Rule = Literal[
    "statistic", "count", "setting", "quantiles_of_effect", "grid", "histogram", "shares", "groups", "refused"
]
ColumnRule = Literal["label", "people", "lost", "share_of_people", "magnitude", "statistic", "clusters"]

STRUCTURE = frozenset({"analysis", "role", "missing", "sensitivity_to", "behind", "definition"})
"""Entries that address an estimate and are judged elsewhere."""

LEAVES = frozenset(
    {
        "adjusted_p_value", "all_columns", "any_event", "arm", "change_in_effect_per_unit", "clock", "clusters",
        "covariate", "denominator_df", "design", "df", "divergences", "effect", "effective_draws", "ess_bulk",
        "ess_tail", "estimate", "events_among_those_with_one", "f", "high", "icc", "interval", "kind", "label", "level",
        "low", "mean", "median", "method", "monte_carlo_error", "name", "numerator_df", "p_value", "p_value_holm",
        "periods_treated", "pieces", "power", "prior", "probability_of_benefit", "probability_worthwhile", "q", "question",
        "questions", "r_hat", "restricted_mean", "sd", "sd_between_clusters", "shape", "spread", "standard_error",
        "standardiser", "statistic", "treatment", "value", "adjusted", "standardised_risk", "unit", "covariates",
    }
)  # fmt: skip
"""Names that may stand inside a `statistic` or a row about a group."""

_SETTINGS = (
    "variance", "unit_of_draw", "units_of_draw", "blocks", "blocks_absorbed", "covariates", "left_out", "adjusted",
    "adjusted_for", "smallest_worthwhile", "statistic", "null", "exact", "redraws", "undefined", "conditional", "assumes",
    "no_interval", "multiplier", "restricted", "p_value_convention", "model", "fit", "effect", "periods", "horizon",
    "icc_scale", "degrees_of_freedom", "label", "notes", "quantity", "exploratory", "dose", "handling", "imputations",
)  # fmt: skip
_STATISTICS = (
    # time to event, recurrent events
    "log_hazard_ratio", "log_likelihood", "log_likelihood_at_zero", "likelihood_ratio", "proportionality", "log_rank",
    "ratio", "log_rate_ratio", "model_standard_error",
    # Bayesian
    "convergence", "probability_below_no_effect", "probability_above_no_effect", "probability_of_benefit",
    "probability_worthwhile", "prior_predictive", "prior_sensitivity", "risks", "rates", "means", "sd", "dispersion",
    # re-draws
    "observed", "monte_carlo_error",
    # clusters, sites, effect sizes
    "arms", "cluster_size_variation", "icc", "variance_between", "sd_between_on_link_scale", "rate_variation_between_clusters", "overdispersion_within", "variance_within", "restricted_log_likelihood",
    "working_correlation", "by_periods_treated", "prediction_interval", "tau_squared", "tau_squared_interval",
    "i_squared", "heterogeneity", "difference", "difference_standard_error", "others", "mdes_achieved", "hedges_g",
    "minimum_detectable_effect", "design_effect", "negative_binomial_alpha", "parts", 
    # several questions, interactions, non-compliance
    "family", "adjusted_p_value", "joint_test", "interactions", "effect_of_assignment", "first_stage", "endogeneity",
    "anderson_rubin", "wald", "bounds_without_exclusion",
)  # fmt: skip

EXTRAS: Mapping[str, Rule] = {
    **dict.fromkeys(_SETTINGS, "setting"),
    **dict.fromkeys(_STATISTICS, "statistic"),
    "events": "count",
    "pairs_left_out": "count",
    "people_drawn": "count",
    "places_without_events": "count",
    "quantiles": "quantiles_of_effect",
    "density": "grid",
    "histogram": "histogram",
    "strata": "shares",
    "standardised_risks": "shares",
    "received_mean": "shares",
    "groups": "groups",
    "sites": "groups",
    # exact counts and means that are printed elsewhere in protected form, and single people's values
    "arm_means": "refused",
    "raw": "refused",
    "coefficients": "refused",
    "mean_cumulative": "refused",
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
