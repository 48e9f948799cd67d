"""Every table of a study from one folder: each held to its contract, and all of them to one another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from data_contracts.files import SUFFIXES
from data_contracts.read import CheckedTable, TableNotFound, find_table, read_table
from data_contracts.recording_breaks import breaks_of, require_acknowledged
from data_contracts.references import check_references
from data_contracts.table import TableContract


def read_folder(
    contracts: Mapping[str, TableContract], folder: Path, *, acknowledged: Collection[str]
) -> dict[str, CheckedTable]:
    """The checked tables by name.

    Refuses files that are not there, all at once, a file that breaks its contract, a reference to a row that is
    not there, and data that cross a recording break which is not among `acknowledged` (the study's `recording_breaks`).
    """
    breaks_of(acknowledged)
    paths = _files(contracts, folder)
    tables = {name: read_table(paths[name], contract) for name, contract in contracts.items()}
    check_references(tables)
    for table in tables.values():
        require_acknowledged(table, acknowledged)
    return tables


def _files(contracts: Mapping[str, TableContract], folder: Path) -> dict[str, Path]:
    """The file of each table; those that cannot be found are told together."""
    paths: dict[str, Path] = {}
    refused: dict[str, TableNotFound] = {}
    for name, contract in contracts.items():
        try:
            paths[name] = find_table(folder, contract)
        except TableNotFound as error:
            refused[name] = error
    if len(refused) > 1 and folder.is_dir():
        raise TableNotFound(
            where=str(folder),
            found=f"not one file each for {len(refused)} tables: {', '.join(refused)}",
            expected=f"for each table one file, named after it, ending in {', '.join(SUFFIXES)}",
            remedy="Put each table in the folder once, under its contract's name.",
        )
    for alone in refused.values():
        raise alone
    return paths
