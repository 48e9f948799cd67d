"""`desist allocate` and `desist verify`, step by step, as a trial would take them."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from data_contracts.refusal import Refusal
from desist.commands.allocate import allocate
from desist.commands.verify import verify

STUDY = """
id: calder
title: Mentoring in Calder
seed: 1
registration: {status: exploratory, outcome_data_seen: false, note: a test}
population: {unit: person, eligible: anybody, roster: participants, id: person, arm: arm}
arms:
  mentoring: {label: Mentoring, share: 1/2}
  usual: {label: Usual support, share: 1/2, reference: true}
design: DESIGN
outcomes:
  arrest: {label: Arrest, role: primary, table: participants, column: arrested, kind: binary,
    follow_up_days: 365, unit: proportion, better: lower}
estimands:
  arrest: {outcome: arrest, contrast: [mentoring, usual], population: all, scale: risk_difference, intercurrent: {}}
analyses:
  primary: {estimand: arrest, estimator: difference_in_means, variance: neyman, level: 0.95, missing: {primary: complete_case}}
checks: {}
"""

app = typer.Typer()
app.command()(allocate)
app.command()(verify)


def run(*words: str | Path) -> Any:
    result: Result = CliRunner().invoke(app, [*map(str, words), "--json"])
    if isinstance(result.exception, Refusal):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "calder.yaml"
    path.write_text(STUDY.replace("DESIGN", "{scheme: blocked, block_by: [borough]}"))
    return path


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "roster.csv"
    rows = [f"p{n:02d},{['ash', 'birch'][n % 2]},Name {n}" for n in range(20)]
    path.write_text("person,borough,name\n" + "\n".join(rows) + "\n")
    return path


def beacon(folder: Path, wait: int) -> tuple[Path, Path, int]:
    """A beacon's file, the file of a round `wait` seconds from now, and its number."""
    now = int(time.time())
    info, published = folder / "info.json", folder / "round.json"
    info.write_text(json.dumps({"name": "local", "genesis_time": now - 99, "period": 1}))
    number = 100 + wait
    randomness = hashlib.sha256(b"signed").hexdigest()
    published.write_text(
        json.dumps({"round": number, "randomness": randomness, "signature": b"signed".hex()})
    )
    return info, published, number


def test_a_draw_from_a_beacon_is_committed_drawn_revealed_and_verified(
    tmp_path: Path, study: Path, roster: Path
) -> None:
    info, published, number = beacon(tmp_path, 3)
    folder = tmp_path / "sealed"
    words = ("--study", study, "--roster", roster, "--beacon", info, "--round", str(number))
    committed = run("allocate", "commit", folder, *words)
    assert committed["units"] == 20 and committed["columns"] == ["borough"]
    assert "Name" not in (folder / "closed.json").read_text(), (
        "columns that the design does not read stay out"
    )
    assert (folder / "closed.json").stat().st_mode & 0o077 == 0
    with pytest.raises(Refusal, match="published"):
        run("allocate", "draw", folder, "--beacon-round", published)
    time.sleep(4)
    assert run("allocate", "draw", folder, "--beacon-round", published)["units"] == {
        "mentoring": 10,
        "usual": 10,
    }
    with pytest.raises(Refusal, match="one draw to a commitment"):
        run("allocate", "draw", folder, "--beacon-round", published)
    with pytest.raises(Refusal, match="A second commitment lets its author choose"):
        run("allocate", "commit", folder, *words[:-1], str(number + 9_999))
    proof = tmp_path / "proof.json"
    run("allocate", "reveal", folder, "--out", proof)
    held = ("--published", folder / "commitment.json", "--study", study, "--beacon-round", published)
    assert run("verify", proof, *held)["sound"]
    drawn = dict(line.split(",") for line in (folder / "allocation.csv").read_text().split()[1:])
    assert drawn == dict(json.loads(proof.read_text())["allocation"])

    changed = tmp_path / "changed.json"
    changed.write_text(
        proof.read_text()
        .replace('["p00","mentoring"]', '["p00","usual"]')
        .replace('["p01","usual"]', '["p01","mentoring"]')
    )
    if changed.read_text() == proof.read_text():
        changed.write_text(proof.read_text().replace('["p00","usual"]', '["p00","mentoring"]'))
    answer = CliRunner().invoke(
        app, ["verify", str(changed), "--published", committed["commitment"], "--json"]
    )
    assert answer.exit_code == 1
    assert not json.loads(answer.stdout)["sound"]
    told = CliRunner().invoke(app, ["verify", str(changed), "--published", committed["commitment"]])
    assert isinstance(told.exception, Refusal) and told.exception.where == "allocation"
    assert "not met" in told.stdout

    study.write_text(study.read_text().replace("365", "180"))
    other = CliRunner().invoke(app, ["verify", str(proof), *map(str, held), "--json"])
    assert [f["part"] for f in json.loads(other.stdout)["findings"] if f["verdict"] == "not met"] == [
        "protocol"
    ]


