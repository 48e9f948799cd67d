"""The deviation table, which writes itself: the protocol as registered against the one that was run.

Every entry that differs is a row. A row with an amendment dated before the outcome data were seen
keeps what depends on it registered; any other difference makes what depends on it exploratory.
Wording (titles, labels, notes) is listed and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.load import load_protocol
from experiments.protocol import Protocol, declared
from experiments.registration import RegistrationRefused

WORDING = ("title", "summary", "intervention", "comparison", "sources", "label", "note", "eligible", "source")
EVERYTHING = ("seed", "population", "arms", "design")
STATEMENTS = ("registration", "amendments")
BROKEN = ("not amended", "amended after outcomes were seen")
"""Verdicts under which what depends on the entry is exploratory."""
OTHERS = ".derive.also_under"


def registered_protocol(protocol: Protocol, study_file: Path) -> Protocol | None:
    """The protocol as registered, from the file that `registration.protocol` names; None if unregistered."""
    registration = protocol.registration
    if registration.status != "registered" or registration.protocol is None:
        return None
    path = (study_file.parent / registration.protocol).resolve()
    if study_file.parent.resolve() not in path.parents:
        raise RegistrationRefused(
            where="registration.protocol",
            found="a path that leaves the study's folder",
            expected="a file beside the study file",
            remedy="Keep the registered protocol with the study.",
        )
    registered = load_protocol(path)
    if registered.fingerprint != registration.sha256:
        raise RegistrationRefused(
            where="registration.sha256",
            found=f"{registration.sha256}, while {path.name} has {registered.fingerprint}",
            expected="the fingerprint of the protocol on the day it was registered",
            remedy="Restore the registered file from the registry; it is never edited. Changes go to "
            "the study file, with an amendment.",
        )
    return registered


def deviation_table(registered: Protocol | None, run: Protocol) -> list[dict[str, Any]]:
    """A row for each entry that differs; empty where nothing was registered or nothing changed.

    Keys: path, registered, run (text, or None where the entry is absent), amended (date or None),
    reason, verdict (`amended`, `amended after outcomes were seen`, `not amended`, `wording only`) and
    affects (the names of the analyses that depend on it).
    """
    if registered is None:
        return []
    before, after = _flat(declared(registered)), _flat(declared(run))
    rows = []
    for path in sorted(before.keys() | after.keys()):
        if path.split(".", 1)[0] in STATEMENTS or before.get(path) == after.get(path):
            continue
        rows.append(_row(path, before.get(path), after.get(path), registered, run))
    return rows


def exploratory_analyses(rows: list[dict[str, Any]]) -> frozenset[str]:
    """The analyses that no longer count as registered."""
    return frozenset(name for row in rows if row["verdict"] in BROKEN for name in row["affects"])


def late_definitions(rows: Sequence[Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    """(outcome, definition) of other definitions that were named after registration: results under them are exploratory."""
    out = set()
    for row in rows:
        block, _, rest = str(row["path"]).partition(".")
        if block == "outcomes" and rest.endswith(OTHERS) and row["verdict"] in BROKEN:
            registered = set(str(row["registered"] or "").split(", "))
            added = set(str(row["run"] or "").split(", ")) - registered - {""}
            out |= {(rest.removesuffix(OTHERS), pinned.partition("@")[0]) for pinned in added}
    return frozenset(out)


def _row(path: str, before: Any, after: Any, registered: Protocol, run: Protocol) -> dict[str, Any]:
    matching = [a for a in run.amendments if path == a.path or path.startswith(a.path + ".")]
    amendment = max(matching, key=lambda a: (a.outcome_data_seen, a.date), default=None)
    if path.rsplit(".", 1)[-1].split("[")[0] in WORDING:
        verdict = "wording only"
    elif amendment is None:
        verdict = "not amended"
    elif amendment.outcome_data_seen:
        verdict = "amended after outcomes were seen"
    else:
        verdict = "amended"
    return {
        "path": path,
        "registered": None if before is None else str(before),
        "run": None if after is None else str(after),
        "amended": None if amendment is None else amendment.date.isoformat(),
        "reason": None if amendment is None else amendment.reason,
        "verdict": verdict,
        "affects": [] if verdict == "wording only" else list(_affected(path, registered, run)),
    }


def _affected(path: str, registered: Protocol, run: Protocol) -> tuple[str, ...]:
    """The analyses whose number depends on the entry at `path`.

    Which other definitions an outcome is also shown under moves no number of the study's own.
    """
    block, _, rest = path.partition(".")
    name = rest.split(".", 1)[0].split("[")[0]
    if block.split("[")[0] in EVERYTHING:
        return tuple(run.analyses)
    if block == "analyses":
        return (name,) if name in run.analyses else ()
    if block == "estimands":
        return tuple(key for key, a in run.analyses.items() if a.estimand == name)
    if block == "outcomes" and path.endswith(OTHERS):
        return ()
    if block == "outcomes":
        return tuple(key for key, a in run.analyses.items() if run.estimands[a.estimand].outcome == name)
    if block == "families":
        members = {e for p in (registered, run) if name in p.families for e in p.families[name].estimands}
        return tuple(key for key, a in run.analyses.items() if a.estimand in members)
    if block == "monitoring":
        watched = {p.monitoring.analysis for p in (registered, run) if p.monitoring is not None}
        return tuple(key for key in run.analyses if key in watched)
    return ()


def _flat(node: Any, path: str = "") -> dict[str, Any]:
    """{dotted path: scalar} of nested dictionaries; lists are compared whole."""
    if isinstance(node, Mapping):
        out: dict[str, Any] = {}
        for key, item in node.items():
            out |= _flat(item, f"{path}.{key}" if path else str(key))
        return out
    return {path: ", ".join(map(str, node)) if isinstance(node, list) else node}
