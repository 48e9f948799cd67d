"""Texts of the declaration, of who took part, and of how the numbers were made and let out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from reports import wording as w
from reports.gate.verdict import NOT_APPLICABLE, NOT_AVAILABLE, WITHHELD, Item, shown
from reports.keys.provisional import mark_of, mark_of_join, marked

DESIGNS: Mapping[str, str] = {
    "simple": "allocated at random, independently of one another",
    "complete": "allocated at random, with fixed numbers in each arm",
    "blocked": "allocated at random within blocks",
    "clustered": "allocated at random in whole clusters",
    "blocked_clusters": "allocated at random in whole clusters, within blocks of clusters",
    "matched_pairs": "allocated at random within matched pairs",
    "multi_site": "allocated at random within each site",
    "stepped_wedge": "moved to the intervention in steps, in random order",
    "factorial": "allocated at random to every combination of treatments",
    "crossover": "given the arms in turn, in random order",
    "wait_list": "allocated at random to start now or to wait",
    "encouragement": "allocated at random to be encouraged",
    "two_stage": "allocated at random in two stages",
    "rerandomised": "allocated at random, re-drawn until the arms were alike",
    "minimised": "allocated by minimisation with a random element",
    "adaptive": "allocated at random with chances that changed as results came in",
    "sequential_blocks": "allocated at random as they joined, in blocks of varying size",
}
PEOPLE = {"person": "people", "child": "children", "area": "areas", "school": "schools"}


def study_texts(record: Mapping[str, Any]) -> dict[str, str]:
    """Everything declared, and the people counted at the first stage."""
    protocol = record["protocol"]
    registration, population = protocol["registration"], protocol["population"]
    status = registration["status"]
    labels = {name: arm["label"] for name, arm in protocol["arms"].items()}
    scheme = protocol["design"]["scheme"]
    texts = {
        "study.id": record["study"],
        "study.title": protocol["title"],
        "study.summary": protocol.get("summary") or NOT_AVAILABLE,
        "study.intervention": protocol.get("intervention") or NOT_AVAILABLE,
        "study.comparison": protocol.get("comparison") or NOT_AVAILABLE,
        "study.eligible": w.upper_first(w.sentence(population["eligible"])),
        "study.note": population.get("note") or "",
        "study.unit": population["unit"],
        "study.seed": str(record["seed"]),
        "study.design": scheme.replace("_", " "),
        "study.status": w.STATUS[status],
        "study.status_note": registration["note"],
        "study.status_sentence": status_sentence(registration, _seen(record)),
        "study.arms": w.listed([w.lower_first(label) for label in labels.values()]),
        "study.protocol_fingerprint": w.fingerprint(record["protocol_sha256"]),
        "study.findings_fingerprint": w.fingerprint(record["fingerprint"]),
        "study.code_fingerprint": w.fingerprint(record["code"]),
        "study.version": record["versions"].get("desist", NOT_AVAILABLE),
        "study.allocation": allocation_sentence(record),
        "study.assumption": assumption_sentence(scheme),
        "study.people": people_sentence(record),
        "study.provisional": provisional_sentence(record),
        "study.multiplicity": multiplicity_sentence(protocol),
        "study.harms": harms_sentence(protocol),
    }
    first = record["flow"][0]["stage"] if record["flow"] else None
    for name, label in labels.items():
        texts[f"arm.{name}.label"] = label
        texts[f"arm.{name}.people"] = cell(_people(record, first, name))
    texts["study.n"] = cell(_people(record, first, None))
    return texts


def status_sentence(registration: Mapping[str, Any], seen: bool = False) -> str:
    """What the reader must know of the study's standing before reading its result.

    `seen`: an outcome table had been extracted by the day of a promise, whatever the study says of it.
    """
    status = registration["status"]
    if status == "registered":
        where, date = registration["where"], registration["date"]
        if seen:
            return (
                f"Registered at {where} on {date}. The study says that outcome data had not been seen; a table of "
                "outcomes had been extracted by the day of its last promise."
            )
        return f"Registered at {where} on {date}, before outcome data were seen."
    if status == "retrospective":
        return (
            "A retrospective re-analysis: the results of the original study were known, and nothing was "
            "registered before its outcomes were seen."
        )
    return "Exploratory: the analyses were not registered before outcome data were seen."


def _seen(record: Mapping[str, Any]) -> bool:
    return any(c["name"] == "registered_first" and c["verdict"] == "not met" for c in record["checks"])


def allocation_sentence(record: Mapping[str, Any]) -> str:
    """How units came into their arms, with the counts."""
    protocol = record["protocol"]
    scheme = protocol["design"]["scheme"]
    unit = protocol["population"]["unit"]
    units = PEOPLE.get(unit, f"{unit}s")
    first = record["flow"][0]["stage"] if record["flow"] else None
    whole = _people(record, first, None)
    opening = f"{cell(whole)} {units}" if shown(whole) else w.upper_first(units)
    if scheme not in DESIGNS:
        return (
            f"{opening} were compared without random allocation ({scheme.replace('_', ' ')}): the comparison "
            "rests on the assumption stated under methods."
        )
    arms = [
        f"{cell(_people(record, first, name))} to {w.lower_first(arm['label'])}"
        for name, arm in protocol["arms"].items()
    ]
    return f"{opening} were {DESIGNS[scheme]}: {w.listed(arms)}."


def assumption_sentence(scheme: str) -> str:
    """What licenses the comparison: the draw, or the assumption that stands in for it."""
    from data_contracts.catalogue import UnknownPlugin, find

    try:
        stands_in = find("experiments.designs", scheme).stands_in
    except UnknownPlugin:
        return NOT_AVAILABLE
    if stands_in is None:
        return (
            "Allocation was by chance, so what differs between the arms at the start differs by chance alone."
        )
    return f"Nobody drew the arms. In place of chance stands an assumption: {w.sentence(stands_in)}"


def people_sentence(record: Mapping[str, Any]) -> str:
    """How many were there at the start and in the primary analysis."""
    stages = list(dict.fromkeys(row["stage"] for row in record["flow"]))
    if not stages:
        return NOT_AVAILABLE
    parts = []
    for stage in stages:
        counts = [row["people"] for row in record["flow"] if row["stage"] == stage and row["arm"] is not None]
        whole = sum(counts) if counts and all(shown(c) for c in counts) else WITHHELD
        parts.append(f"{w.upper_first(stage)}: {cell(whole)}.")
    text = " ".join(parts)
    return marked(text) if mark_of(record, record["primary"]["outcome"]) else text


def provisional_sentence(record: Mapping[str, Any]) -> str:
    """Whether any table was provisional when it was extracted."""
    names = [w.table_name(table["name"]) for table in record["tables"] if table.get("provisional")]
    if names:
        return f"Provisional data: {w.listed(names)}. Every number that rests on them may change, and is marked [p]."
    return "No table was marked provisional by its source."


def multiplicity_sentence(protocol: Mapping[str, Any]) -> str:
    """How several questions are judged together."""
    families = protocol.get("families", {})
    if not families:
        return "No correction for several questions was declared."
    parts = [
        f"{name.replace('_', ' ')} ({f['method'].replace('_', '-').title() if f['method'] != 'none' else 'none'})"
        for name, f in families.items()
    ]
    return f"Corrections for asking several questions, by family: {w.listed(parts)}."


def harms_sentence(protocol: Mapping[str, Any]) -> str:
    """Whether harms were looked for: silence about them is not evidence of none."""
    labels = [w.lower_first(o["label"]) for o in protocol["outcomes"].values() if o["role"] == "harm"]
    if labels:
        return f"Harms that the study looked for: {w.listed(labels)}."
    return "The study declares no outcome as a harm, so it cannot say that there was none."


def closing_texts(
    record: Mapping[str, Any], policy: DisclosurePolicy, items: Sequence[Item]
) -> dict[str, str]:
    """Texts on checks, deviations and the release itself."""
    texts: dict[str, str] = {}
    for check in record["checks"]:
        key = f"check.{check['name']}"
        texts[f"{key}.question"] = check["question"]
        texts[f"{key}.verdict"] = check["verdict"]
        texts[f"{key}.note"] = check["note"]
        said = check_statistic(check)
        texts[f"{key}.statistic"] = marked(said) if _provisional(check, record) else said
    texts["checks.summary"] = checks_sentence(record["checks"])
    texts["deviations.summary"] = deviations_sentence(record)
    texts["deviations.headline"] = deviations_headline(record)
    withheld = sum(item.verdict != "released" for item in items)
    texts["release.withheld"] = f"{withheld:,}"
    texts["release.summary"] = release_sentence(withheld, policy)
    texts["release.policy"] = policy.name.replace("_", " ")
    texts["release.threshold"] = str(policy.threshold_people)
    texts["release.rounding"] = (
        "Counts are exact."
        if policy.rounding_base == 1
        else f"Counts are rounded to the nearest {policy.rounding_base}, and percentages are made from the rounded "
        "counts; effects are computed from the exact ones."
    )
    return texts


def checks_sentence(checks: Sequence[Mapping[str, Any]]) -> str:
    """How many checks were met of those that could be assessed, and how many could not."""
    if not checks:
        return "No checks were declared."
    verdicts = [check["verdict"] for check in checks]
    met, assessed = verdicts.count("met"), len(verdicts) - verdicts.count("not assessed")
    left = verdicts.count("not assessed")
    some = f"{w.count_word(left)} could not be assessed" if left else ""
    if not assessed:
        return f"Of the checks, {some}."
    what = "check" if assessed == 1 else "checks"
    which = f"{what} that could be assessed" if left else what
    opening = f"{w.upper_first(_of(met, assessed))} {which} {'was' if assessed == 1 else 'were'} met"
    return f"{opening}; {some}." if some else f"{opening}."


def _provisional(check: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether a check rests on a table that may change: that of a join, or those of the primary outcome."""
    kind, _, table = check["name"].partition(":")
    if kind == "match_rate":
        return bool(mark_of_join(record, table))
    return bool(mark_of(record, record["primary"]["outcome"]))