def test_a_plan_that_the_studys_design_does_not_ask_for_is_found_though_it_was_sealed(
    tmp_path: Path, study: Path, roster: Path
) -> None:
    """The committing party itself cheats: the study says halves, the sealed plan nine in ten."""
    from datetime import UTC, datetime
    from fractions import Fraction

    from experiments.allocation import seal
    from experiments.allocation.folder import write_proof
    from experiments.allocation.licensed import design_as_json, licensed
    from experiments.allocation.roster_file import read_roster
    from experiments.load import load_protocol

    protocol = load_protocol(study)
    plan, canonical = licensed(protocol.design, read_roster(roster, "person"))
    secret = hashlib.sha512(b"theirs").digest()
    for shares, said in ((plan.shares, "met"), ((Fraction(9, 10), Fraction(1, 10)), "not met")):
        sealed = seal.commit(
            study=protocol.id,
            protocol=protocol.fingerprint,
            design=design_as_json(protocol.design),
            plan=replace(plan, shares=shares),
            roster=canonical,
            entropy=seal.second_party(hashlib.sha256(secret).hexdigest()),
            committed_at=datetime(2026, 4, 1, tzinfo=UTC),
            nonce=bytes(range(32)),
        )
        proof = tmp_path / f"proof_{said}.json"
        write_proof(proof, seal.reveal(sealed, secret))
        words = ["verify", str(proof), "--published", sealed.commitment, "--study", str(study), "--json"]
        found = json.loads(CliRunner().invoke(app, words).stdout)["findings"]
        assert {f["part"]: f["verdict"] for f in found}["plan"] == said


def test_a_past_round_is_refused(tmp_path: Path, study: Path, roster: Path) -> None:
    info, _, number = beacon(tmp_path, 0)
    with pytest.raises(Refusal, match="a round after the commitment"):
        run(
            "allocate",
            "commit",
            tmp_path / "x",
            "--study",
            study,
            "--roster",
            roster,
            "--beacon",
            info,
            "--round",
            str(number),
        )
    assert not (tmp_path / "x").exists(), "nothing was written"


def test_people_are_enrolled_under_a_second_partys_secret(tmp_path: Path, study: Path) -> None:
    study.write_text(
        STUDY.replace("DESIGN", "{scheme: sequential_blocks, block_by: [borough], sizes: [4, 6]}")
    )
    secret = tmp_path / "secret"
    secret.write_bytes(hashlib.sha512(b"theirs").digest())
    folder = tmp_path / "sealed"
    given = hashlib.sha256(secret.read_bytes()).hexdigest()
    run("allocate", "commit", folder, "--study", study, "--second-party", given)
    with pytest.raises(Refusal, match="Draw first"):
        run("allocate", "enrol", folder, "--unit", "p1", "--value", "ash")
    run("allocate", "draw", folder, "--secret", secret)
    heads = [
        run("allocate", "enrol", folder, "--unit", f"p{n}", "--value", ["ash", "birch"][n % 3 == 0])[
            "ledger_head"
        ]
        for n in range(9)
    ]
    proof = tmp_path / "proof.json"
    assert run("allocate", "reveal", folder, "--out", proof)["ledger_head"] == heads[-1]
    ledger = folder / "enrolments.jsonl"
    words = (
        "verify",
        proof,
        "--published",
        folder / "commitment.json",
        "--ledger",
        ledger,
        "--head",
        heads[5],
    )
    assert "3 entries since the published head" in run(*words)["findings"][-1]["said"]
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:4]))
    answer = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert answer.exit_code == 1 and "tail was cut" in answer.stdout


