"""Sealed draws and the ledger of enrolments."""
