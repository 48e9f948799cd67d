"""Provisional numbers: every number that rests on a table whose source may still change is marked [p].

The mark is that of the Government Statistical Service's symbols for tables. In 2008 unchecked provisional
hospital data made a headline; a number that may change says so wherever it stands.

Reference: Government Analysis Function, Symbols in tables: definitions and help (2021); UK Statistics Authority (2008),
letter on knife crime statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.gate.verdict import PROVISIONAL

SENTENCES = ("answer", "caution", "in_figures")
FIGURES = ("value", "interval", "full", "short", "natural")


def provisional_tables(record: Mapping[str, Any]) -> frozenset[str]:
    """The tables that their source marked provisional."""
    return frozenset(table["name"] for table in record["tables"] if table.get("provisional"))


def provisional_outcomes(record: Mapping[str, Any]) -> frozenset[str]:
    """The outcomes that rest on at least one table marked provisional by its source."""
    loose = provisional_tables(record)
    return frozenset(name for name, tables in record["sources"].items() if loose & set(tables))


def mark_of(record: Mapping[str, Any], outcome: str) -> str:
    """The mark with the space before it, or nothing."""
    return f" {PROVISIONAL}" if outcome in provisional_outcomes(record) else ""


def mark_of_join(record: Mapping[str, Any], table: str) -> str:
    """The mark where a table, or the roster that it is joined to, is provisional, or nothing."""
    joined = {table, record["protocol"]["population"]["roster"]}
    return f" {PROVISIONAL}" if joined & provisional_tables(record) else ""


def marked(text: str) -> str:
    """A figure or a sentence with the mark at its end; a mark that says why there is no figure stays alone."""
    if text.startswith("["):
        return text
    return f"{text[:-1]} {PROVISIONAL}." if text.endswith(".") else f"{text} {PROVISIONAL}"


def mark_estimate(texts: dict[str, str]) -> dict[str, str]:
    """The texts of an estimate, each figure and each sentence of figures marked; withheld ones as they are."""
    if texts["value"].startswith("["):
        return texts
    names = [name for name in (*SENTENCES, *FIGURES) if name in texts]
    return texts | {name: marked(texts[name]) for name in names}
