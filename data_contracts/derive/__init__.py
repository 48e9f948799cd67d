"""Scores, windows and rates that every evaluator derives from raw tables, each with its source."""
