"""Randomisation test of a blocked trial of 2,000 people: time for 100,000 re-draws, and ri2's rate.

The statistic is studentised, and ours includes the draws, the p-value and the inverted interval. The
peer is R's ri2 where Rscript can load it (it is timed on 200 re-draws and scaled); where it cannot,
a plain Python loop that draws once, takes block means and variances, and repeats.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evaluation.inference.randomisation_test import redraw_test
from evaluation.sample import Sample
from experiments.design import NamedArm
from experiments.designs.blocked import Blocked

PEOPLE, BLOCKS, REDRAWS, PEER_REDRAWS = 2_000, 20, 100_000, 200

RI2 = """
suppressMessages(library(ri2))
d <- read.csv("trial.csv")
declaration <- declare_ra(blocks = d$block, prob = 0.5)
set.seed(1)
start <- proc.time()[["elapsed"]]
out <- conduct_ri(y ~ z, declaration = declaration, assignment = "z", sharp_hypothesis = 0,
                  studentize = TRUE, data = d, sims = SIMS)
cat(proc.time()[["elapsed"]] - start)
"""


def trial() -> Sample:
    """A blocked trial with a small effect."""
    rng = np.random.default_rng(5)
    block = np.repeat(np.arange(BLOCKS), PEOPLE // BLOCKS)
    roster = pd.DataFrame({"block": block})
    design = Blocked(
        arms=(NamedArm(name="control", share=Fraction(1, 2)), NamedArm(name="treated", share=Fraction(1, 2))),
        block_by=("block",),
    )
    arm = design.draw_many(roster, 1, rng)[0].astype(np.int64)
    outcome = rng.normal(size=PEOPLE) + 0.1 * arm + 0.3 * rng.normal(size=BLOCKS)[block]
    return Sample(
        outcome=outcome,
        arm=arm,
        arms=("control", "treated"),
        unit="points",
        kind="mean",
        person=np.arange(PEOPLE),
        block=block,
        design=design,
        roster=roster,
        roster_row=np.arange(PEOPLE),
    )


def ri2_seconds(sample: Sample) -> float | None:
    """Seconds that ri2 takes for `PEER_REDRAWS` studentised re-draws, or None where it is absent."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        table = pd.DataFrame({"y": sample.outcome, "z": sample.arm, "block": sample.block})
        table.to_csv(Path(folder) / "trial.csv", index=False)
        script = Path(folder) / "ri2.R"
        script.write_text(RI2.replace("SIMS", str(PEER_REDRAWS)))
        done = subprocess.run(
            ["Rscript", str(script)], cwd=folder, capture_output=True, text=True, check=False
        )
    return float(done.stdout) if done.returncode == 0 else None


def loop_seconds(sample: Sample) -> float:
    """Seconds that one draw at a time takes in Python for `PEER_REDRAWS` re-draws."""
    rng = np.random.default_rng(6)
    assert sample.block is not None
    members = [np.flatnonzero(sample.block == b) for b in range(BLOCKS)]
    start = time.perf_counter()
    for _ in range(PEER_REDRAWS):
        difference = variance = 0.0
        for inside in members:
            z = rng.permutation(sample.arm[inside])
            y1, y0 = sample.outcome[inside][z == 1], sample.outcome[inside][z == 0]
            difference += (y1.mean() - y0.mean()) / BLOCKS
            variance += (y1.var(ddof=1) / len(y1) + y0.var(ddof=1) / len(y0)) / BLOCKS**2
        _ = difference / variance**0.5
    return time.perf_counter() - start


def run() -> list[dict[str, Any]]:
    """Two entries: against the peer's rate, and against two seconds."""
    sample = trial()
    redraw_test(sample, statistic="studentised", redraws=999, level=0.95, rng=np.random.default_rng(1))
    start = time.perf_counter()
    redraw_test(sample, statistic="studentised", redraws=REDRAWS, level=0.95, rng=np.random.default_rng(1))
    ours = time.perf_counter() - start
    measured = ri2_seconds(sample)
    peer = loop_seconds(sample) if measured is None else measured
    scaled = peer * REDRAWS / PEER_REDRAWS
    what = f"{PEOPLE} people in {BLOCKS} blocks, {REDRAWS} re-draws, studentised, with the inverted interval"
    return [
        {
            "name": "randomisation_test_blocked_rate",
            "ours_seconds": ours,
            "peer": "one draw at a time in Python (ri2 not found)" if measured is None else "ri2",
            "peer_seconds": scaled,
            "ratio": ours / scaled,
            "target": None if measured is None else 0.01,
            "note": f"{what}; the peer was timed on {PEER_REDRAWS} re-draws and scaled up",
        },
        {
            "name": "randomisation_test_blocked_two_seconds",
            "ours_seconds": ours,
            "peer": "two seconds",
            "peer_seconds": 2.0,
            "ratio": ours / 2.0,
            "target": 1.0,
            "note": what,
        },
    ]


if __name__ == "__main__":
    print(run())
