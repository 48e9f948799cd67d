"""How many people two outcomes of one table tell apart, counted again with plain sets from what was measured."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from data_contracts.read import CheckedTable, find_contract
from data_contracts.read_folder import read_folder
from desist.dry_run import write_dry_run
from evaluation.apart import outcomes_apart
from evaluation.derived import with_derived
from evaluation.measure import measure
from evaluation.plan import Plan, make_plan
from evaluation.roster import Roster, build_roster
from experiments.load import find_study, protocol_from

STUDY = find_study("mentoring_rehearsal")
World = tuple[Plan, dict[str, CheckedTable], Roster]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The mentoring rehearsal with two more outcomes: whether there was violence, and when first."""
    content = yaml.safe_load(STUDY.read_text(encoding="utf-8"))
    violence = content["outcomes"]["violence"]
    shared = {key: violence[key] for key in ("label", "table", "derive", "follow_up_days", "better")}
    shared |= {"role": "secondary", "unit": "proportion"}
    content["outcomes"] |= {
        "any_violence": {**shared, "column": "any", "kind": "binary"},
        "first_violence": {
            **shared, "column": "days_to_first", "event": "first_seen", "kind": "time", "time_unit_days": 1
        },
    }  # fmt: skip
    protocol = protocol_from(content, where=str(STUDY))
    data = tmp_path_factory.mktemp("apart") / "data"
    write_dry_run(STUDY, data, rows=300, seed=5)
    contracts = {name: find_contract(name) for name in protocol.tables}
    plan = make_plan(protocol, contracts)
    tables = read_folder(contracts, data, acknowledged=protocol.recording_breaks)
    roster = with_derived(protocol, tables, build_roster(protocol, tables), plan.definitions)
    return plan, tables, roster


def test_each_pair_of_like_outcomes_of_one_table_is_counted_by_arm_the_primary_first(world: World) -> None:
    plan, tables, roster = world
    rows = outcomes_apart(plan, tables, roster)
    assert {(row["outcome"], row["against"]) for row in rows} == {
        ("any_violence", "proven"), ("first_violence", "proven"), ("first_violence", "any_violence"),
        ("any_violence", "first_violence"),
    }  # fmt: skip
    order = list(dict.fromkeys((row["outcome"], row["definition"]) for row in rows))
    assert [definition is None for _, definition in order] == sorted(
        [d is None for _, d in order], reverse=True
    )


def test_people_are_told_apart_by_who_has_the_event(world: World) -> None:
    plan, tables, roster = world
    people = np.array(roster.unit)

    def with_event(name: str, definition: str | None, arm: int) -> set[int]:
        made = measure(plan.protocol, name, tables, roster, definition)
        hit = made.value == 1 if made.event is None else made.event
        return set(people[hit & (roster.arm == arm)])

    seen = set()
    arms = list(plan.protocol.arms)
    for row in outcomes_apart(plan, tables, roster):
        arm = arms.index(row["arm"])
        one = with_event(row["outcome"], row["definition"], arm)
        other = with_event(row["against"], row["against_definition"], arm)
        assert row["people"] == len(one ^ other)
        seen.add(row["people"])
    assert len(seen) > 3
