"""The ledger: nothing acknowledged is lost, whatever dies, and whatever was changed is named."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data_contracts.refusal import Refusal
from experiments.allocation.canonical import canonical
from experiments.allocation.ledger import (
    START,
    Ledger,
    LedgerRefused,
    LedgerTampered,
    check_head,
    head_of,
    read_chain,
)

ROOT = Path(__file__).resolve().parents[3]
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)

WRITER = """
import sys
from pathlib import Path
from experiments.allocation.ledger import Ledger
ledger = Ledger(path=Path(sys.argv[1]))
number = 0
while True:
    entry = ledger.append("note", lambda entries: {"writer": sys.argv[2], "number": number, "pad": "x" * 300})
    sys.stdout.write(f"{entry.place}:{entry.hash}\\n")
    sys.stdout.flush()
    number += 1
"""

FILLER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from experiments.allocation.ledger import Ledger
for number in range(20):
    Ledger(path=Path(sys.argv[1])).append("note", lambda _: {"n": number}, at=datetime(2026, 4, 1, 12, tzinfo=UTC))
"""


def filled(path: Path, entries: int) -> Ledger:
    ledger = Ledger(path=path)
    for number in range(entries):
        ledger.append("note", lambda _, n=number: {"n": n}, at=NOON)  # type: ignore[misc]
    return ledger


def test_entries_follow_one_another_and_the_head_counts_them(tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "ledger.jsonl")
    assert ledger.head == f"0:{START}"
    filled(ledger.path, 3)
    entries = ledger.entries()
    assert [entry.body["n"] for entry in entries] == [0, 1, 2]
    assert [entry.previous for entry in entries] == [START, entries[0].hash, entries[1].hash]
    assert ledger.head == f"3:{entries[-1].hash}"
    assert oct(ledger.path.stat().st_mode & 0o777) == "0o600"


def test_a_ledger_cut_at_any_byte_keeps_every_whole_line_and_takes_the_next(tmp_path: Path) -> None:
    """Every byte of three entries: what a kill in the middle of a write can leave."""
    whole = filled(tmp_path / "whole.jsonl", 3)
    raw = whole.path.read_bytes()
    before = whole.entries()
    for cut in range(len(raw) + 1):
        path = tmp_path / "cut.jsonl"
        path.write_bytes(raw[:cut])
        acknowledged = raw[:cut].count(b"\n")
        ledger = Ledger(path=path)
        assert ledger.entries() == before[:acknowledged]
        ledger.append("note", lambda _: {"n": "next"}, at=NOON)
        after = ledger.entries()
        assert after[:acknowledged] == before[:acknowledged]
        torn = len(raw[:cut]) - (raw[:cut].rfind(b"\n") + 1)
        assert [entry.kind for entry in after[acknowledged:]] == (["recovered"] if torn else []) + ["note"]
        if torn:
            assert after[acknowledged].body["bytes"] == torn


@pytest.mark.parametrize("part", range(4))
def test_two_hundred_killed_writers_lose_nothing_that_they_were_told_is_safe(
    part: int, tmp_path: Path
) -> None:
    """Four ledgers, each with 50 writers, two at a time, killed (SIGKILL) at random moments.

    What each was told is safe must be in the ledger afterwards, at its place, with its hash.
    """
    path = tmp_path / "ledger.jsonl"
    script = Path(__file__).with_name("killing.py")
    told = subprocess.run(
        [sys.executable, str(script), str(path), "50", str(20260401 + part)],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    answer = json.loads(told.stdout)
    entries, _ = read_chain(path.read_bytes())
    found = {str(entry.place): entry.hash for entry in entries}
    assert answer["kills"] >= 50
    assert len(answer["acknowledged"]) >= 50, "writers got as far as entries"
    assert all(found.get(place) == digest for place, digest in answer["acknowledged"].items())
    Ledger(path=path).append("note", lambda _: {"after": "all"})


def test_a_writer_of_its_own_interpreter_killed_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    for name in ("a", "b"):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name], stdout=subprocess.PIPE, cwd=ROOT, text=True
        )
        assert writer.stdout is not None
        told = [writer.stdout.readline().strip() for _ in range(5)]
        writer.kill()
        told += [line.strip() for line in writer.stdout.read().split("\n")[:-1]]
        writer.wait()
        heads = {entry.head for entry in Ledger(path=path).entries()}
        assert set(told) <= heads


