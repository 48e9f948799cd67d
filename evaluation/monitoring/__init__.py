"""Estimates after a trial that could have stopped early."""
