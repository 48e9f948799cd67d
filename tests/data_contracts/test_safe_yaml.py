"""YAML that would surprise: what looks like a date, a number, a block or a declaration, and is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_contracts.safe_yaml import UnsafeYaml, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2026-02-30", "x, line 2"),
        ("a: 0000-01-01", "no calendar"),
        ("a: " + "1" * 6000, "not what it looks like"),
        ("a: !!int x", "not what it looks like"),
        ("a: !!timestamp x", "not what it looks like"),
        ("a: !!bool x", "not what it looks like"),
        ("a: !!binary aGk=", "object tags"),
        ("a: !!set {x}", "object tags"),
        ("[" * 20_000, "hundreds deep"),
        ("{a: " * 3_000, "hundreds deep"),
        ("a: {<<: {b: 1}, b: 2}", "a YAML merge"),
    ],
)
def test_what_yaml_would_stumble_over_is_refused(text: str, told: str) -> None:
    with pytest.raises(UnsafeYaml, match=told) as caught:
        parse_yaml(text, name="x")
    assert caught.value.__cause__ is None


def test_codes_and_hours_stay_text() -> None:
    """YAML 1.1 would read 8, 750 and 1000."""
    assert parse_yaml("[010, 12:30, 1_000, 0, -7, 12]", name="x") == ["010", "12:30", "1_000", 0, -7, 12]


@pytest.mark.parametrize("name", ["small.csv", "small", "small.parquet", "small.yaml.csv"])
def test_a_data_file_in_the_place_of_a_declaration_is_not_parsed(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("person,came\nQuetzal,03/02/2024\n")
    with pytest.raises(UnsafeYaml, match="order of the arguments") as caught:
        read_yaml(path)
    assert "Quetzal" not in str(caught.value)
