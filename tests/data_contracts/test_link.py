"""Linkage: one row per unit, every loss counted by arm, nobody multiplied and nobody dropped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.link import Join, LinkRefused, audit_rows, link, match_checks
from data_contracts.read import CheckedTable, find_contract

OFFENCES = find_contract("offences")


def table(name: str, **columns: list[object]) -> CheckedTable:
    from dataclasses import replace

    return CheckedTable(
        contract=replace(OFFENCES, name=name),
        frame=pd.DataFrame(columns),
        sha256="0" * 64,
        rows=len(next(iter(columns.values()))),
        source="a test",
        extracted=None,
        provisional=False,
    )


ROSTER = table("roster", person=["a", "b", "c", "d"], arm=["new", "new", "old", "old"])


def test_one_row_per_unit_in_the_rosters_order_with_losses_by_arm() -> None:
    other = table("police", who=["c", "a", "z"], count=[3, 1, 9])
    linked = link(ROSTER, [Join(table=other, on="who", columns=("count",))], key="person", arm="arm")
    assert linked.frame.index.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(linked.frame["count"], [1, np.nan, 3, np.nan])
    whole, new, old = linked.audit
    assert (whole["arm"], whole["rows_in"], whole["keys_unique"], whole["rows_of_nobody"]) == (None, 3, 3, 1)
    assert (whole["units"], whole["matched"], whole["unmatched"], whole["match_rate"]) == (4, 2, 2, 0.5)
    assert [(r["arm"], r["matched"], r["unmatched"]) for r in (new, old)] == [("new", 1, 1), ("old", 1, 1)]


def test_several_rows_to_a_key_are_refused_and_counted() -> None:
    other = table("police", who=["a", "a", "b"], count=[3, 1, 9])
    with pytest.raises(LinkRefused, match="2 rows that share their key"):
        link(ROSTER, [Join(table=other, on="who", columns=("count",))], key="person", arm="arm")
    rows = audit_rows(ROSTER, other, on="who", key="person", arm=None)
    assert (rows[0]["rows_in"], rows[0]["keys_unique"], rows[0]["matched"]) == (3, 2, 2)


def test_a_repeated_unit_and_a_column_from_two_tables_are_refused() -> None:
    with pytest.raises(LinkRefused, match="1 repeated"):
        link(table("roster", person=["a", "a"]), [], key="person", arm=None)
    other = table("police", who=["a"], arm=["new"])
    with pytest.raises(LinkRefused, match="another table already brought"):
        link(ROSTER, [Join(table=other, on="who", columns=("arm",))], key="person", arm="arm")
    with pytest.raises(LinkRefused, match="Did you mean 'person'"):
        link(ROSTER, [], key="persn", arm=None)


def test_missing_keys_match_nobody() -> None:
    other = table("police", who=["a", None, None], count=[3, 1, 9])
    linked = link(ROSTER, [Join(table=other, on="who", columns=("count",))], key="person", arm=None)
    assert linked.audit[0]["keys_missing"] == 2
    assert linked.frame["count"].notna().sum() == 1


def test_a_match_rate_that_differs_by_arm_is_not_met() -> None:
    people = [f"p{i}" for i in range(200)]
    roster = table("roster", person=people, arm=["new"] * 100 + ["old"] * 100)
    found = people[:95] + people[100:170]
    audit = audit_rows(roster, table("police", who=found), on="who", key="person", arm="arm")
    (check,) = match_checks(audit, limit=0.05)
    assert (check["verdict"], check["name"]) == ("not met", "match_rate:police")
    assert check["statistic"] == pytest.approx(0.25)
    # Pearson's chi-squared by hand: 200 * (95*30 - 5*70)^2 / (100*100*165*35) = 21.65, p below 0.001.
    assert "seldom" in check["note"]
    (even,) = match_checks(audit, limit=0.30)
    assert even["verdict"] == "met"


def test_without_two_arms_nothing_is_assessed() -> None:
    audit = audit_rows(ROSTER, table("police", who=["a"]), on="who", key="person", arm=None)
    assert match_checks(audit, limit=0.1)[0]["verdict"] == "not assessed"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), unique=True), st.lists(st.integers(0, 30), unique=True, min_size=1))
def test_units_are_never_lost_or_multiplied(keys: list[int], units: list[int]) -> None:
    roster = table("roster", person=list(units), arm=["x" if u % 2 else "y" for u in units])
    other = table("police", who=pd.Series(keys, dtype="int64").tolist(), count=list(keys))
    linked = link(roster, [Join(table=other, on="who", columns=("count",))], key="person", arm="arm")
    assert linked.frame.index.tolist() == units
    whole = linked.audit[0]
    assert whole["matched"] == len(set(keys) & set(units))
    assert sum(row["matched"] for row in linked.audit[1:]) == whole["matched"]
    assert whole["rows_of_nobody"] == len(set(keys) - set(units))


def test_numbers_and_their_texts_are_not_joined_in_silence() -> None:
    """Nobody would match in any arm, and the match rates would not differ."""
    roster = table("roster", person=[1, 2], arm=["new", "old"])
    other = table("police", who=["1", "2"], count=[3, 1])
    with pytest.raises(LinkRefused, match="numbers on one side and text on the other"):
        link(roster, [Join(table=other, on="who", columns=("count",))], key="person", arm="arm")
    with pytest.raises(LinkRefused, match="numbers on one side and text on the other"):
        audit_rows(roster, other, on="who", key="person", arm="arm")
