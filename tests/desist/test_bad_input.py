"""Every way in which a person's input is wrong gets one clear message, exit code 1 and no person's value."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from conftest import wait_for
from experiments.load import dump, find_study, load_protocol
from study_text import without

TABLE = "life_release_cohort"
SECRET = "ZZCANARY7781"
LIFE = without(dump(load_protocol(find_study("baltimore_life"))), "bayesian", "randomisation")


@pytest.fixture
def frame(life_data: Path) -> pd.DataFrame:
    return pd.read_csv(life_data / f"{TABLE}.csv")


@pytest.fixture
def refused(desist: Callable[..., Any], tmp_path: Path) -> Callable[..., str]:
    """Run a study on a folder of data; check that it is refused cleanly, and give the message."""

    def run(study: str, data: Path) -> str:
        path = tmp_path / "study.yaml"
        path.write_text(study)
        out = tmp_path / "out"
        said = desist("run", path, "--data", data, "--out", out)
        assert said.code == 1, said.err
        assert said.out == "" and not out.exists()
        assert "Traceback" not in said.err and SECRET not in said.err
        assert len(said.err.strip().splitlines()) <= 12
        assert not [p for p in tmp_path.iterdir() if p.suffix in (".part", ".old")]
        return str(said.err)

    return run


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[Any], Path]:
    """A data folder whose table is this frame, text or bytes."""

    def write(content: Any) -> Path:
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        path = folder / f"{TABLE}.csv"
        if isinstance(content, pd.DataFrame):
            content.to_csv(path, index=False)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)
        return folder

    return write


@pytest.mark.parametrize(
    ("found", "instead", "says"),
    [
        (
            "estimator: difference_in_means",
            "estimator: difference_in_mean",
            "Did you mean 'difference_in_means'?",
        ),
        ("estimator: difference_in_means", "estimator: proportional_hazards", "difference_in_means"),
        ("variance: neyman", "variance: newman", "analyses.primary.variance"),
        ("variance: neyman", "varianse: neyman", "analyses.primary.varianse"),
        ("level: 0.95", "level: 95", "Write 0.95"),
        ("column: rearrested", "column: rearested", "Did you mean 'rearrested'?"),
        ("  - financial_aid\n", "  - aid\n", "an arm that this study declares"),
        ("follow_up_days: 364", "follow_up_days: 0", "outcomes.rearrest.follow_up_days"),
        ("table: life_release_cohort", "table: life_cohort", "life_cohort"),
        ("  balance:\n", "  ballance:\n", "Did you mean 'balance'?"),
        ("primary: complete_case", "primary: complete_cases", "Did you mean 'complete_case'?"),
        ("- age\n", "- agee\n", "Did you mean 'age'?"),
    ],
)
def test_a_wrong_word_in_the_study(
    refused: Callable[..., str], life_data: Path, found: str, instead: str, says: str
) -> None:
    assert found in LIFE, found
    assert says in refused(LIFE.replace(found, instead, 1), life_data)


def test_a_missing_column(refused: Any, broken: Any, frame: pd.DataFrame) -> None:
    said = refused(LIFE, broken(frame.drop(columns="age")))
    assert "'age'" in said and "not in the file" in said


def test_a_renamed_column_is_told_with_its_nearest(refused: Any, broken: Any, frame: pd.DataFrame) -> None:
    said = refused(LIFE, broken(frame.rename(columns={"rearrested": "re_arrested"})))
    assert "column 4 is not declared" in said and "nearest" in said and "'rearrested'" in said


def test_an_extra_column(refused: Any, broken: Any, frame: pd.DataFrame) -> None:
    """A header is told by its place: in a file without headers it would be a person's value."""
    said = refused(LIFE, broken(frame.assign(**{SECRET: 1})))
    assert "column 11 is not declared" in said


def test_a_duplicate_person(refused: Any, broken: Any, frame: pd.DataFrame) -> None:
    said = refused(LIFE, broken(pd.concat([frame, frame.iloc[[6]]])))
    assert "person" in said and "LIFE007" not in said


def test_a_value_outside_its_bounds_is_told_by_row_and_count(
    refused: Any, broken: Any, frame: pd.DataFrame
) -> None:
    changed = frame.astype({"person": "str"})
    changed.loc[4, "age"] = 977
    changed.loc[5, "person"] = SECRET
    said = refused(LIFE, broken(changed))
    assert "age" in said and "977" not in said and "person" in said


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02\xff" * 50, "pérson,arm\n".encode("utf-16"), b"PAR1" + b"\x00" * 40, b"person,arm\n"],
    ids=["empty", "binary", "another encoding", "parquet in disguise", "no rows"],
)
def test_a_file_that_is_not_the_table(refused: Any, broken: Any, content: bytes) -> None:
    assert TABLE in refused(LIFE, broken(content))


