"""What changes between two versions of a contract, and how much it matters.

breaking  a file that kept the old contract may break the new one, or a number changes its meaning
minor     every file that kept the old contract keeps the new one, and more would
patch     words only
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from data_contracts.table import Column, TableContract, Vintage

Level = Literal["breaking", "minor", "patch"]
_RANK = {"patch": 0, "minor": 1, "breaking": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference: where, what, and its level."""

    level: Level
    where: str
    what: str


def contract_diff(old: TableContract, new: TableContract) -> list[Change]:
    """Every difference from `old` to `new`, the gravest first."""
    changes = _table_changes(old, new)
    for name in old.columns:
        if name not in new.columns:
            changes.append(Change(level="breaking", where=name, what="column removed"))
    for name, column in new.columns.items():
        if name not in old.columns:
            changes.append(Change(level="breaking", where=name, what="column added"))
        else:
            changes += _column_changes(name, old.columns[name], column)
    return sorted(changes, key=lambda c: (-_RANK[c.level], c.where))


def level_of(changes: list[Change]) -> Level | None:
    """The gravest level among the changes; None where there are none."""
    return max((c.level for c in changes), key=lambda level: _RANK[level], default=None)


def version_needed(old: str, level: Level | None) -> str:
    """The least version that tells of such a change, by semantic versioning."""
    major, minor, patch = (int(part) for part in old.split(".")[:3])
    if level == "breaking":
        return f"{major + 1}.0.0"
    if level == "minor":
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}" if level == "patch" else old


def _table_changes(old: TableContract, new: TableContract) -> list[Change]:
    changes: list[Change] = []
    for field in ("name", "grain", "key", "keyless", "person", "layout"):
        if getattr(old, field) != getattr(new, field):
            changes.append(Change(level="breaking", where=field, what=f"{field} changed"))
    if old.keyless and new.keyless:
        changes = [
            Change(level="patch", where="keyless", what="keyless reworded") if c.where == "keyless" else c
            for c in changes
        ]
    if old.may_have_no_rows != new.may_have_no_rows:
        level: Level = "breaking" if old.may_have_no_rows else "minor"
        said = "no longer" if old.may_have_no_rows else "now"
        changes.append(
            Change(level=level, where="may_have_no_rows", what=f"a table without rows is {said} let pass")
        )
    for field in ("controller", "lawful_basis", "retention"):
        if getattr(old, field) != getattr(new, field):
            changes.append(Change(level="minor", where=field, what=f"{field.replace('_', ' ')} changed"))
    changes += _vintage_changes(old.vintage, new.vintage)
    changes += [
        Change(level="minor", where="recording_breaks", what=f"{name} dropped")
        for name in old.recording_breaks
        if name not in new.recording_breaks
    ]
    changes += [
        Change(
            level="breaking", where="recording_breaks", what=f"{name} added: studies across it must name it"
        )
        for name in new.recording_breaks
        if name not in old.recording_breaks
    ]
    for field in ("title", "purpose", "limitations", "usage", "sources", "status"):
        if getattr(old, field) != getattr(new, field):
            changes.append(Change(level="patch", where=field, what=f"{field} reworded"))
    before, after = {r.holds.text: r for r in old.rules}, {r.holds.text: r for r in new.rules}
    changes += [
        Change(level="patch", where="rules", what=f"rule reworded: {before[t].name} to {r.name}")
        for t, r in after.items()
        if t in before and before[t].name != r.name
    ]
    changes += [
        Change(level="minor", where="rules", what=f"rule dropped: {r.name}")
        for t, r in before.items()
        if t not in after
    ]
    changes += [
        Change(level="breaking", where="rules", what=f"rule added: {r.name}")
        for t, r in after.items()
        if t not in before
    ]
    return changes


def _vintage_changes(old: Vintage, new: Vintage) -> list[Change]:
    """No date may be after the extraction: an earlier one refuses rows that were good."""
    changes: list[Change] = []
    if old.begins != new.begins:
        changes.append(
            Change(level="minor", where="vintage", what=f"begins: {_say(old.begins)} to {_say(new.begins)}")
        )
    if old.extracted != new.extracted:
        later = new.extracted is None or (old.extracted is not None and new.extracted > old.extracted)
        what = f"extracted: {_say(old.extracted)} to {_say(new.extracted)}"
        changes.append(Change(level="minor" if later else "breaking", where="vintage", what=what))
    if old.provisional != new.provisional:
        what = f"provisional: {_say(old.provisional)} to {_say(new.provisional)}"
        changes.append(Change(level="minor", where="vintage", what=what))
    if old.source != new.source:
        changes.append(Change(level="patch", where="vintage", what="source reworded"))
    return changes


def _column_changes(name: str, old: Column, new: Column) -> list[Change]:
    changes: list[Change] = []
    # A header written out that is the column's own name is no change.
    old = dataclasses.replace(old, source_name=old.source_name or name)
    new = dataclasses.replace(new, source_name=new.source_name or name)
    for field in dataclasses.fields(Column):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            judge = _JUDGES.get(field.name, _always("breaking"))
            words = field.name.replace("_", " ")
            changes.append(
                Change(
                    level=judge(before, after), where=name, what=f"{words}: {_say(before)} to {_say(after)}"
                )
            )
    return changes


def _always(level: Level) -> Callable[[Any, Any], Level]:
    return lambda before, after: level


def _looser(loosened: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Level]:
    return lambda before, after: "minor" if loosened(before, after) else "breaking"


def _allowed(before: Any, after: Any) -> Level:
    if before is not None and after is not None and set(before) == set(after):
        return "patch"
    return "minor" if after is None or (before is not None and set(before) <= set(after)) else "breaking"


def _labels(before: Any, after: Any) -> Level:
    """Words only, unless one code's label now stands at another: 1 male, 2 female is not 2 male, 1 female."""
    codes = {label: code for code, label in before.items()}
    moved = any(codes.get(label, code) != code for code, label in after.items())
    return "breaking" if moved else "patch"


def _missing_codes(before: Any, after: Any) -> Level:
    """With other codes, a value that was read becomes missing, or the reverse."""
    return "patch" if set(before) == set(after) else "breaking"


def _lower(before: Any, after: Any) -> bool:
    return after is None or (before is not None and type(before) is type(after) and after < before)


def _higher(before: Any, after: Any) -> bool:
    return after is None or (before is not None and type(before) is type(after) and after > before)


_JUDGES: dict[str, Callable[[Any, Any], Level]] = {
    "meaning": _always("patch"),
    "labels": _labels,
    "code_list": _always("patch"),
    "marginal": _always("patch"),
    "missing_codes": _missing_codes,
    "nullable": _looser(lambda before, after: after),
    "unique": _looser(lambda before, after: before),
    "may_be_empty": _looser(lambda before, after: after),
    "allowed": _allowed,
    "minimum": _looser(_lower),
    "maximum": _looser(_higher),
    "above": _looser(_lower),
    "max_length": _looser(_higher),
    "pattern": _looser(lambda before, after: after is None),
    "refers_to": _looser(lambda before, after: after is None),
    "identifier": _looser(lambda before, after: after is None),
}


def _say(value: Any) -> str:
    if value is None or value == () or value == {}:
        return "nothing"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(str(v) for v in value) + "]"
    return str(value)
