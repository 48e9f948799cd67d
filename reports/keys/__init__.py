"""Every value that a page may look up: its key, and its finished text, made from the protected record.

Keys are stable: pages, notebooks and other people's scripts use them.

    study.*                        the declaration, its status, its fingerprints
    arm.ARM.*                      label, people
    outcome.OUTCOME.*              the declared outcome; outcome.OUTCOME.ARM.* what was seen in an arm
    estimate.ANALYSIS.*            one analysis; `primary.*` is the study's answer
    check.NAME.*, deviations.*, release.*, agreement.*
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from reports.gate.verdict import Item
from reports.keys.estimate import agreement_texts, estimate_texts, primary_texts
from reports.keys.outcome import outcome_texts
from reports.keys.study import closing_texts, study_texts

_OPENING = re.compile(r'(?:(?<=^)|(?<=[\s(\[]))"')
_OPENING_SINGLE = re.compile(r"(?:(?<=^)|(?<=[\s(\[]))'")


def texts_of(record: Mapping[str, Any], policy: DisclosurePolicy, items: Sequence[Item]) -> dict[str, str]:
    """{key: finished text} of everything in the record; what is withheld is a mark."""
    texts = study_texts(record)
    texts |= outcome_texts(record)
    texts |= estimate_texts(record)
    texts |= primary_texts(record, texts)
    texts |= agreement_texts(record)
    texts |= closing_texts(record, policy, items)
    for name in record["protocol"]["outcomes"]:
        texts.setdefault(f"{name}.follow_up", texts[f"outcome.{name}.follow_up"])
    return {key: _typographic(text) for key, text in sorted(texts.items())}


def _typographic(text: str) -> str:
    """Curly quotes and apostrophes; Quarto passes values as quoted literals, which straight ones would break."""
    text = _OPENING.sub("\u201c", text).replace('"', "\u201d")
    return _OPENING_SINGLE.sub("\u2018", text).replace("'", "\u2019")