def test_a_nonce_used_before_is_refused_across_studies_that_share_a_log(
    tmp_path: Path, study: Path, roster: Path
) -> None:
    nonce, log = tmp_path / "nonce", tmp_path / "log.jsonl"
    nonce.write_bytes(bytes(range(7, 39)))
    words = (
        "--study",
        study,
        "--roster",
        roster,
        "--second-party",
        "ab" * 32,
        "--nonce",
        nonce,
        "--log",
        log,
    )
    run("allocate", "commit", tmp_path / "one", *words)
    with pytest.raises(Refusal, match="used before, in entry 1"):
        run("allocate", "commit", tmp_path / "two", *words)
    assert not (tmp_path / "two" / "closed.json").exists()


def test_a_closed_file_that_was_changed_is_not_drawn_from(tmp_path: Path, study: Path, roster: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(hashlib.sha512(b"theirs").digest())
    folder, given = tmp_path / "sealed", hashlib.sha256(secret.read_bytes()).hexdigest()
    run("allocate", "commit", folder, "--study", study, "--roster", roster, "--second-party", given)
    closed = folder / "closed.json"
    for old, new in (('"ash"', '"birch"'), ('"1/2","1/2"', '"1/3","2/3"'), ("calder", "another")):
        before = closed.read_text()
        closed.write_text(before.replace(old, new, 1))
        with pytest.raises(Refusal, match="Restore"):
            run("allocate", "draw", folder, "--secret", secret)
        closed.write_text(before)
    run("allocate", "draw", folder, "--secret", secret)


@pytest.mark.parametrize(
    "content, said",
    [
        ("person,borough\np1,ash\np1,ash\n", "repeated ids"),
        ("person,borough\np1,ash\nP1,ash\n", "repeated ids|only in case"),
        ("person,borough\n,ash\np1,ash\n", "missing ids"),
        ("person,borough\np1,\np2,ash\n", "missing"),
        ("person,town\np1,ash\n", "borough"),
        ("name,borough\nJo,ash\n", "a header without 'person'"),
        ("person,borough\n", "no units"),
        ("person,borough\np1,ash\np2,birch\n", "fewer"),
        ("person,borough\nJo Smith,ash\nAl Jones,ash\n", "look like names"),
        ("", "no table"),
        ("person,borough\np1,ash,x,y\n", "1 rows with more or fewer"),
        ('person,borough\np1,"ash\n', "quotes that do not close"),
        ("person,borough\n=1+1,ash\np2,ash\n", "look like"),
    ],
)
def test_a_bad_roster_is_refused_before_anything_is_committed(
    tmp_path: Path, study: Path, roster: Path, content: str, said: str
) -> None:
    roster.write_text(content)
    with pytest.raises(Refusal, match=said) as error:
        run(
            "allocate",
            "commit",
            tmp_path / "x",
            "--study",
            study,
            "--roster",
            roster,
            "--second-party",
            "ab" * 32,
        )
    assert "Smith" not in str(error.value)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("commit",),
        ("commit", "--study", "STUDY"),
        ("commit", "--study", "STUDY", "--beacon", "quicknet", "--second-party", "ab" * 32),
        ("commit", "--study", "STUDY", "--beacon", "quicknet"),
    ],
)
def test_a_step_without_its_options_is_wrong_usage(
    tmp_path: Path, study: Path, words: tuple[str, ...]
) -> None:
    words = tuple(str(study) if word == "STUDY" else word for word in words)
    result = CliRunner().invoke(app, ["allocate", words[0], str(tmp_path / "x"), *words[1:]])
    assert result.exit_code == 2
