"""Every random step has its own stream, made from the study's seed and the step's name.

Streams depend on names alone, so adding an analysis does not move the others.
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *step: str) -> np.random.Generator:
    """A generator for the step named by `step`, under the study's `seed`."""
    name = "\x1f".join(step).encode()
    digest = hashlib.sha256(name).digest()
    words = np.frombuffer(digest, dtype=">u4").astype(np.uint32)
    return np.random.default_rng(np.random.SeedSequence(entropy=[seed, *map(int, words)]))
