"""How numbers are said: rounding, signs, intervals, windows, natural frequencies, status.

Every printed number takes its form here and nowhere else. Differences in proportions are said in
percentage points; a bound that is not zero never prints as zero; an interval always carries its
level and its kind; minus signs are minus signs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from experiments.outcome import RATIO_SCALES

MINUS = "\u2212"
SCALES: Mapping[str, str] = {
    "mean_difference": "difference in means",
    "risk_difference": "risk difference",
    "risk_ratio": "risk ratio",
    "odds_ratio": "odds ratio",
    "rate_ratio": "rate ratio",
    "rate_difference": "rate difference",
    "hazard_ratio": "hazard ratio",
    "rmst_difference": "difference in mean time without the event",
    "standardised_mean_difference": "standardised mean difference",
}
ESTIMATORS: Mapping[str, str] = {
    "difference_in_means": "Difference in means",
    "adjusted_difference": "Difference adjusted for baseline (Lin)",
    "analysis_of_covariance": "Analysis of covariance",
    "proportional_hazards": "Proportional hazards (Cox)",
    "restricted_mean_survival": "Restricted mean time without the event",
    "recurrent_events": "Recurrent events (Andersen-Gill)",
    "log_rank_by_redraws": "Log-rank test by re-draws",
    "rate_ratio": "Regression for counts",
    "zero_heavy_rate_ratio": "Regression for counts with many zeros",
    "marginal_standardisation": "Marginal standardisation",
    "cluster_means": "Comparison of cluster means",
    "mixed_model": "Mixed model",
    "estimating_equations": "Estimating equations (GEE)",
    "stepped_wedge_effect": "Stepped-wedge model",
    "crossover_periods": "Crossover by period",
    "multi_site_effects": "Random effects across sites",
    "complier_average": "Complier average effect (two-stage least squares)",
    "subgroup_effects": "Effects in subgroups",
    "effect_heterogeneity": "Change of the effect with covariates",
    "hedges_g": "Effect size (Hedges g)",
    "horvitz_thompson": "Horvitz-Thompson",
    "hajek": "Weighted difference (Hajek)",
    "randomisation_test": "Randomisation test",
    "wild_cluster_bootstrap": "Wild cluster bootstrap",
    "bayes_binary": "Bayesian model of the two risks",
    "bayes_mean": "Bayesian model of the two means",
    "bayes_rate": "Bayesian model of the two rates",
    "bayes_clustered_binary": "Bayesian multilevel model of risks",
    "bayes_clustered_mean": "Bayesian multilevel model of means",
    "bayes_hierarchical": "Bayesian multilevel model",
}
"""Names of estimators for readers; one that is not here is called by its file name."""
CONVENTIONAL = (0.05, 0.01)
STATUS: Mapping[str, str] = {
    "registered": "registered",
    "retrospective": "retrospective re-analysis",
    "exploratory": "exploratory",
}


def number(value: float, places: int) -> str:
    """`value` with so many decimals, halves away from zero, a true minus sign, thousands separated, never minus zero."""
    text = f"{_rounded(value, places):,.{places}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def whole(count: float) -> str:
    """A count with its thousands separated."""
    return number(count, 0)


def percent(share: float) -> str:
    """A proportion as a percentage with one decimal."""
    return f"{number(100 * share, 1)}%"


def per_hundred(share: float) -> str:
    """A proportion as people in every hundred, to the nearest whole person."""
    return f"{whole(_nearest(100 * share))} in every hundred"


def null_value(scale: str) -> float:
    """The value that means no effect: 1 for ratios, 0 for differences."""
    return 1.0 if scale in RATIO_SCALES else 0.0


def factor(scale: str) -> float:
    """What a value is multiplied by for print: differences in proportions are said in points of 100."""
    return 100.0 if scale == "risk_difference" else 1.0


def places(scale: str, spread: float | None, values: Sequence[float]) -> int:
    """Decimals at which the uncertainty keeps two figures and nothing rounds on to "no effect"."""
    if scale in RATIO_SCALES:
        start = 2
    elif spread:
        start = max(0, 1 - math.floor(math.log10(abs(spread * factor(scale)))))
    else:
        start = 2
    if scale == "risk_difference":
        start = max(1, start)
    null = null_value(scale)
    for extra in range(3):
        scaled = [v * factor(scale) for v in values if v != null]
        if all(round(v, start + extra) != null for v in scaled):
            return start + extra
    return start


def unit_words(scale: str, unit: str) -> str:
    """The unit after an effect, or nothing for ratios."""
    if scale == "risk_difference":
        return "percentage points"
    if scale == "standardised_mean_difference":
        return "standard deviations"
    return "" if scale in RATIO_SCALES else unit


def effect(scale: str, value: float, unit: str, digits: int) -> str:
    """An effect with its unit: "−8.3 percentage points", "0.68"."""
    return f"{number(value * factor(scale), digits)} {unit_words(scale, unit)}".strip()


def span(scale: str, low: float | None, high: float | None, digits: int) -> str:
    """An interval's two ends; an open end is said in words."""
    ends = [None if end is None else number(end * factor(scale), digits) for end in (low, high)]
    if ends[0] is None:
        return f"below {ends[1]}" if ends[1] is not None else "unbounded"
    return f"{ends[0]} to {ends[1]}" if ends[1] is not None else f"above {ends[0]}"


