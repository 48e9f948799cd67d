"""Draws: 1,000 of blocked clusters, and one of a million people.

The peer of the first figure is R's randomizr 1.0.0, `conduct_ra` a thousand times from one declaration:
2.9 seconds, measured once elsewhere and quoted, because nothing here runs R. The second sets the same draws
beside a loop over draws and blocks in NumPy, timed in this run. The million-person figures are
held against a tenth of a second. Ids, blocks and clusters are checked inside every timed call.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from experiments.design import NamedArm
from experiments.designs.blocked_clusters import BlockedClusters
from experiments.designs.complete import Complete

DRAWS, PEOPLE, CLUSTERS, BLOCKS, MILLION = 1_000, 10_000, 400, 20, 1_000_000
RANDOMIZR_SECONDS = 2.9
REPEATS = 7
ARMS = (NamedArm(name="mentoring", share=Fraction(1, 2)), NamedArm(name="usual", share=Fraction(1, 2)))


def roster() -> pd.DataFrame:
    """People in schools in boroughs, in no order."""
    person = np.random.default_rng(5).permutation(PEOPLE)
    school = person % CLUSTERS
    return pd.DataFrame(
        {
            "school": [f"school_{s:03d}" for s in school],
            "borough": [f"borough_{s % BLOCKS:02d}" for s in school],
        },
        index=pd.Index([f"P{p:06d}" for p in person]),
    )


def loop(people: pd.DataFrame, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.int8]]:
    """The same draws, one at a time, block by block."""
    school, names = pd.factorize(people["school"])
    first = np.unique(school, return_index=True)[1]
    borough = pd.factorize(people["borough"])[0][first]
    members = [np.flatnonzero(borough == b) for b in range(BLOCKS)]
    out = np.empty((DRAWS, len(people)), dtype=np.int8)
    arm = np.empty(len(names), dtype=np.int8)
    for draw in range(DRAWS):
        for inside in members:
            arm[inside] = rng.permutation(np.arange(len(inside)) % 2)
        out[draw] = arm[school]
    return out


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several calls, the first not counted."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def run() -> list[dict[str, Any]]:
    """Four figures."""
    rng = np.random.default_rng(7)
    people = roster()
    clusters = BlockedClusters(arms=ARMS, cluster="school", block_by=("borough",))
    ours = fastest(lambda: clusters.draw_many(people, DRAWS, rng))
    looped = fastest(lambda: loop(people, rng))
    complete = Complete(arms=ARMS)
    numbered = pd.DataFrame(index=pd.RangeIndex(MILLION))
    ids = [f"P{i:07d}" for i in np.random.default_rng(8).permutation(MILLION)]
    named = fastest(lambda: complete.draw_many(pd.DataFrame(index=pd.Index(ids)), 1, rng))
    built = fastest(lambda: pd.DataFrame(index=pd.Index(ids)))
    plain = fastest(lambda: complete.draw_many(numbered, 1, rng))
    shape = f"{DRAWS:,} draws of blocked clusters, {PEOPLE:,} people, {CLUSTERS} clusters, {BLOCKS} blocks"
    return [
        entry(shape, ours, "randomizr 1.0.0", RANDOMIZR_SECONDS, 0.02, "the peer's time is quoted"),
        entry(shape, ours, "a NumPy loop over draws and blocks", looped, 1.0, "both in this run"),
        entry(
            "one complete draw of a million numbered people",
            plain,
            "a tenth of a second",
            0.1,
            1.0,
            "the peer is a target, not a program",
        ),
        entry(
            "one complete draw of a million people with text ids in no order",
            named - built,
            "a tenth of a second",
            0.1,
            1.0,
            "ids are checked for repeats and for case in each call; making the roster is taken off",
        ),
    ]


def entry(name: str, ours: float, peer: str, theirs: float, target: float, note: str) -> dict[str, Any]:
    """One figure; `ratio` is ours over the peer's."""
    return {
        "name": name,
        "ours_seconds": round(ours, 4),
        "peer": peer,
        "peer_seconds": round(theirs, 4),
        "ratio": round(ours / theirs, 4),
        "target": target,
        "note": note,
    }


if __name__ == "__main__":
    for figure in run():
        print(figure)
