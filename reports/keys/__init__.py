"""Every value that a page may look up: its key, and its finished text, made from the protected record.

Keys are stable: pages, notebooks and other people's scripts use them.

    study.*                        the declaration, its status, its fingerprints
    arm.ARM.*                      label, people
    outcome.OUTCOME.*              the declared outcome; outcome.OUTCOME.ARM.* what was seen in an arm
    estimate.ANALYSIS.*            one analysis; `primary.*` is the study's answer
    definitions.*                  whether the answer depends on what counts as the outcome
    check.NAME.*, deviations.*, release.*, agreement.*
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data_contracts.disclosure import DisclosurePolicy
from reports.gate.verdict import Item
from reports.keys.definitions import definition_texts
from reports.keys.estimate import agreement_texts, estimate_texts, primary_texts
from reports.keys.outcome import outcome_texts
from reports.keys.study import closing_texts, study_texts
from reports.neutral import typographic


def texts_of(record: Mapping[str, Any], policy: DisclosurePolicy, items: Sequence[Item]) -> dict[str, str]:
    """{key: finished text} of everything in the record; what is withheld is a mark."""
    texts = study_texts(record)
    texts |= outcome_texts(record)
    texts |= estimate_texts(record)
    texts |= primary_texts(record, texts)
    texts |= agreement_texts(record)
    texts |= definition_texts(record)
    texts |= closing_texts(record, policy, items)
    for name in record["protocol"]["outcomes"]:
        texts.setdefault(f"{name}.follow_up", texts[f"outcome.{name}.follow_up"])
    return {key: typographic(text) for key, text in sorted(texts.items())}