def level(share: float) -> str:
    """0.95 as "95%"."""
    return f"{number(100 * share, 1).removesuffix('.0')}%"


def interval_name(share: float, kind: str) -> str:
    """ "95% confidence interval" or "95% credible interval"."""
    return f"{level(share)} {kind} interval"


def p_value(p: float) -> str:
    """A p-value to three decimals, never as zero or one, and never rounded on to a conventional limit."""
    if p < 0.001:
        return "p < 0.001"
    if p > 0.999:
        return "p > 0.999"
    digits = 4 if round(p, 3) in CONVENTIONAL and p != round(p, 3) else 3
    return f"p = {p:.{digits}f}"


def probability(p: float) -> str:
    """A probability to two decimals, never as zero or one."""
    if p < 0.005:
        return "below 0.01"
    return "above 0.99" if p > 0.995 else f"{p:.2f}"


def follow_up(days: int) -> str:
    """A window in words: years in months, whole weeks in weeks, else in days."""
    for years in range(1, 11):
        if days in (365 * years, 365 * years + years // 4, 366 * years if years == 1 else -1):
            return f"{12 * years} months"
    for months, lengths in {1: (30, 31), 3: (90, 91, 92), 6: (181, 182, 183), 9: (273, 274, 275)}.items():
        if days in lengths and days % 7:
            return f"{months} month{'s' if months > 1 else ''}"
    if days % 7 == 0:
        weeks = days // 7
        return f"{weeks} week{'s' if weeks > 1 else ''}"
    return f"{days:,} day{'s' if days > 1 else ''}"


def people_in(unit: str, label: str) -> str:
    """What a proportion counts: "men re-arrested" from "proportion of men re-arrested"."""
    for opening in ("proportion of ", "share of ", "percentage of ", "percent of "):
        if unit.lower().startswith(opening):
            return unit[len(opening) :]
    return f"people with {lower_first(label)}"


def event_in(label: str) -> str:
    """The event that a time runs to: "first re-arrest" from "Time to first re-arrest"."""
    for opening in ("time to ", "time until ", "days to ", "weeks to "):
        if label.lower().startswith(opening):
            return label[len(opening) :]
    return lower_first(label)


def fewer_in_hundred(value: float, unit: str, label: str) -> str:
    """A difference in proportions as a natural frequency: "8 fewer men re-arrested in every hundred"."""
    count = _nearest(abs(100 * value))
    what = people_in(unit, label)
    if count == 0:
        return f"no more than half a person's difference in {what} in every hundred"
    return f"{whole(count)} {'fewer' if value < 0 else 'more'} {what} in every hundred"


def bound_in_hundred(value: float | None) -> str:
    """An end of an interval as a natural frequency."""
    if value is None:
        return "no bound"
    count = _nearest(abs(100 * value))
    if count == 0:
        return "almost no difference"
    return f"{whole(count)} {'fewer' if value < 0 else 'more'}"


def change_in_percent(ratio: float) -> str:
    """A ratio as a change: 0.68 as "32% lower"."""
    change = abs(int(_rounded(100 * Decimal(repr(float(ratio))), 0)) - 100)
    if change == 0:
        return "almost no different"
    return f"{whole(change)}% {'lower' if ratio < 1 else 'higher'}"


def lower_first(text: str) -> str:
    """`text` as it stands inside a sentence; acronyms keep their capitals."""
    if len(text) > 1 and text[1].isupper():
        return text
    return text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """`text` as it opens a sentence."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """`text` with a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def listed(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    items = list(parts)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "none"


def count_word(count: int) -> str:
    """A small count as a word, as running text has it; figures from ten on."""
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[count] if 0 <= count < len(words) else whole(count)


ACRONYMS = frozenset({"sdq", "srds", "istv", "pnc", "csp", "ed", "nhs"})


def table_name(name: str) -> str:
    """A table's name as words, with the field's acronyms in capitals: "SDQ survey"."""
    return " ".join(word.upper() if word in ACRONYMS else word for word in name.split("_"))


def estimator_name(estimator: str) -> str:
    """An estimator's file name in words."""
    return ESTIMATORS.get(estimator, upper_first(estimator.replace("_", " ")))


def fingerprint(sha: str) -> str:
    """The first sixteen figures of a hash, in fours; the whole is in the release."""
    return " ".join(sha[i : i + 4] for i in range(0, 16, 4))


def standing(scale: str, estimate: Mapping[str, Any]) -> str:
    """Where the interval lies: `below`, `above` or `across` no effect, or `unknown`."""
    interval = estimate["interval"]
    if not isinstance(interval, Mapping):
        return "unknown"
    null, low, high = null_value(scale), interval["low"], interval["high"]
    if high is not None and high < null:
        return "below"
    return "above" if low is not None and low > null else "across"


def only_just(scale: str, interval: Mapping[str, Any]) -> bool:
    """True where the interval excludes no effect by less than a twentieth of its own width."""
    low, high = interval["low"], interval["high"]
    if low is None or high is None:
        return False
    if scale in RATIO_SCALES:
        low, high, null = math.log(low), math.log(high), 0.0
    else:
        null = 0.0
    return bool(min(abs(low - null), abs(high - null)) < (high - low) / 20)


def _nearest(value: float) -> int:
    return int(_rounded(value, 0))


def _rounded(value: float | Decimal, places: int) -> Decimal:
    """The decimal number that `value` prints as, rounded with halves away from zero: 1.365 and "37% higher" agree."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
