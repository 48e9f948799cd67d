"""The spine under hard cases: who is behind a number, what a change of mind costs, what a swap leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data_contracts.refusal import Refusal
from data_contracts.whole_folder import FolderRefused, whole_folder
from evaluation.deviations import deviation_table, exploratory_analyses
from evaluation.run import run_study
from experiments.load import dump, find_study, load_protocol, loads
from experiments.protocol import ProtocolRefused

LIFE = dump(load_protocol(find_study("baltimore_life")))


@pytest.fixture
def trial(desist: Callable[..., Any], tmp_path: Path) -> tuple[Path, Path, pd.DataFrame]:
    """(study file, table file, its rows) of a first study on invented rows, 80 of them."""
    assert desist("new", "my_trial", "--out", tmp_path).code == 0
    study, data = tmp_path / "my_trial.yaml", tmp_path / "data"
    assert desist("synthesise", study, "--out", data, "--rows", 80, "--seed", 4).code == 0
    table = data / "my_trial_participants.csv"
    return study, table, pd.read_csv(table)


def test_the_counts_behind_a_number_are_of_the_people_it_rests_on(trial: Any) -> None:
    """A covariate known for few people leaves few behind the adjusted estimate, and the gate must see it."""
    study, table, rows = trial
    contract = study.with_name("my_trial_participants.odcs.yaml")
    text = contract.read_text()
    at = text.index("- name: earlier_incidents")
    contract.write_text(text[:at] + text[at:].replace("required: true", "required: false", 1))
    known = rows.groupby("arm").head(9).index
    rows["earlier_incidents"] = rows["earlier_incidents"].where(rows.index.isin(known)).astype("Int64")
    rows.to_csv(table, index=False)
    by = {e["extra"]["analysis"]: e for e in run_study(study, table.parent).findings.estimates}
    behind = {b["arm"]: b["people"] for b in by["adjusted"]["extra"]["behind"]}
    assert sum(behind.values()) == by["adjusted"]["units_used"] <= 18
    assert sum(b["people"] for b in by["primary"]["extra"]["behind"]) == by["primary"]["units_used"]


def test_free_text_is_no_covariate(trial: Any) -> None:
    """The levels of a free-text column are people's values, and covariates are named on the page."""
    study, _, _ = trial
    contract = study.with_name("my_trial_participants.odcs.yaml")
    text = contract.read_text()
    start = text.index("      - name: age")
    column = text[start : text.index("      - name: earlier_incidents")]
    free = column.replace("name: age", "name: zone").replace("logicalType: integer", "logicalType: string")
    free = (
        "\n".join(x for x in free.splitlines() if "logicalTypeOptions" not in x and "marginal" not in x)
        + "\n"
    )
    contract.write_text(text[:start] + free + text[start:])
    study.write_text(study.read_text().replace("covariates: [age, earlier_incidents]", "covariates: [zone]"))
    from evaluation.run import plan_study

    with pytest.raises(ProtocolRefused, match="free text"):
        plan_study(study)


def test_one_question_has_one_main_answer() -> None:
    """Otherwise the order of analyses, which no fingerprint covers, would choose the headline."""
    with pytest.raises(ProtocolRefused, match="several main analyses of rearrest_difference"):
        loads(LIFE.replace("    role: supporting\n", "", 1), name="x")


def test_dropping_a_correction_demotes_what_it_corrected() -> None:
    registered = loads(LIFE.replace("method: none", "method: holm"), name="registered")
    bare = LIFE[: LIFE.index("families:\n")] + LIFE[LIFE.index("sources:\n") :]
    rows = deviation_table(registered, loads(bare, name="run"))
    assert exploratory_analyses(rows) == set(registered.analyses)


def test_a_late_amendment_is_not_hidden_by_an_early_one() -> None:
    path = "outcomes.rearrest.follow_up_days"
    amended = (
        LIFE.replace("follow_up_days: 364", "follow_up_days: 182", 1)
        + f"amendments:\n- {{date: 2026-02-01, path: {path}, reason: First, outcome_data_seen: false}}\n"
        + f"- {{date: 2026-09-01, path: {path}, reason: Again, outcome_data_seen: true}}\n"
    )
    (row,) = deviation_table(loads(LIFE, name="registered"), loads(amended, name="run"))
    assert row["verdict"] == "amended after outcomes were seen"


def test_an_interrupt_between_the_two_renames_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    with whole_folder(out, marker="a") as folder:
        (folder / "a").write_text("old")
    real = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), whole_folder(out, marker="a") as folder:
        (folder / "a").write_text("new")
    assert (out / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_the_folder_one_stands_in_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FolderRefused, match="runs in"), whole_folder(Path(), marker="a"):
        pass


def test_no_refusal_tells_the_value_that_everybody_shares(trial: Any) -> None:
    study, table, rows = trial
    text = (
        study.read_text()
        .replace("kind: binary", "kind: mean")
        .replace("scale: risk_difference", "scale: mean_difference")
    )
    study.write_text(text)
    rows.assign(any_incident=1).to_csv(table, index=False)
    with pytest.raises(Refusal) as refused:
        run_study(study, table.parent)
    assert "same for everybody" in str(refused.value) and "(1)" not in str(refused.value)


def test_findings_say_where_they_came_from(life: Path) -> None:
    evidence = json.loads((life / "run" / "evidence.json").read_text())
    assert evidence["primary"]["analysis"] == "primary" and evidence["links"] == []


def test_a_missing_category_is_missing_and_not_the_commonest() -> None:
    from evaluation.build_sample import _covariates

    frame = pd.DataFrame({"zone": pd.Series(["a", "a", "b", None, "a"], dtype="string")})
    matrix, names = _covariates(frame, ("zone",), where="analyses.x")
    assert names == ("zone: b",)
    assert matrix[:3, 0].tolist() == [0.0, 0.0, 1.0] and pd.isna(matrix[3, 0]) and matrix[4, 0] == 0.0


def test_a_missing_cluster_is_refused() -> None:
    import numpy as np

    from evaluation.build_sample import _codes

    frame = pd.DataFrame({"school": ["a", None, "b"]})
    with pytest.raises(Refusal, match="1 rows without a value"):
        _codes(frame, ("school",), np.arange(3))


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [("weeks_observed", -3, "before allocation"), ("rearrested", 2, "other than 0 and 1")],
)
def test_times_and_events_that_nobody_can_have_are_refused(column: str, value: int, says: str) -> None:
    import numpy as np

    from evaluation.measure import measure
    from evaluation.roster import Roster

    frame = pd.DataFrame({"person": ["x", "y"], "weeks_observed": [10, 52], "rearrested": [1, 0]})
    frame.loc[0, column] = value
    codes = np.arange(2, dtype=np.int64)
    roster = Roster(name="life_release_cohort", key="person", frame=frame, unit=codes, arm=codes)
    with pytest.raises(Refusal, match=says):
        measure(loads(LIFE, name="x"), "rearrest", {}, roster)
