"""Texts of the estimates, of the study's answer, and of how the analyses agree.

Sentences are honest by construction: an interval that includes no effect is never said to show
one, and one that excludes it by a hair is said to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.outcome import RATIO_SCALES
from reports import wording as w
from reports.gate.verdict import NOT_APPLICABLE, NOT_AVAILABLE, WITHHELD, shown
from reports.keys.definitions import definition_label
from reports.keys.outcome import worthwhile_text
from reports.keys.provisional import mark_estimate, provisional_outcomes
from reports.keys.study import cell

_A_RESULT = {
    w.STATUS["registered"]: "a registered result",
    w.STATUS["retrospective"]: "a retrospective re-analysis",
    w.STATUS["exploratory"]: "an exploratory result",
}
KEPT_BACK = f"This result is withheld to protect the people behind it {WITHHELD}."


def estimate_texts(record: Mapping[str, Any]) -> dict[str, str]:
    """`estimate.KEY.*` for every analysis and every handling of missing outcomes."""
    texts: dict[str, str] = {}
    loose = provisional_outcomes(record)
    for estimate in record["estimates"]:
        one = texts_of_one(estimate, record)
        if record["protocol"]["estimands"][estimate["estimand"]]["outcome"] in loose:
            one = mark_estimate(one)
        for name, text in one.items():
            texts[f"estimate.{estimate['key']}.{name}"] = text
    return texts


def primary_texts(record: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, str]:
    """`primary.*`: the primary analysis, its outcome, and the arms that it compares."""
    primary = record["primary"]
    out = {
        f"primary.{k}": NOT_AVAILABLE
        for k in ("answer", "value", "interval", "in_figures", "caution", "standing")
    }
    for prefix in (f"outcome.{primary['outcome']}.", f"estimate.{primary['analysis']}."):
        out |= {
            f"primary.{key.removeprefix(prefix)}": text
            for key, text in texts.items()
            if key.startswith(prefix)
        }
    return out


def texts_of_one(estimate: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, str]:
    """Everything there is to say of one estimate."""
    protocol = record["protocol"]
    estimand = protocol["estimands"][estimate["estimand"]]
    outcome = protocol["outcomes"][estimand["outcome"]]
    arm, reference = (w.lower_first(protocol["arms"][name]["label"]) for name in estimand["contrast"])
    scale, interval = estimate["scale"], estimate["interval"]
    texts = {
        "label": label_of(estimate, estimand["outcome"], record),
        "follow_up": w.follow_up(outcome["follow_up_days"]),
        "estimator": w.estimator_name(estimate["estimator"]),
        "scale": w.SCALES.get(scale, scale.replace("_", " ")),
        "contrast": f"{arm} compared with {reference}",
        "population": estimand["population"],
        "status": status_of(estimate, protocol),
        "n": cell(estimate["people"]),
        "clusters": cell(estimate["clusters"]),
        "missing": str(estimate["missing"] or NOT_APPLICABLE).replace("_", " "),
    }
    if not shown(estimate["value"]):
        mark = estimate["value"] if isinstance(estimate["value"], str) else NOT_AVAILABLE
        blank = (
            "value",
            "interval",
            "level",
            "interval_name",
            "se",
            "p",
            "p_adjusted",
            "full",
            "natural",
            "short",
        )
        return (
            texts
            | dict.fromkeys(blank, mark)
            | dict.fromkeys(("answer", "in_figures", "caution", "worthwhile", "standing"), KEPT_BACK)
        )
    values = [estimate["value"]]
    if isinstance(interval, Mapping):
        values += [end for end in (interval["low"], interval["high"]) if end is not None]
    digits = w.places(scale, estimate["standard_error"], values)
    named = w.interval_name(interval["level"], interval["kind"]) if interval else NOT_APPLICABLE
    ends = w.span(scale, interval["low"], interval["high"], digits) if interval else NOT_APPLICABLE
    value = w.effect(scale, estimate["value"], estimate["unit"], digits)
    se = estimate["standard_error"]
    texts |= {
        "value": value,
        "interval": ends,
        "level": w.level(interval["level"]) if interval else NOT_APPLICABLE,
        "interval_name": named,
        "se": w.number(se * w.factor(scale), digits) if shown(se) else NOT_APPLICABLE,
        "p": w.p_value(estimate["p_value"]) if shown(estimate["p_value"]) else NOT_APPLICABLE,
        "p_adjusted": adjusted(estimate),
        "full": f"{value} ({named} {ends})" if interval else value,
        "short": f"{w.number(estimate['value'] * w.factor(scale), digits)} ({ends})" if interval else value,
        "natural": natural(scale, estimate["value"], outcome, value),
        "worthwhile": worthwhile_sentence(estimate, outcome),
    }
    texts["answer"] = answer(estimate, outcome, arm, reference, texts["natural"])
    texts["caution"] = caution(estimate)
    clusters = f" in {texts['clusters']} clusters" if shown(estimate["clusters"]) else ""
    texts["standing"] = f"This is {_A_RESULT[texts['status']]}, and rests on {texts['n']} people{clusters}."
    texts["in_figures"] = in_figures(estimate, record, texts)
    return texts


def label_of(estimate: Mapping[str, Any], outcome: str, record: Mapping[str, Any]) -> str:
    """The outcome's label, with the definition where it is not the outcome's own."""
    label = str(record["protocol"]["outcomes"][outcome]["label"])
    if estimate["definition"] is None:
        return label
    return f"{label} (counted as {definition_label(record, outcome, estimate['definition'])})"


def adjusted(estimate: Mapping[str, Any]) -> str:
    """The p-value corrected for the family's several questions, with the method; a mark where none was."""
    family = estimate["extra"].get("family") or {}
    if family.get("method", "none") == "none" or not shown(family.get("adjusted_p_value")):
        return NOT_APPLICABLE
    return f"{w.p_value(family['adjusted_p_value'])} ({family['method'].replace('_', '-').title()})"


