"""Texts on whether the answer depends on what counts as the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports import wording as w
from reports.gate.verdict import shown

NONE = "This study counts no outcome by a list of offence classes, so there is no other definition to try."
ONLY = "The study counts its outcome under one definition, given under methods."
CHOSEN = "The study's own definition was named in its protocol; the others show how far the answer hangs on that choice, and do not replace it."


def definition_texts(record: Mapping[str, Any]) -> dict[str, str]:
    """`definitions.sentence`, about the primary outcome, and `definition.OUTCOME.ID.label`."""
    texts = {"definitions.sentence": _sentence(record)}
    for row in record["definitions"]:
        texts[f"definition.{row['outcome']}.{row['id']}.label"] = f"{row['label']}, {row['locality']}"
    return texts


def definition_label(record: Mapping[str, Any], outcome: str, definition: str) -> str:
    """The label of a definition as a reader knows it; its id in words where its label was not released."""
    for row in record["definitions"]:
        if (row["outcome"], row["id"]) == (outcome, definition):
            return str(row["label"])
    return definition.replace("_", " ")


def _sentence(record: Mapping[str, Any]) -> str:
    if not record["definitions"]:
        return NONE
    primary = record["primary"]
    others = [r for r in record["definitions"] if r["outcome"] == primary["outcome"] and not r["own"]]
    if not others:
        return ONLY if any(r["outcome"] == primary["outcome"] for r in record["definitions"]) else NONE
    main = next((e for e in record["estimates"] if e["key"] == primary["analysis"]), None)
    found = {
        e["definition"]: e
        for e in record["estimates"]
        if e["analysis"] == primary["analysis"] and e["definition"] is not None and shown(e["value"])
    }
    if main is None or not shown(main["value"]) or not found:
        return f"No result under another definition can be set beside the study's own here. {CHOSEN}"
    text = f"{_verdict(record, main, found)} {CHOSEN}"
    late = [
        definition_label(record, primary["outcome"], name)
        for name, e in found.items()
        if main["registered"] and not e["registered"]
    ]
    if late:
        text += f" Named only after registration, and exploratory: {w.listed(late)}."
    hidden = len(others) - len(found)
    if hidden:
        text += f" Under {w.count_word(hidden)} more no result could be printed without showing a few people."
    return text


def _verdict(
    record: Mapping[str, Any], main: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]
) -> str:
    """Does any other definition give another answer: another side of no effect, or no clear side?"""
    outcome = record["primary"]["outcome"]
    own = w.standing(main["scale"], main)
    standings = {name: w.standing(e["scale"], e) for name, e in found.items()}
    unlike = [definition_label(record, outcome, name) for name, side in standings.items() if side != own]
    number = w.count_word(len(found))
    what = {
        "across": "an interval that includes no effect",
        "below": "an interval that lies wholly below no effect",
        "above": "an interval that lies wholly above no effect",
    }.get(own, "no interval")
    if not unlike:
        many = {1: "the one other definition", 2: "both other definitions"}.get(
            len(found), f"all {number} other definitions"
        )
        give = "gives" if len(found) == 1 else "give"
        return f"The answer does not hang on the definition: {many} that could be shown also {give} {what}."
    return (
        f"The answer hangs on the definition: the study's own gives {what}, and "
        f"{w.listed(unlike)} {'does' if len(unlike) == 1 else 'do'} not."
    )
