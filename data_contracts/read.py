"""A file to a checked table: the only way in for data.

    find_contract  the contract of a name: one of the study's own, or a feed
    find_table     the file of a contract in a folder
    read_table     cells, types, rules; then the table with its content hash and vintage

A vintage belongs to a delivery: a file `NAME.vintage.yaml` beside the data
(`extracted: 2026-01-31`, `provisional: true`) says more than the contract could.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pandas as pd

from data_contracts.check import frame_breaches, told_once
from data_contracts.convert import convert
from data_contracts.declared import build
from data_contracts.files import SUFFIXES, check_kind, file_hash, read_cells
from data_contracts.odcs import load_contract
from data_contracts.refusal import Refusal, nearest
from data_contracts.safe_yaml import read_yaml
from data_contracts.table import Breach, Column, ContractBroken, TableContract, Vintage

FEEDS = Path(__file__).parent / "feeds"
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class TableNotFound(Refusal):
    """A contract or a table that is not where it should be."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckedTable:
    """A table that kept its contract.

    `frame` has the contract's columns in its order, rows in the file's order. `missing` counts, for
    each column, why coded values are missing. `left_out` counts rows that the layout drops. `begins` is the first
    day that the rows reach back to, where the delivery says it.
    """

    contract: TableContract
    frame: pd.DataFrame
    sha256: str
    rows: int
    source: str
    extracted: date | None
    provisional: bool
    begins: date | None = None
    missing: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    left_out: int = 0


def feed_names() -> tuple[str, ...]:
    """The contracts that ship with the package."""
    return tuple(sorted(path.name.removesuffix(".odcs.yaml") for path in FEEDS.glob("*.odcs.yaml")))


def find_contract(name: str, beside: Path | None = None) -> TableContract:
    """The contract called `name`: `NAME.odcs.yaml` in the folder `beside`, or else the feed."""
    _check_name(name)
    folders = [folder for folder in (beside, FEEDS) if folder is not None]
    for folder in folders:
        path = folder / f"{name}.odcs.yaml"
        if path.is_file():
            contract = load_contract(path)
            if contract.name != name:
                raise TableNotFound(
                    where=path.name,
                    found=f"a contract for '{contract.name}'",
                    expected=f"a contract for '{name}', after which the file is named",
                    remedy="Rename the file or the table.",
                )
            return contract
    raise TableNotFound(
        where="table",
        found=f"'{name}'",
        expected="a feed, or a file NAME.odcs.yaml beside the study",
        remedy=nearest(name, feed_names()),
    )


def load_contract_at(path: Path) -> TableContract:
    """The contract in a file anywhere."""
    return load_contract(path)


def find_table(directory: Path, contract: TableContract) -> Path:
    """The one file in `directory` named after the contract; it may not lead out of the folder."""
    _check_name(contract.name)
    if not directory.is_dir():
        raise TableNotFound(
            where=str(directory),
            found="no folder",
            expected="a folder of data files",
            remedy="Check `--data`.",
        )
    found = [p for p in directory.iterdir() if p.stem == contract.name and p.suffix.lower() in SUFFIXES]
    if len(found) != 1:
        raise TableNotFound(
            where=str(directory),
            found=f"{len(found)} files" if found else "no file",
            expected=f"one file named {contract.name} ending in {', '.join(SUFFIXES)}",
            remedy="Keep one." if found else _missing_file(directory, contract.name),
        )
    path = found[0]
    if not path.resolve().is_relative_to(directory.resolve()):
        raise TableNotFound(
            where=path.name,
            found="a link that leads out of the data folder",
            expected="a file inside the folder",
            remedy="Copy the file into the folder.",
        )
    return path


def _missing_file(directory: Path, name: str) -> str:
    """What to try: a file is there whose name begins alike, or none is. No name is said, since it may be a person's."""
    like = [
        p for p in directory.iterdir() if p.suffix.lower() in SUFFIXES and p.stem.lower().startswith(name)
    ]
    if like:
        return f"A file is there whose name begins so: name it exactly {name}{like[0].suffix.lower()}, in lower case."
    return "Put the table in the folder, under the contract's name."


def read_table(path: Path, contract: TableContract) -> CheckedTable:
    """The file's table, or `ContractBroken` with every breach at once."""
    check_kind(path)
    vintage = delivery_vintage(path, contract)
    sha256 = file_hash(path)
    cells = read_cells(path, contract.layout)
    cells, left_out, found = arrange(cells, contract)
    held = part_of(contract, cells) if found else contract
    converted = convert(cells, held)
    latest = vintage.extracted or date.today()
    if held.columns:
        told = told_once(converted, frame_breaches(converted.frame, held, latest=latest), held)
        found += in_file_rows(told, cells.index)
    if found:
        raise ContractBroken(table=contract.name, breaches=in_order(found, contract))
    return CheckedTable(
        contract=contract,
        frame=converted.frame,
        sha256=sha256,
        rows=len(converted.frame),
        source=vintage.source or contract.title,
        extracted=vintage.extracted,
        provisional=vintage.provisional,
        begins=vintage.begins,
        missing=converted.missing,
        left_out=left_out,
    )


def part_of(contract: TableContract, cells: pd.DataFrame) -> TableContract:
    """The contract of those columns that are there, for telling what else is broken."""
    columns = {name: column for name, column in contract.columns.items() if name in cells}
    keyed = bool(contract.key) and all(name in columns for name in contract.key)
    return replace(
        contract,
        columns=columns,
        key=contract.key if keyed else (),
        keyless=None if keyed else "columns of the key are not in the file",
        person=contract.person if contract.person in columns else None,
        rules=tuple(rule for rule in contract.rules if all(name in columns for name in rule.holds.names)),
    )