def natural(scale: str, value: float, outcome: Mapping[str, Any], text: str) -> str:
    """The effect as a reader would say it."""
    if scale == "risk_difference":
        return w.fewer_in_hundred(value, outcome["unit"], outcome["label"])
    if scale in RATIO_SCALES:
        what = {
            "hazard_ratio": "a {} rate at any moment",
            "rate_ratio": "a rate {}",
            "risk_ratio": "a risk {}",
            "odds_ratio": "odds {}",
        }
        return what.get(scale, "{}").format(w.change_in_percent(value))
    return f"{text.removeprefix(w.MINUS)} {'lower' if value < 0 else 'higher'}"


def answer(
    estimate: Mapping[str, Any], outcome: Mapping[str, Any], arm: str, reference: str, said: str
) -> str:
    """One sentence that a reader may take away."""
    window = w.follow_up(outcome["follow_up_days"])
    label = w.event_in(outcome["label"]) if outcome["kind"] == "time" else w.lower_first(outcome["label"])
    where = w.standing(estimate["scale"], estimate)
    if where in ("across", "unknown"):
        return (
            f"There is no clear evidence that {label} within {window} differed between {arm} and {reference}. "
            f"The best estimate is {said}, but the data fit effects in either direction."
        )
    direction = _direction(estimate["scale"], outcome["kind"], where)
    return f"Within {window}, {label} {direction} with {arm} than with {reference}: about {said}."


def _direction(scale: str, kind: str, where: str) -> str:
    below = where == "below"
    if kind == "time" and scale == "hazard_ratio":
        return "came later" if below else "came sooner"
    if kind == "time":
        return "came sooner" if below else "came later"
    if kind in ("binary", "count", "recurrent"):
        return "was less common" if below else "was more common"
    return "was lower" if below else "was higher"


def caution(estimate: Mapping[str, Any]) -> str:
    """How sure that is: where the interval lies, in plain words."""
    scale, interval = estimate["scale"], estimate["interval"]
    if not isinstance(interval, Mapping):
        return "This analysis gives no interval."
    named = w.interval_name(interval["level"], interval["kind"])
    where = w.standing(scale, estimate)
    low, high = interval["low"], interval["high"]
    if scale == "risk_difference":
        ends = f"from {w.bound_in_hundred(low)} to {w.bound_in_hundred(high)} in every hundred"
    elif scale in RATIO_SCALES and low is not None and high is not None:
        ends = f"from {w.change_in_percent(low)} to {w.change_in_percent(high)}"
    else:
        ends = ""
    opening = f"The {named} runs {ends}".rstrip() if ends else f"The {named} is given below"
    if where == "across":
        return f"{opening}: it includes no effect."
    if w.only_just(scale, interval):
        return f"{opening}: it excludes no effect, but only just, so the evidence is weak."
    return f"{opening}: it excludes no effect."