def check_statistic(check: Mapping[str, Any]) -> str:
    """A check's statistic in its own form: attrition is a share of people."""
    value = check["statistic"]
    if not shown(value):
        return value if isinstance(value, str) else NOT_APPLICABLE
    return w.percent(value) if check["name"] == "attrition" else w.number(value, 2)


def deviations_sentence(record: Mapping[str, Any]) -> str:
    """What changed since registration, in one sentence."""
    status = record["protocol"]["registration"]["status"]
    if status != "registered":
        return "Nothing was registered, so there is no registered protocol to deviate from."
    real = [row for row in record["deviations"] if row["verdict"] != "wording only"]
    if not real:
        return "The protocol that was run is the protocol that was registered."
    affected = sorted({name for row in real if row["verdict"] != "amended" for name in row["affects"]})
    text = f"{len(real):,} {'entry' if len(real) == 1 else 'entries'} of the protocol changed after registration."
    if affected:
        text += f" Analyses that count as exploratory because of it: {w.listed(affected)}."
    return text


def deviations_headline(record: Mapping[str, Any]) -> str:
    """What a reader of the headline must know of changes since registration; empty where there are none."""
    if record["protocol"]["registration"]["status"] != "registered":
        return ""
    primary = record["primary"]["analysis"]
    first = next((e for e in record["estimates"] if e["key"] == primary), None)
    if first is not None and not first["registered"]:
        return "The protocol was changed after registration, so this result counts as exploratory."
    real = [row for row in record["deviations"] if row["verdict"] != "wording only"]
    return "Changes since registration are listed below." if real else ""


def release_sentence(withheld: int, policy: DisclosurePolicy) -> str:
    """What the gate kept back, and by which rule."""
    rule = f"Numbers about fewer than {policy.threshold_people} people are withheld, and so is what the gate does not know."
    if withheld == 0:
        return f"{rule} Nothing was withheld here."
    return f"{rule} {withheld:,} {'item was' if withheld == 1 else 'items were'} withheld here."


def cell(value: Any) -> str:
    """A count as text, or its mark."""
    if shown(value):
        return w.whole(value)
    return value if isinstance(value, str) else NOT_APPLICABLE


def _of(some: int, all_of: int) -> str:
    if some == all_of:
        return "all" if all_of != 1 else "the one"
    return f"{some} of {all_of}"


def _people(record: Mapping[str, Any], stage: str | None, arm: str | None) -> Any:
    for row in record["flow"]:
        if row["stage"] == stage and row["arm"] == arm:
            return row["people"]
    return NOT_AVAILABLE