def in_order(breaches: Iterable[Breach], contract: TableContract) -> list[Breach]:
    """Breaches by the contract's columns, those of the table last."""
    order = {name: position for position, name in enumerate(contract.columns)}
    return sorted(breaches, key=lambda b: (order.get(b.column, len(order)), b.rule))


def in_file_rows(breaches: list[Breach], index: pd.Index, first: int = 0) -> list[Breach]:
    """Breaches told by the file's own rows, where the layout left some out; `first` rows came before."""
    return [
        replace(found, rows=tuple(first + int(index[row - 1]) + 1 for row in found.rows))
        for found in breaches
    ]


def arrange(cells: pd.DataFrame, contract: TableContract) -> tuple[pd.DataFrame, int, list[Breach]]:
    """Cells under the contract's names, without the rows and columns that the layout leaves out.

    The index keeps the rows' places in the file. With breaches, the columns that stand in the file once
    come out all the same, so that their cells can be checked too.

    Undeclared columns are breaches, told by position: a header that nobody declared may be a person.
    """
    layout = contract.layout
    headers = [str(name) for name in cells.columns]
    keep = [i for i, name in enumerate(headers) if name not in layout.ignore]
    cells = cells.iloc[:, keep]
    wanted = {column.source_name or name: name for name, column in contract.columns.items()}
    breaches = []
    for position, header in zip(keep, [headers[i] for i in keep], strict=True):
        if header not in wanted:
            breaches.append(
                Breach(column="", rule=f"column {position + 1} {_undeclared(header, wanted)}", count=0)
            )
    present = [headers[i] for i in keep]
    for header, name in wanted.items():
        if present.count(header) == 0:
            breaches.append(Breach(column=name, rule="the column is not in the file", count=0))
        elif present.count(header) > 1:
            breaches.append(Breach(column=name, rule="the column stands in the file more than once", count=0))
    once = [header for header in wanted if present.count(header) == 1]
    cells = cells[once].rename(columns=wanted)
    for name in layout.fill_down:
        if name in cells:
            cells[name] = cells[name].mask(cells[name] == "").ffill()
    before = len(cells)
    for name, values in layout.drop_rows.items():
        if name in cells:
            text = cells[name].str.strip() if layout.trim else cells[name]
            cells = cells[~text.isin(values)]
    if layout.thousands or layout.decimal != ".":
        cells = cells.copy()
        for name, column in contract.columns.items():
            if name in cells and column.dtype in ("integer", "number"):
                cells[name] = _figures(cells[name], layout.thousands, layout.decimal)
    return cells, before - len(cells), breaches


def _figures(text: pd.Series, thousands: str, decimal: str) -> pd.Series:
    """Thousands separators off where they stand in threes, and a decimal comma made a point."""
    if not isinstance(text.dtype, pd.StringDtype):
        return text
    if thousands:
        sign = re.escape(thousands)
        grouped = text.str.fullmatch(rf"[+-]?\d{{1,3}}(?:{sign}\d{{3}})+(?:{re.escape(decimal)}\d+)?").fillna(
            False
        )
        text = text.where(~grouped, text.str.replace(thousands, "", regex=False))
    if decimal == ",":
        # Each for the other: a point where a comma is declared must not pass for one.
        text = text.str.translate(str.maketrans(",.", ".,"))
    return text


def _undeclared(header: str, wanted: Mapping[str, str]) -> str:
    from difflib import get_close_matches

    if header == "":
        return "is not declared and has no header"
    fold = {name.lower().replace(" ", "_"): name for name in wanted}
    close = get_close_matches(header.lower().replace(" ", "_"), list(fold), n=1, cutoff=0.75)
    return f"is not declared (nearest declared: '{fold[close[0]]}')" if close else "is not declared"


def delivery_vintage(path: Path, contract: TableContract) -> Vintage:
    """The vintage that stands beside the file, or else the contract's own."""
    beside = path.with_name(f"{contract.name}.vintage.yaml")
    for near in (beside.with_suffix(".yml"), path.with_name(f"{path.stem}.vintage.yaml")):
        if near != beside and near.exists():
            raise _no_vintage(near.name, "a vintage under another name", f"{beside.name}", "Rename the file.")
    if not beside.exists() and not beside.is_symlink():
        return contract.vintage
    if not beside.is_file() or not beside.resolve().is_relative_to(path.parent.resolve()):
        raise _no_vintage(
            beside.name,
            "no file, or a link that leads out of the data folder",
            "a file inside the folder",
            "Write the file there.",
        )
    vintage = build(Vintage, read_yaml(beside), path=beside.name)
    if vintage.extracted is not None and vintage.extracted.year > date.today().year + 1:
        raise _no_vintage(
            f"{beside.name}.extracted",
            f"the year {vintage.extracted.year}",
            "the day on which the source was extracted",
            "Correct the year: no date in the table may be after that day.",
        )
    return vintage


def _no_vintage(where: str, found: str, expected: str, remedy: str) -> TableNotFound:
    return TableNotFound(where=where, found=found, expected=expected, remedy=remedy)


def _check_name(name: str) -> None:
    if not _NAME.match(name):
        raise TableNotFound(
            where="table",
            found="a name with characters that no table has",
            expected="lower-case letters, digits and underscores, starting with a letter",
            remedy="Name the table, not a path.",
        )


__all__ = [
    "CheckedTable",
    "Column",
    "TableNotFound",
    "feed_names",
    "find_contract",
    "find_table",
    "read_table",
]