def in_figures(estimate: Mapping[str, Any], record: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """The estimate with its interval and p-value, and what was seen in each arm."""
    protocol = record["protocol"]
    estimand = protocol["estimands"][estimate["estimand"]]
    name = w.upper_first(texts["scale"])
    brackets = [f"{texts['interval_name']} {texts['interval']}"] if estimate["interval"] else []
    if shown(estimate["p_value"]):
        brackets.append(texts["p"])
    text = f"{name} {texts['value']}" + (f" ({'; '.join(brackets)})" if brackets else "")
    seen = []
    for arm in estimand["contrast"]:
        row = _in_arm(estimate, record, estimand["outcome"], arm)
        if row is not None and shown(row["proportion"]):
            label = w.lower_first(protocol["arms"][arm]["label"])
            share = w.percent(row["proportion"])
            seen.append(f"{cell(row['events'])} of {cell(row['observed'])} ({share}) with {label}")
    return w.sentence(f"{text}: {w.listed(seen)}" if seen else text)


def _in_arm(
    estimate: Mapping[str, Any], record: Mapping[str, Any], outcome: str, arm: str
) -> Mapping[str, Any] | None:
    """What was seen of an outcome in one arm, counted under the definition that the estimate is under."""
    rows = record["outcomes"]
    if estimate["definition"] is not None:
        pair = (outcome, estimate["definition"])
        rows = next((d["arms"] for d in record["definitions"] if (d["outcome"], d["id"]) == pair), ())
    return next((row for row in rows if (row["outcome"], row["arm"]) == (outcome, arm)), None)


def worthwhile_sentence(estimate: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
    """The interval set against the smallest effect worth having, where one was declared on this scale."""
    declared, interval = outcome.get("smallest_worthwhile"), estimate["interval"]
    if not declared or declared["scale"] != estimate["scale"] or not isinstance(interval, Mapping):
        return "No smallest worthwhile effect was declared for this estimate."
    threshold = float(declared["value"])
    text = worthwhile_text(declared, outcome)
    low, high = interval["low"], interval["high"]
    if outcome["better"] == "lower":
        reaches, all_beyond = low is None or low <= threshold, high is not None and high <= threshold
    else:
        reaches, all_beyond = high is None or high >= threshold, low is not None and low >= threshold
    opening = f"The smallest effect that the study counts as worthwhile is {text}"
    if all_beyond:
        return f"{opening}; the whole interval lies beyond it."
    if reaches:
        return f"{opening}; the interval holds effects both larger and smaller than that."
    return f"{opening}; the whole interval falls short of it."


def status_of(estimate: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    """`registered`, `retrospective re-analysis` or `exploratory`."""
    if estimate["registered"]:
        return w.STATUS["registered"]
    if protocol["registration"]["status"] == "retrospective":
        return w.STATUS["retrospective"]
    return w.STATUS["exploratory"]


def agreement_texts(record: Mapping[str, Any]) -> dict[str, str]:
    """`agreement.*`: the econometric answer beside the Bayesian one, and how many analyses exclude no effect."""
    return {"agreement.sentence": _beside(record), "agreement.count": _count(record)}


def _count(record: Mapping[str, Any]) -> str:
    """How many of the analyses of the primary estimand have an interval that excludes no effect."""
    found = [
        e
        for e in record["estimates"]
        if e["estimand"] == record["primary"]["estimand"]
        and e["definition"] is None
        and isinstance(e["interval"], Mapping)
    ]
    excluding = sum(w.standing(e["scale"], e) in ("below", "above") for e in found)
    if len(found) < 2:
        return "The primary question has one analysis."
    how_many = {0: "none has", 1: "one has"}.get(excluding, f"{excluding} have")
    how_many = "all have" if excluding == len(found) else how_many
    return (
        f"Of {len(found)} analyses of the primary question, {how_many} an interval that excludes no effect."
    )


def _beside(record: Mapping[str, Any]) -> str:
    main = next((e for e in record["estimates"] if e["key"] == record["primary"]["analysis"]), None)
    if main is None or not shown(main["value"]):
        return "There is no released primary estimate to compare with."
    other = next(
        (
            e
            for e in record["estimates"]
            if e["estimand"] == main["estimand"]
            and e["definition"] is None
            and e["scale"] == main["scale"]
            and isinstance(e["interval"], Mapping)
            and e["interval"]["kind"] == "credible"
            and shown(e["value"])
        ),
        None,
    )
    if other is None and not _declares_bayesian(record, main["estimand"]):
        return "The study declares no Bayesian analysis of the primary question."
    if other is None:
        return "No Bayesian analysis of the primary estimand was released."
    return _agreement(main, other)


def _declares_bayesian(record: Mapping[str, Any], estimand: str) -> bool:
    return any(
        analysis["estimand"] == estimand and analysis["estimator"].startswith("bayes_")
        for analysis in record["protocol"]["analyses"].values()
    )


def _agreement(main: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    scale = main["scale"]
    gap = abs(main["value"] - other["value"])
    spread = main["standard_error"] or other["standard_error"]
    digits = w.places(scale, spread, [main["value"], other["value"]])
    unit = w.unit_words(scale, main["unit"])
    text = f"{w.number(gap * w.factor(scale), digits)} {unit}".strip()
    if not spread:
        return f"The econometric and the Bayesian estimate differ by {text}."
    if gap < spread / 4:
        how = "a small part of either's uncertainty: they give the same answer"
    elif gap < spread:
        how = "less than one standard error: they agree on what matters, and the prior shows"
    else:
        how = "more than one standard error: read both before relying on either"
    return f"The econometric and the Bayesian estimate differ by {text}, {how}."
