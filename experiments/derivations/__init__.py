"""Derivations: one file for each way of making an outcome from rows that are not yet one to a unit."""
