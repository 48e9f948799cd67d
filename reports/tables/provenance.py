"""Tables of where the numbers came from, and of what was kept back."""

from __future__ import annotations

from data_contracts.recording_breaks import breaks_of
from reports import wording as w
from reports.dictionaries import carried_by, of_study, on_site
from reports.gate.verdict import MARKS, NOT_AVAILABLE, shown
from reports.keys.provisional import mark_of_join, marked
from reports.keys.study import cell
from reports.neutral import markdown
from reports.tables.accessible import table
from reports.values import Values

KINDS = {"extra": "A number of an estimator's own", "count": "A count", "flow": "A count in the flow"}


def data(v: Values) -> str:
    """The tables that were read: source, date, grain, size, fingerprint; and where their dictionaries are."""
    if not v.present:
        return ""
    rows = [
        {
            "name": w.upper_first(w.table_name(t["name"])),
            "grain": t["grain"],
            "source": t.get("source") or NOT_AVAILABLE,
            "extracted": t.get("extracted") or NOT_AVAILABLE,
            "vintage": "provisional" if t.get("provisional") else "final",
            "controller": t.get("controller") or NOT_AVAILABLE,
            "rows": marked(cell(t["rows"])) if t.get("provisional") else cell(t["rows"]),
            "sha": w.fingerprint(t["sha256"]),
        }
        for t in v.record["tables"]
    ]
    return table(
        rows,
        caption="The data that were read",
        heads={
            "name": "Table",
            "grain": "One row is",
            "source": "Source",
            "extracted": "Extracted",
            "vintage": "Vintage",
            "controller": "Controller",
            "rows": "Rows",
            "sha": "Fingerprint",
        },
        numbers=("rows",),
    ) + _dictionaries(v)


def _dictionaries(v: Values) -> str:
    """Links to the dictionaries of the tables that were read, of those that are on the site."""
    found = [d for d in of_study(v) if on_site(d.page)]
    carried = carried_by(v)
    shown = [
        f"[{markdown(d.title)}](../contracts/{d.page}.html){'' if d.table in carried else ' (the feed of that name)'}"
        for d in found
    ]
    return f"\nWhat each column means is in the data dictionary: {'; '.join(shown)}.\n" if shown else ""


def links(v: Values) -> str:
    """How many of the roster were found in each joined table, by arm; nothing where nothing was joined."""
    if not v.present or not v.record["links"]:
        return ""
    rows = [
        {
            "table": w.upper_first(w.table_name(str(row["table"])))
            + mark_of_join(v.record, str(row["table"])),
            "arm": "Together" if row["arm"] is None else v(f"arm.{row['arm']}.label"),
            "units": cell(row["units"]),
            "matched": cell(row["matched"]),
            "unmatched": cell(row["unmatched"]),
            "rate": w.percent(row["match_rate"]) if shown(row["match_rate"]) else cell(row["match_rate"]),
        }
        for row in v.record["links"]
    ]
    return table(
        rows,
        caption="Joins: how many people of the roster were found in each table",
        heads={
            "table": "Table",
            "arm": "Arm",
            "units": "In the roster",
            "matched": "Found",
            "unmatched": "Not found",
            "rate": "Match rate",
        },
        numbers=("units", "matched", "unmatched", "rate"),
    )


def recording(v: Values) -> str:
    """Breaks in recording that the study answers for, and its answer to each; nothing where it names none."""
    named = v.record["protocol"].get("recording_breaks") if v.present else None
    if not named:
        return ""
    rows = [
        {
            "label": b.label,
            "day": b.first_day.isoformat(),
            "effect": w.upper_first(b.effect),
            "answer": w.upper_first(str(named[b.name])),
        }
        for b in breaks_of(tuple(named))
    ]
    return table(
        rows,
        caption="Breaks in recording, and how the study deals with each",
        heads={
            "label": "Break",
            "day": "First day",
            "effect": "What changed",
            "answer": "How the study deals with it",
        },
    )


def fingerprints(v: Values) -> str:
    """What ties every number on the page to the protocol, the code and the run that made it."""
    if not v.present:
        return ""
    rows = [
        {"what": "Protocol", "sha": v("study.protocol_fingerprint")},
        {"what": "Findings", "sha": v("study.findings_fingerprint")},
        {"what": "Code", "sha": v("study.code_fingerprint")},
        {"what": "Seed of every random step", "sha": v("study.seed")},
    ]
    return table(
        rows,
        caption="Fingerprints: the opening figures of each SHA-256 hash, and the seed",
        heads={"what": "Of", "sha": "Fingerprint"},
    )


def versions(v: Values) -> str:
    """The software that computed the numbers."""
    if not v.present:
        return ""
    rows = [{"what": name, "version": version} for name, version in v.record["versions"].items()]
    return table(
        rows, caption="Software that computed the numbers", heads={"what": "Package", "version": "Version"}
    )


def withheld(v: Values) -> str:
    """How many items of each kind were kept back, and why; and what the marks mean."""
    if not v.present:
        return ""
    groups: dict[tuple[str, str, str], int] = {}
    for item in v.record["withheld"]:
        key = (item["kind"], item["verdict"], item["reason"])
        groups[key] = groups.get(key, 0) + 1
    rows = [
        {"kind": KINDS.get(kind, w.upper_first(kind)), "verdict": verdict, "reason": reason, "n": w.whole(n)}
        for (kind, verdict, reason), n in groups.items()
    ]
    marks = "; ".join(f"{mark} {meaning}" for mark, meaning in MARKS.items())
    return table(
        rows,
        caption="What the disclosure rules kept back",
        heads={"kind": "Kind", "verdict": "Verdict", "reason": "Reason", "n": "Items"},
        numbers=("n",),
        note=f"Marks used in tables and text: {marks}.",
    )
