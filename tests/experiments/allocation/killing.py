"""Kill writers of one ledger at random moments, and print what each had been told is safe.

Run by test_ledger.py in a process of its own, which has no threads and may fork:
`python killing.py LEDGER KILLS SEED`. At least KILLS writers die; prints {place: hash} as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from experiments.allocation.ledger import Ledger


def writer(path: Path, name: str) -> tuple[int, int]:
    """A child that appends until it is killed, telling each acknowledged head through a pipe."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return pid, read
    try:
        while True:
            entry = Ledger(path=path).append("note", lambda _: {"writer": name, "pad": "x" * 300})
            os.write(write, f"{entry.head}\n".encode())
    finally:
        os._exit(1)


def main(path: Path, kills: int, seed: int) -> None:
    """Two writers at a time, killed after 2 to 30 thousandths of a second."""
    chance = random.Random(seed)
    acknowledged: dict[int, str] = {}
    done = 0
    # On a busy machine some die before their first entry: go on until there is enough to lose.
    while done < kills or len(acknowledged) < kills:
        pair = [writer(path, f"w{done + k}") for k in range(2)]
        time.sleep(chance.uniform(0.002, 0.03))
        for pid, pipe in pair:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            with os.fdopen(pipe, "rb") as told:
                for line in told.read().split(b"\n")[:-1]:
                    place, _, digest = line.decode().partition(":")
                    assert acknowledged.setdefault(int(place), digest) == digest, "one place told twice"
            done += 1
    print(json.dumps({"kills": done, "acknowledged": acknowledged}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
