"""Declarations: everything that is wrong with a block at once, and no long text of a file that is none."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from data_contracts.declared import Undeclarable, build


@dataclass(frozen=True, kw_only=True)
class Inner:
    level: float
    base: int = 1


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    seed: int
    inner: Inner
    note: str | None = None


def test_all_that_is_wrong_is_told_at_once() -> None:
    node = {"seed": "7", "inner": {"level": "high", "bases": 2}, "notes": "x"}
    with pytest.raises(Undeclarable, match="5 entries to correct") as caught:
        build(Outer, node, path="study")
    assert {part.where for part in caught.value.parts} == {
        "study.name",
        "study.seed",
        "study.inner.level",
        "study.inner.bases",
        "study.notes",
    }
    assert "Did you mean 'note'?" in str(caught.value)


def test_a_misspelt_key_is_not_also_missing() -> None:
    with pytest.raises(Undeclarable) as caught:
        build(Outer, {"name": "a", "sead": 7, "inner": {"level": 0.9}}, path="study")
    assert (caught.value.where, caught.value.parts) == ("study.sead", ())


def test_a_file_that_is_no_declaration_is_not_repeated() -> None:
    rows = "person,came Quetzal Zorbonne,03/02/2024"
    with pytest.raises(Undeclarable, match="found text; expected a block") as caught:
        build(Outer, rows, path="small.vintage.yaml")
    assert "Quetzal" not in str(caught.value)
    with pytest.raises(Undeclarable) as caught:
        build(Outer, {"name": "a", "seed": "x" * 5_000, "inner": {"level": 0.9}}, path="study")
    assert len(str(caught.value)) < 300
