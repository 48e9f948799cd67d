"""Rendering engines: Quarto where it is found, and an embedded one that reads the same pages where it is not.

What both understand is written down in SUBSET.md and enforced by `subset.py`.
"""
