"""Rows for contracts that say little, and refusals for contracts that no rows were found for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from data_contracts.identifiers import normal_nhs, normal_pnc
from data_contracts.odcs import loads_contract
from data_contracts.read import find_contract, find_table, read_table
from data_contracts.synthetic import SynthesisRefused, synthesise_tables, write_tables
from small_contract import SMALL, with_layout

LATEST = date(2026, 1, 31)


def made(text: str, rows: int = 50, seed: int = 1):  # type: ignore[no-untyped-def]
    contract = loads_contract(text, name="small")
    frame = synthesise_tables([contract], rows=rows, rng=np.random.default_rng(seed), latest=LATEST)["small"]
    return contract, frame


def test_a_contract_without_marginals_has_rows_that_keep_it(tmp_path: Path) -> None:
    contract, frame = made(SMALL)
    assert len(frame) == 50
    write_tables({"small": frame}, [contract], tmp_path)
    assert read_table(find_table(tmp_path, contract), contract).rows == 50
    assert (tmp_path / "small.csv").read_text().splitlines()[1].count("/") == 4


@pytest.mark.parametrize(("scheme", "normal"), [("pnc", normal_pnc), ("nhs", normal_nhs)], ids=["pnc", "nhs"])
def test_identifiers_have_their_check_digits(scheme: str, normal: object) -> None:
    text = SMALL.replace(
        "value: pseudonym}", f"value: pseudonym}}\n    - {{property: identifier, value: {scheme}}}"
    ).replace("value: count_unit", "value: never_published")
    _, frame = made(text)
    assert all(normal(value) for value in frame["person"])  # type: ignore[operator]
    assert frame["person"].is_unique


@pytest.mark.parametrize(
    "pattern",
    ["^[A-Z]{2}[0-9]{4}$", "^(north|south)-[0-9]{1,3}$", "^x?y+z*\\\\d{3}$", "^E0[1-9]0{3}[0-9]{3}$"],
)
def test_texts_have_the_declared_form(pattern: str) -> None:
    text = SMALL.replace(
        "    classification: quasi_identifier\n",
        f'    classification: quasi_identifier\n    logicalTypeOptions: {{pattern: "{pattern}"}}\n',
    )
    contract, frame = made(text, rows=8)
    column = contract.columns["person"].pattern
    assert column is not None
    assert frame["person"].str.fullmatch(column).all()
    assert frame["person"].is_unique


def test_shares_are_about_what_they_say() -> None:
    text = SMALL.replace(
        "value: magnitude}",
        "value: magnitude}\n    - {property: marginal, value: {shares: {1: 0.2, 3: 0.8}, missing: 0.1}}",
    )
    _, frame = made(text, rows=4000)
    # Four standard errors of a share of 0.72 among 4,000.
    assert abs((frame["visits"] == 3).mean() - 0.72) < 4 * (0.72 * 0.28 / 4000) ** 0.5
    assert abs(frame["visits"].isna().mean() - 0.1) < 4 * (0.1 * 0.9 / 4000) ** 0.5


def test_rules_that_no_draw_meets_are_named() -> None:
    with pytest.raises(SynthesisRefused, match="the end is not before the start"):
        made(SMALL.replace("missing(left) or left >= came", "visits >= 100000"))


def test_dates_never_lie_after_the_extraction() -> None:
    _, frame = made(SMALL, rows=500)
    assert frame["came"].max().date() <= LATEST
    assert frame["came"].min().date() >= date(2000, 1, 1)


@pytest.mark.parametrize(("per", "low", "high"), [(0.2, 0.14, 0.26), (3.0, 2.7, 3.3)])
def test_rows_to_a_person_are_about_as_many_as_the_contract_says(per: float, low: float, high: float) -> None:
    """Poisson means over 1,000 people: within 4 Monte Carlo errors (0.014 and 0.055)."""
    contract = find_contract("custody_spells")
    person = replace(contract.columns["person"], marginal={"per": per})
    contract = replace(contract, columns={**contract.columns, "person": person})
    frame = synthesise_tables([contract], rows=1000, rng=np.random.default_rng(2), latest=LATEST)
    assert low < len(frame["custody_spells"]) / 1000 < high


def test_a_decimal_comma_is_written_as_it_is_read(tmp_path: Path) -> None:
    text = with_layout("{delimiter: ';', decimal: ','}", SMALL.replace("Type: integer", "Type: number"))
    contract, frame = made(text)
    frame["visits"] = frame["visits"].round() + 0.5
    write_tables({"small": frame}, [contract], tmp_path)
    assert ",5\n" in (tmp_path / "small.csv").read_text()
    assert read_table(find_table(tmp_path, contract), contract).frame["visits"].tolist() == list(
        frame["visits"]
    )


@pytest.mark.parametrize("pattern", ["[^,;]+", "[^a-z]{3}", "x[^x]y"])
def test_texts_for_what_a_form_leaves_out(pattern: str) -> None:
    text = SMALL.replace("    unique: true\n", f"    logicalTypeOptions: {{pattern: '{pattern}'}}\n")
    text = text.replace("    primaryKey: true\n", "").replace(
        "- {property: controller", "- {property: keyless, value: a test}\n- {property: controller"
    )
    _, frame = made(text)
    assert frame["person"].str.fullmatch(pattern).all()