def test_a_table_that_is_not_there(refused: Any, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    assert TABLE in refused(LIFE, tmp_path / "nothing")
    assert "gone" in refused(LIFE, tmp_path / "gone")


def test_an_arm_with_nobody(refused: Any, broken: Any, frame: pd.DataFrame) -> None:
    said = refused(LIFE, broken(frame[frame["arm"] == "no_aid"]))
    assert "nobody in the arm 'financial_aid'" in said


@pytest.mark.parametrize(("value", "says"), [(0, "never happens"), (1, "always happens")])
def test_an_outcome_that_does_not_vary(
    refused: Any, broken: Any, frame: pd.DataFrame, value: int, says: str
) -> None:
    weeks = 52 if value == 0 else frame["weeks_observed"]
    said = refused(LIFE, broken(frame.assign(rearrested=value, weeks_observed=weeks)))
    assert says in said and "amend the analysis" in said


def test_a_constant_covariate(refused: Any, broken: Any, frame: pd.DataFrame) -> None:
    assert "'married'" in refused(LIFE, broken(frame.assign(married=1)))


def test_a_bad_date(desist: Callable[..., Any], tmp_path: Path) -> None:
    assert desist("new", "dated_trial", "--out", tmp_path).code == 0
    data = tmp_path / "data"
    said = desist("synthesise", tmp_path / "dated_trial.yaml", "--out", data, "--rows", 120, "--seed", 1)
    assert said.code == 0, said.err
    assert desist("check", tmp_path / "dated_trial.yaml", "--data", data).code == 0
    (path,) = data.glob("dated_trial_participants.csv")
    table = pd.read_csv(path, dtype="str")
    for wrong in ("31/12/2026", "2026-02-30", "2099-01-01", "tomorrow"):
        table.assign(allocated_on=[wrong, *table["allocated_on"].iloc[1:]]).to_csv(path, index=False)
        said = desist("run", tmp_path / "dated_trial.yaml", "--data", data, "--out", tmp_path / "out")
        assert said.code == 1 and "allocated_on" in said.err and wrong not in said.err


def test_a_place_that_cannot_be_written(desist: Callable[..., Any], life_data: Path, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(LIFE)
    (tmp_path / "file").write_text("kept")
    for out in (tmp_path / "file", tmp_path / "file" / "run", Path("/proc/nowhere/run")):
        said = desist("run", tmp_path / "study.yaml", "--data", life_data, "--out", out)
        assert said.code == 1 and "Traceback" not in said.err and str(out) in said.err
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_of_somebody_elses_is_not_replaced(
    desist: Callable[..., Any], life_data: Path, tmp_path: Path
) -> None:
    (tmp_path / "study.yaml").write_text(LIFE)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("kept")
    said = desist("run", tmp_path / "study.yaml", "--data", life_data, "--out", precious)
    assert said.code == 1 and (precious / "thesis.txt").read_text() == "kept"
    assert len(list(precious.iterdir())) == 1


def test_wrong_usage_leaves_with_two(desist: Callable[..., Any]) -> None:
    assert desist("run").code == 2
    assert desist("fly").code == 2
    assert desist("run", "baltimore_life", "--data").code == 2
    assert desist("--help").code == 0


def test_a_refusal_with_json_is_one_object(desist: Callable[..., Any], tmp_path: Path) -> None:
    said = desist("check", "baltimore_lif", "--json")
    assert said.code == 1
    assert set(json.loads(said.out)) == {"error", "where", "found", "expected", "try"}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupt", "kill"])
def test_an_interrupted_run_leaves_what_was_there_whole(
    how: signal.Signals, desist: Callable[..., Any], life_data: Path, tmp_path: Path
) -> None:
    study, out = tmp_path / "study.yaml", tmp_path / "run"
    study.write_text(LIFE)
    assert desist("run", study, "--data", life_data, "--out", out).code == 0
    before = {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}
    # A run that stops for ever in the middle of writing its folder, having written part of it.
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it\n"
        "from pathlib import Path\n"
        "import evaluation.run\n"
        "study, data, flag, out = sys.argv[1:]\n"
        "def stuck(path, content):\n"
        "    path.write_text('half')\n"
        "    Path(flag).touch()\n"
        "    time.sleep(60)\n"
        "evaluation.run.write_json = stuck\n"
        "sys.argv = ['desist', 'run', study, '--data', data, '--out', out]\n"
        "from desist.cli import main\n"
        "main()\n"
    )
    flag = tmp_path / "writing"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(study), str(life_data), str(flag), str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert wait_for(flag.exists, 60), child.communicate()
    child.send_signal(how)
    _, err = child.communicate(timeout=30)
    assert child.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in err
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == before
    assert desist("run", study, "--data", life_data, "--out", out).code == 0


def test_an_error_of_ours_shows_no_value(
    desist: Callable[..., Any], life_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError(f"could not convert {SECRET}")

    import evaluation.run

    monkeypatch.setattr(evaluation.run, "build_roster", fail)
    (tmp_path / "study.yaml").write_text(LIFE)
    said = desist("run", tmp_path / "study.yaml", "--data", life_data, "--out", tmp_path / "run")
    assert said.code == 1 and SECRET not in said.err and "An error of ours" in said.err