def test_threads_and_processes_that_write_at_once_wait_for_one_another(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    children = [subprocess.Popen([sys.executable, "-c", FILLER, str(path)], cwd=ROOT) for _ in range(3)]
    threads = [threading.Thread(target=filled, args=(path, 20)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(child.wait() == 0 for child in children)
    entries = Ledger(path=path).entries()
    assert [entry.place for entry in entries] == list(range(1, 121))
    assert len({entry.at for entry in entries}) == 1, "all at the same instant, and still in one order"


def test_what_is_decided_under_the_lock_cannot_be_overtaken(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"

    def count(entries: object) -> dict[str, int]:
        seen = len(entries)  # type: ignore[arg-type]
        time.sleep(0.001)
        return {"seen": seen}

    threads = [threading.Thread(target=lambda: Ledger(path=path).append("count", count)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry.body["seen"] for entry in Ledger(path=path).entries()] == list(range(20))


def test_a_refusal_under_the_lock_adds_nothing_and_frees_it(tmp_path: Path) -> None:
    ledger = filled(tmp_path / "ledger.jsonl", 2)

    def refuse(entries: object) -> dict[str, int]:
        raise LedgerRefused(where="x", found="y", expected="z", remedy="w")

    with pytest.raises(LedgerRefused):
        ledger.append("note", refuse)
    assert len(ledger.entries()) == 2
    ledger.append("note", lambda _: {})
    assert len(ledger.entries()) == 3


Lines = list[bytes]


def edited(lines: Lines) -> Lines:
    lines[2] = lines[2].replace(b'"n":2', b'"n":9')
    return lines


def edited_and_rehashed(lines: Lines) -> Lines:
    import hashlib

    content = json.loads(lines[2])
    content["body"]["n"] = 9
    del content["hash"]
    content["hash"] = hashlib.sha256(canonical(content)).hexdigest()
    lines[2] = canonical(content)
    return lines


ATTACKS: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "an entry edited": (edited, "entry 3: found content that its hash does not cover"),
    "an entry edited and hashed again": (edited_and_rehashed, "entry 4: found an entry that follows another"),
    "two entries exchanged": (lambda x: [x[0], x[2], x[1], *x[3:]], "entry 2: found the entry numbered 3"),
    "an entry removed": (lambda x: [*x[:2], *x[3:]], "entry 3: found the entry numbered 4"),
    "an entry repeated": (lambda x: [*x[:3], *x[2:]], "entry 4: found the entry numbered 3"),
    "the first entries removed": (lambda x: x[2:], "entry 1: found the entry numbered 3"),
    "a blank line put in": (lambda x: [*x[:3], b"", *x[3:]], "entry 4: found a line that is not canonical"),
    "a line of nonsense": (lambda x: [*x, b"nonsense"], "entry 7: found a line that is not canonical"),
    "a key added": (
        lambda x: [x[0][:-1] + b',"z":1}', *x[1:]],
        "entry 1: found a line with other keys",
    ),
    "spaces put in": (lambda x: [x[0].replace(b",", b", ", 1), *x[1:]], "entry 1: found a line that is not"),
    "tail cut at a line": (lambda x: x[:4], "entry 4: found 4 entries; expected at least the 6"),
    "everything cut": (lambda x: [], "entry 0: found 0 entries; expected at least the 6"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_changed_ledger_is_refused_and_the_entry_named(name: str, tmp_path: Path) -> None:
    ledger = filled(tmp_path / "ledger.jsonl", 6)
    head = ledger.head
    attack, said = ATTACKS[name]
    lines = attack(copy.copy(ledger.path.read_bytes().splitlines()))
    raw = b"".join(line + b"\n" for line in lines)
    with pytest.raises(LedgerTampered) as error:
        check_head(read_chain(raw)[0], head)
    assert said in str(error.value)
    print(f"{name:<34} {error.value.where}: found {error.value.found}; expected {error.value.expected}")
    if "cut" not in name:
        ledger.path.write_bytes(raw)
        with pytest.raises(LedgerTampered):
            ledger.append("note", lambda _: {})
        assert ledger.path.read_bytes() == raw, "nothing is added to a ledger that was changed"


def test_a_chain_made_again_from_the_start_is_seen_against_a_published_head(tmp_path: Path) -> None:
    head = filled(tmp_path / "one.jsonl", 4).head
    other = Ledger(path=tmp_path / "two.jsonl")
    for number in range(5):
        other.append("note", lambda _, n=number: {"n": n + 1}, at=NOON)  # type: ignore[misc]
    with pytest.raises(LedgerTampered, match="rewritten"):
        check_head(other.entries(), head)


def test_a_published_head_counts_what_was_added_since(tmp_path: Path) -> None:
    ledger = filled(tmp_path / "ledger.jsonl", 4)
    head = ledger.head
    filled(ledger.path, 3)
    assert check_head(ledger.entries(), head) == 3
    assert check_head(ledger.entries(), head_of(())) == 7
    for wrong in ("", "4", "4:zz", "x:" + "0" * 64):
        with pytest.raises(LedgerRefused, match="published head"):
            check_head(ledger.entries(), wrong)


def test_any_flipped_bit_is_found_or_is_an_unfinished_line(tmp_path: Path) -> None:
    """A flip of the last newline leaves a line that was never finished: seen by the head."""
    ledger = filled(tmp_path / "ledger.jsonl", 3)
    head, raw = ledger.head, ledger.path.read_bytes()
    for place in range(0, len(raw), 3):
        changed = bytearray(raw)
        changed[place] ^= 4
        with pytest.raises(Refusal):
            check_head(read_chain(bytes(changed))[0], head)


def test_a_ledger_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerRefused, match="cannot be opened"):
        Ledger(path=tmp_path / "absent" / "ledger.jsonl").append("note", lambda _: {})
