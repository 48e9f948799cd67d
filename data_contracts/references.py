"""Keys between tables: every reference leads to a row that is there."""

from __future__ import annotations

from collections.abc import Mapping

from data_contracts.convert import breach
from data_contracts.read import CheckedTable
from data_contracts.refusal import Refusal, nearest
from data_contracts.table import ContractBroken, TableContract

NOT_ONE = (
    "Not one row is found: compare how the two tables write it (capitals, spaces, leading zeros), "
    "and whether both were made under one key."
)


class ReferenceRefused(Refusal):
    """A reference that could lead to no row, whatever the rows."""


def check_references(tables: Mapping[str, CheckedTable]) -> None:
    """Refuse values that refer to no row of the table they name, where that table is among `tables`."""
    for table in tables.values():
        breaches, strangers = [], False
        for name, column in table.contract.columns.items():
            if column.refers_to is None:
                continue
            target, _, key = column.refers_to.partition(".")
            if target not in tables:
                continue
            values = table.frame[name]
            _check_target(table.contract, name, tables[target].contract, key)
            lost = (values.notna() & ~values.isin(tables[target].frame[key])).to_numpy(dtype=bool)
            if lost.any():
                breaches.append(breach(name, f"no such row in {target}.{key}", lost))
                strangers |= bool(lost.all())
        if breaches:
            raise ContractBroken(
                table=table.contract.name,
                breaches=breaches,
                remedy=NOT_ONE
                if strangers
                else "Ask the provider which people are missing, or remove the rows and say how many.",
            )


def _check_target(contract: TableContract, name: str, target: TableContract, key: str) -> None:
    where = f"{contract.name}.{name}"
    if key not in target.columns:
        raise ReferenceRefused(
            where=where,
            found=f"a reference to {target.name}.{key}, which is no column",
            expected=f"a column of {target.name}",
            remedy=nearest(key, target.columns),
        )
    types = contract.columns[name].dtype, target.columns[key].dtype
    if types[0] != types[1]:
        raise ReferenceRefused(
            where=where,
            found=f"a reference from {types[0]} to {types[1]}",
            expected="the same logical type on both sides",
            remedy="Declare both columns alike: a number never equals its text.",
        )
