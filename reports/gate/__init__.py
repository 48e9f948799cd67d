"""The gate: each kind of thing that a run finds has one file here that judges it before it is printed."""
