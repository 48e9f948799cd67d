"""A study file says exactly what it means, or is refused where it does not."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.declared import build, plain
from data_contracts.refusal import Refusal
from data_contracts.safe_yaml import UnsafeYaml, parse_yaml
from experiments.load import StudyRefused, dump, find_study, load_protocol, loads, study_names
from experiments.outcome import Outcome
from experiments.protocol import Protocol
from experiments.seeds import stream

LIFE = find_study("baltimore_life").read_text(encoding="utf-8")


@pytest.fixture
def life() -> Protocol:
    return loads(LIFE, name="baltimore_life.yaml")


@pytest.mark.parametrize("name", study_names())
def test_every_study_loads_and_round_trips_exactly(name: str) -> None:
    protocol = load_protocol(find_study(name))
    again = loads(dump(protocol), name="dumped")
    assert again == protocol and again.fingerprint == protocol.fingerprint
    assert dump(again) == dump(protocol)


def test_the_fingerprint_covers_every_promise_and_no_statement(life: Protocol) -> None:
    reseeded = dataclasses.replace(life, seed=life.seed + 1)
    renoted = dataclasses.replace(life, registration=dataclasses.replace(life.registration, note="other"))
    assert reseeded.fingerprint != life.fingerprint
    assert renoted.fingerprint == life.fingerprint
    assert (
        loads(LIFE.replace("follow_up_days: 364", "follow_up_days: 363"), name="x").fingerprint
        != life.fingerprint
    )


def test_the_order_of_keys_does_not_move_the_fingerprint(life: Protocol) -> None:
    turned = dict(reversed(list(parse_yaml(LIFE, name="x").items())))
    from experiments.load import protocol_from

    assert protocol_from(turned, where="x").fingerprint == life.fingerprint


@pytest.mark.parametrize(
    ("found", "instead", "where", "hint"),
    [
        ("follow_up_days: 364", "follow_up_days: 0", "outcomes.rearrest.follow_up_days", "at least one day"),
        ("follow_up_days: 364", "follow_up_days: '364'", "outcomes.rearrest.follow_up_days", "whole number"),
        ("follow_up_days: 364", "follow_up_day: 364", "outcomes.rearrest.follow_up_day", "'follow_up_days'"),
        ("scheme: complete", "scheme: compleat", "design.scheme", "'complete'"),
        ("estimator: bayes_binary", "estimator: ''", "", ""),
        (
            "contrast: [financial_aid, no_aid]",
            "contrast: [financial_aids, no_aid]",
            "estimands.rearrest_difference.contrast",
            "'financial_aid'",
        ),
        ("share: 1/2, reference: true", "share: 1/2", "arms", "reference"),
        ("share: 1/2, reference: true", "share: 1/3, reference: true", "design.arms", "sum to 1"),
        ("role: primary", "role: secondary", "outcomes", "role: primary"),
        ("status: retrospective", "status: registered", "registration.where", "fingerprint"),
        ("better: lower", "better: smaller", "outcomes.rearrest.better", "'lower'"),
        (
            "population: everyone randomised",
            "population: [a, b]",
            "estimands.rearrest_difference.population",
            "text",
        ),
        ("id: baltimore_life", "id: baltimore_life\nid: again", "line 4", "once"),
        ("id: baltimore_life", "id: !!python/object/apply:os.system [x]", "line 3", "without object tags"),
        ("id: baltimore_life", "id: &a baltimore_life\nx: *a", "alias", "written out"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_path_and_a_way_out(
    found: str, instead: str, where: str, hint: str
) -> None:
    assert found in LIFE
    changed = LIFE.replace(found, instead, 1)
    if not where:
        return
    with pytest.raises(Refusal) as refused:
        loads(changed, name="changed.yaml")
    assert where in str(refused.value) and hint in str(refused.value)


def test_a_study_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(StudyRefused, match="baltimore_life"):
        find_study("baltimore_lif")
    with pytest.raises(StudyRefused, match="no file"):
        find_study(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "content", [b"", b"- a\n- b\n", b"\x00\x01", "id: caf\xe9".encode("latin-1"), b"a: [1"]
)
def test_a_file_that_is_not_a_study_is_one_clear_message(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(Refusal):
        load_protocol(path)


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(UnsafeYaml, match="alias"):
        parse_yaml(bomb, name="bomb.yaml")


def test_yes_and_no_are_words_and_true_and_false_are_not() -> None:
    assert parse_yaml("a: no\nb: true\nc: on", name="x") == {"a": "no", "b": True, "c": "on"}


@settings(max_examples=60)
@given(
    label=st.text(min_size=1).filter(lambda s: s.isprintable()),
    days=st.integers(1, 4000),
    kind=st.sampled_from(["mean", "binary"]),
    better=st.sampled_from(["lower", "higher"]),
)
def test_any_outcome_round_trips_through_plain_dictionaries(
    label: str, days: int, kind: Any, better: Any
) -> None:
    outcome = Outcome(
        label=label,
        role="secondary",
        table="t",
        column="c",
        kind=kind,
        follow_up_days=days,
        unit=label,
        better=better,
    )
    assert build(Outcome, plain(outcome), path="outcome") == outcome


def test_streams_depend_on_names_alone() -> None:
    a = stream(7, "analysis", "primary").random(3)
    assert (stream(7, "analysis", "primary").random(3) == a).all()
    assert (stream(7, "analysis", "primary2").random(3) != a).any()
    assert (stream(8, "analysis", "primary").random(3) != a).any()
