"""Unique names and numbers planted in data; every failure made; everything written searched for them."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from small_contract import SMALL, with_layout

CANARIES = (
    "Quetzal",
    "Zorbonne",
    "0012345",
    "12345h",
    "12345J",
    "9434765919",
    "943 476",
    "ZZ99",
    "canary-7f3a",
    "0x5eed",
    "5eed7777",
)
NAME, PNC, WRONG, NHS, POSTCODE, ID = (
    "Quetzal Zorbonne",
    "01/0012345H",
    "01/0012345J",
    "9434765918",
    "ZZ99 3CZ",
    "canary-7f3a",
)
HEADER = "person,came,left,visits\n"
SECRET = "0x5eed" + "77" * 40

DRIVER = """
import json, os, sys, traceback
from desist import cli
for line in open(sys.argv[1]):
    arguments = json.loads(line)
    sys.argv = ["desist", *arguments]
    print("RUN", arguments[0], flush=True)
    print("RUN", arguments[0], file=sys.stderr, flush=True)
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code
    print("CODE", code, flush=True)
"""

FILES: dict[str, str | bytes] = {
    "no_header.csv": f"{NAME},03/02/2024,,1\n{ID},03/02/2024,,2\n",
    "extra_column.csv": f"person,came,left,visits,{NAME}\n{ID},03/02/2024,,1,x\n",
    "wrong_types.csv": HEADER + f"{ID},{NAME},{POSTCODE},{PNC}\n",
    "repeated.csv": HEADER + f"{ID},03/02/2024,,1\n{ID},03/02/2024,,2\n",
    "another_case.csv": HEADER + f"{ID},03/02/2024,,1\n{ID.upper()},03/02/2024,,2\n",
    "formula.csv": HEADER + f"={NAME},03/02/2024,,1\n",
    "spaces.csv": HEADER + f" {NAME},03/02/2024,,1\n",
    "date_orders.csv": HEADER + f"{ID},02/31/2024,2024-02-03,1\n",
    "year_2099.csv": HEADER + f"{ID},03/02/2099,,1\n",
    "rule.csv": HEADER + f"{ID},03/02/2024,02/02/2024,1\n",
    "all_missing.csv": HEADER + f"{ID},03/02/2024,,\n",
    "no_key.csv": HEADER + f",03/02/2024,,{PNC}\n",
    "ragged.csv": HEADER + f"{ID},03/02/2024,,1,{NAME}\n",
    "quote.csv": HEADER + f'"{NAME},03/02/2024,,1\n',
    "latin.csv": (HEADER + f"{NAME} é,03/02/2024,,1\n").encode("latin-1"),
    "utf16.csv": (HEADER + f"{NAME},03/02/2024,,1\n").encode("utf-16"),
    "binary.csv": NAME.encode() + bytes(range(40)),
    "pickle.parquet": pickle.dumps({NAME: PNC}) + b" " * 30,
    "damaged.parquet": b"PAR1" + NAME.encode() * 9 + b"PAR1",
    "damaged.xlsx": b"PK\x03\x04" + NAME.encode() * 9,
    "damaged.ods": NAME.encode(),
    "spellings.csv": HEADER + f"{PNC},03/02/2024,,1\n2001/12345h,03/02/2024,,2\n{WRONG},03/02/2024,,3\n",
    "population.csv": f"area_code,area_name,year,age_group,population\nE23000035,{NAME},2020,all,0\n",
    "numbers.csv": f"pnc,nhs,name\n{WRONG},{NHS},{NAME}\n",
    "empty.csv": b"",
    "semicolons.csv": HEADER.replace(",", ";") + f"{ID};03/02/2024;;1\n",
    "payload.csv": HEADER + f"-2+3+cmd|'{NAME}'!A0,03/02/2024,,1\n",
    "control.csv": HEADER + f"{NAME}\x07,03/02/2024,,1\n",
    "twice.csv": f"person,came,left,visits,visits\n{ID},03/02/2024,,1,2\n",
    "notes.csv": HEADER + f"{ID},03/02/2024,,1\n\n{NAME}\n",
}
SWAPPED = ("rule.csv", "no_header.csv", "binary.csv", "cells.parquet")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[int], str, dict[str, str], list[list[str]]]:
    """(exit codes, stdout and stderr, what was written, what was asked) of every failure in one process."""
    folder = tmp_path_factory.mktemp("canary")
    data, work = folder / "data", folder / "work"
    data.mkdir()
    work.mkdir()
    for name, content in FILES.items():
        (data / name).write_bytes(content.encode() if isinstance(content, str) else content)
    pd.DataFrame([[NAME, PNC, POSTCODE, ID]], columns=["person", "came", "left", "visits"]).to_excel(
        data / "cells.xlsx", index=False
    )
    pd.DataFrame({"person": [NAME], "came": [PNC], "left": [None], "visits": [NHS]}).to_parquet(
        data / "cells.parquet"
    )
    contract, numbers = work / "small.odcs.yaml", work / "numbers.odcs.yaml"
    contract.write_text(with_layout("{thousands: ','}"))
    numbers.write_text(
        SMALL.replace("value: pseudonym}", "value: pseudonym}\n    - {property: identifier, value: pnc}")
        .replace("quasi_identifier", "direct_identifier")
        .replace("value: count_unit", "value: never_published")
    )
    (work / "key").write_text(SECRET)
    (work / "key").chmod(0o600)
    small = [
        name
        for name in [*FILES, "cells.xlsx", "cells.parquet"]
        if name not in ("population.csv", "numbers.csv")
    ]
    asked = [
        ["contract", "check", str(numbers if name == "spellings.csv" else contract), str(data / name)]
        for name in small
    ]
    # Data given in the place of a declaration, and a key in the place of its file.
    for name in SWAPPED:
        path = str(data / name)
        asked += [["contract", "show", path], ["contract", "diff", path, path], ["check", path]]
        asked += [
            ["contract", "check", path, str(contract)],
            ["run", path, "--data", str(data), "--out", "r"],
        ]
    hidden = ["--scheme", "pnc", "--project", "p", "--out", "b.csv", "--key", SECRET.removeprefix("0x")]
    asked += [["pseudonymise", str(data / "rule.csv"), "--column", "person", *hidden]]
    vintage = folder / "with_vintage"
    vintage.mkdir()
    (vintage / "small.csv").write_text(HEADER + f"{ID},03/02/2024,04/02/2024,1\n")
    (vintage / "small.vintage.yaml").write_text(f"{NAME}, {PNC}, {NHS}\n")
    asked += [["contract", "check", str(contract), str(vintage / "small.csv")]]
    asked += [[*words, "--json"] for words in asked]
    asked += [
        ["contract", "check", "area_populations", str(data / "population.csv")],
        ["contract", "check", "../offences", str(data / "rule.csv")],
        [
            "pseudonymise",
            str(data / "numbers.csv"),
            "--column",
            "pnc",
            "--scheme",
            "pnc",
            "--project",
            "p",
            "--out",
            str(work / "a.csv"),
            "--key",
            str(work / "key"),
        ],
        [
            "pseudonymise",
            str(data / "numbers.csv"),
            "--column",
            "zz",
            "--scheme",
            "nhs",
            "--project",
            "p",
            "--out",
            str(work / "a.csv"),
            "--key",
            str(work / "none"),
        ],
    ]
    roster = (
        "person,arm,weeks_observed,rearrested,age,black,work_experience,married,parole,prior_convictions\n"
    )
    study = folder / "study_data"
    study.mkdir()
    (study / "life_release_cohort.csv").write_text(roster + f"{ID},{NAME},{PNC},{NHS},{POSTCODE},1,1,1,1,1\n")
    asked += [
        ["check", "baltimore_life", "--data", str(study)],
        ["run", "baltimore_life", "--data", str(study), "--out", str(work / "run")],
    ]
    (folder / "asked.jsonl").write_text("\n".join(json.dumps(words) for words in asked) + "\n")
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(folder / "asked.jsonl")],
        capture_output=True,
        text=True,
        cwd=work,
        check=False,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "HOME": str(work),
        },
    )
    codes = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("CODE")]
    written = {
        str(path.relative_to(folder)): path.read_bytes().decode("utf-8", errors="replace")
        for path in folder.rglob("*")
        if path.is_file()
        and path.parent != data
        and path.parent not in (study, vintage)
        and path.name not in ("key", "asked.jsonl")
    }
    return codes, done.stdout + done.stderr, written, asked


def test_every_failure_is_a_refusal_with_exit_code_one(
    said: tuple[list[int], str, dict[str, str], list[list[str]]],
) -> None:
    codes, text, _, asked = said
    assert len(codes) == len(asked), text[-2000:]
    assert [words for words, code in zip(asked, codes, strict=True) if code != 1] == []
    assert "Traceback" not in text
    assert "An error of ours" not in text


def test_nothing_that_is_said_shows_a_person_or_a_key(
    said: tuple[list[int], str, dict[str, str], list[list[str]]],
) -> None:
    _, text, _, _ = said
    assert [canary for canary in CANARIES if canary.lower() in text.lower()] == []


def test_nothing_that_is_written_shows_a_person_or_a_key(
    said: tuple[list[int], str, dict[str, str], list[list[str]]],
) -> None:
    _, _, written, _ = said
    assert set(written) >= {"work/small.odcs.yaml"}
    found = {
        (name, canary)
        for name, text in written.items()
        for canary in CANARIES
        if canary.lower() in (name + text).lower()
    }
    assert found == set()
    assert not any(name.startswith(("work/run", "work/a.csv")) for name in written)
