"""Keys between tables: every reference leads to a row that is there."""

from __future__ import annotations

from collections.abc import Mapping

from data_contracts.convert import breach
from data_contracts.read import CheckedTable
from data_contracts.table import ContractBroken


def check_references(tables: Mapping[str, CheckedTable]) -> None:
    """Refuse values that refer to no row of the table they name, where that table is among `tables`."""
    for table in tables.values():
        breaches = []
        for name, column in table.contract.columns.items():
            if column.refers_to is None:
                continue
            target, _, key = column.refers_to.partition(".")
            if target not in tables:
                continue
            values = table.frame[name]
            lost = (values.notna() & ~values.isin(tables[target].frame[key])).to_numpy(dtype=bool)
            if lost.any():
                breaches.append(breach(name, f"no such row in {target}.{key}", lost))
        if breaches:
            raise ContractBroken(
                table=table.contract.name,
                breaches=breaches,
                remedy="Ask the provider which people are missing, or remove the rows and say how many.",
            )
