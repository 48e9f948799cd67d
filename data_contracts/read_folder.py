"""Every table of a study from one folder: each held to its contract, and all of them to one another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from data_contracts.read import CheckedTable, find_table, read_table
from data_contracts.recording_breaks import breaks_of, require_acknowledged
from data_contracts.references import check_references
from data_contracts.table import TableContract


def read_folder(
    contracts: Mapping[str, TableContract], folder: Path, *, acknowledged: Collection[str]
) -> dict[str, CheckedTable]:
    """The checked tables by name.

    Refuses a file that breaks its contract, a reference to a row that is not there, and data that cross a
    recording break which is not among `acknowledged` (the study's `recording_breaks`).
    """
    breaks_of(acknowledged)
    tables = {
        name: read_table(find_table(folder, contract), contract) for name, contract in contracts.items()
    }
    check_references(tables)
    for table in tables.values():
        require_acknowledged(table, acknowledged)
    return tables
