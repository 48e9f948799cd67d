"""A condition that looks for a value that the contract of its column does not list is found without rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data_contracts.expression import Expression
from data_contracts.expression_labels import unlisted
from small_tables import column

COLUMNS = {
    "disposal": replace(column("string"), allowed=("convicted", "cautioned", "pending")),
    "knife": replace(column("integer"), allowed=(0, 1)),
    "note": column("string"),
    "count": column("integer"),
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("disposal in ['convicted', 'cautioned']", []),
        ("disposal in ['convicted', 'caution']", [("disposal", "caution")]),
        ("disposal not in ['Pending']", [("disposal", "Pending")]),
        (
            "disposal == 'convicted' and not (disposal != 'x' or knife == 2)",
            [("disposal", "x"), ("knife", 2)],
        ),
        ("'x' == disposal", [("disposal", "x")]),
        ("knife == 1 or knife == 1.0", []),
        ("knife >= 2", []),  # a bound is no value that is looked for
        ("note == 'anything' and count == 7 and elsewhere == 'x'", []),
        ("missing(disposal) or knife in [0, 1]", []),
    ],
)
def test_a_value_that_is_looked_for_is_one_that_the_contract_lists(
    text: str, found: list[tuple[str, object]]
) -> None:
    assert sorted(unlisted(Expression(text), COLUMNS), key=str) == found
