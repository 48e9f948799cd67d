"""Worlds with a known truth, one to a file: `make(rng)` gives a fresh sample and its effect by scale."""
