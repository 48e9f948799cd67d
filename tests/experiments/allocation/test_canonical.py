"""Canonical bytes and rosters: one spelling, and refusals for what could be taken for something else."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.refusal import Refusal
from experiments.allocation.canonical import NotCanonical, RosterRefused, canonical, parse, roster_from

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(alphabet="abcXYZ_019", max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def table(ids: list[Any], **columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(columns or None, index=pd.Index(ids, dtype=object))


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_what_is_written_is_read_back_from_its_bytes_alone(value: Any) -> None:
    assert parse(canonical(value), where="test") == value


@pytest.mark.parametrize(
    "value, expected",
    [
        ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
        ('a"b\\c\n\x01', b'"a\\"b\\\\c\\n\\u0001"'),
        ("é€", '"é€"'.encode()),
    ],
)
def test_the_bytes_are_those_of_rfc_8785(value: Any, expected: bytes) -> None:
    assert canonical(value) == expected


@pytest.mark.parametrize("value", [1.5, 2**53, {"é": 1}, {1: 2}, "\ud800", b"x", {1, 2}, float("nan")])
def test_what_has_two_spellings_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{ "a":1}',
        b"[1.0]",
        b"[1e3]",
        b'"\\u00e9"',
        b"",
        b"\xff",
        b"[NaN]",
    ],
)
def test_bytes_that_are_not_canonical_are_refused(raw: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse(raw, where="test")


def test_rows_stand_in_the_order_of_ids_and_keep_only_the_designs_columns() -> None:
    frame = table(["b", "a", "Z1", "é"], site=["x", "y", "x", "y"], name=["N", "O", "P", "Q"], n=[1, 2, 3, 4])
    roster = roster_from(frame, ["site", "n"])
    assert roster.rows == (("Z1", "x", "3"), ("a", "y", "2"), ("b", "x", "1"), ("é", "y", "4"))
    assert roster.column("n") == ("3", "2", "1", "4")


@pytest.mark.parametrize(
    "ids, said",
    [
        (["p1", "p1"], "1 repeated ids"),
        (["p1", "P1"], "differ from another only in case"),
        (["ﬁ1", "fi1"], "look-alike"),
        (["p1", None], "missing value"),
        (["p1", float("nan")], "missing value"),
        (["p1", 2.5], "number with a fraction"),
        (["p1", ""], "empty value"),
        (["p1", "p2 "], "outer spaces"),
        (["p1", "p\u200b2"], "invisible characters"),
        (["p1", "e\u0301"], "form C"),
        (["p1", "Jo Smith"], "look like names"),
        (["p1", "jo@example.org"], "e-mail"),
        (["p1", "99/123456X"], "PNC"),
        (["9434765919", "9000000009"], "NHS"),
        ([], "no units"),
    ],
)
def test_a_roster_whose_ids_cannot_stand_is_refused(ids: list[Any], said: str) -> None:
    with pytest.raises(RosterRefused, match=said) as error:
        roster_from(table(ids), [])
    assert not any(
        str(value) in str(error.value) for value in ids if isinstance(value, str) and len(value) > 3
    )


def test_block_labels_that_differ_only_in_case_are_refused() -> None:
    with pytest.raises(RosterRefused, match="column 'borough' differ from another only in case"):
        roster_from(table(["p1", "p2"], borough=["Ash", "ash"]), ["borough"])


def test_a_missing_block_or_column_is_refused() -> None:
    with pytest.raises(Refusal, match="column 'borough', row 2"):
        roster_from(table(["p1", "p2"], borough=["ash", None]), ["borough"])
    with pytest.raises(Refusal, match="no column 'school'"):
        roster_from(table(["p1"], borough=["ash"]), ["school"])
