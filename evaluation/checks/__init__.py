"""Diagnostics, one to a file; the file name is the check's name in a study."""
