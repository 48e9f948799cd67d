"""`desist contract`: read a table contract, hold a file to it, compare two versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desist.commands.answer import Json, answer

if TYPE_CHECKING:
    from data_contracts.table import TableContract

app = typer.Typer(
    help="Table contracts: show one, hold a file to one, compare two.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
LARGE_BYTES = 300_000_000

Contract = Annotated[str, typer.Argument(help="A feed's name, or the path of an .odcs.yaml file.")]


@app.command()
def show(feed: Contract, as_json: Json = False) -> None:
    """Print a contract as a readable dictionary."""
    from data_contracts.dictionary import contract_facts, dictionary_rows

    contract = _contract(feed)
    facts, rows = contract_facts(contract), dictionary_rows(contract)
    lines = [f"{label + ':':<17}{text}" for label, text in facts]
    lines.append("")
    for row in rows:
        marks = [
            row["type"],
            row["unit"],
            "key" if row["key"] else "",
            "required" if row["required"] else "may be missing",
        ]
        lines.append(f"{row['column']}  ({', '.join(mark for mark in marks if mark)})")
        lines.append(f"    {row['meaning']}")
        if row["header"] != row["column"]:
            lines.append(f"    header in the file: {row['header']}")
        if row["values"]:
            lines.append(f"    values: {row['values']}")
        if row["missing"]:
            lines.append(f"    missing codes: {row['missing']}")
        lines.append(f"    {row['sensitivity']}, {row['role']}")
    content = {
        "contract": contract.name,
        "version": contract.version,
        "facts": [{"label": label, "text": text} for label, text in facts],
        "columns": rows,
    }
    answer(content, "\n".join(lines), as_json=as_json)


@app.command()
def check(
    feed: Contract,
    file: Annotated[Path, typer.Argument(help="A CSV, Parquet, ODS or Excel file.")],
    as_json: Json = False,
) -> None:
    """Hold a file to a contract; every breach is told at once, by column, rule and row number."""
    from data_contracts.large import check_file, in_chunks
    from data_contracts.read import read_table

    contract = _contract(feed)
    large = (
        file.is_file() and file.stat().st_size > LARGE_BYTES and file.suffix.lower() in (".csv", ".parquet")
    )
    if large and in_chunks(contract):
        found = check_file(file, contract)
        rows, sha256, extracted, provisional = found.rows, found.sha256, found.extracted, found.provisional
        missing, left_out = found.missing, found.left_out
    else:
        table = read_table(file, contract)
        rows, sha256, extracted, provisional = table.rows, table.sha256, table.extracted, table.provisional
        missing = {name: dict(counts) for name, counts in table.missing.items()}
        left_out = table.left_out
    content = {
        "contract": contract.name,
        "version": contract.version,
        "file": file.name,
        "rows": rows,
        "left_out": left_out,
        "sha256": sha256,
        "extracted": extracted.isoformat() if extracted else None,
        "provisional": provisional,
        "missing": missing,
        "breaches": [],
    }
    lines = [
        f"{file.name} keeps the contract {contract.name} {contract.version}: {rows:,} rows, sha256 {sha256}"
    ]
    if left_out:
        lines.append(f"  {left_out:,} rows are left out by the layout")
    for name, counts in missing.items():
        lines.append(f"  {name}: " + ", ".join(f"{count:,} {why}" for why, count in counts.items()))
    if provisional:
        lines.append("  provisional: numbers from this source may still change")
    answer(content, "\n".join(lines), as_json=as_json)


@app.command()
def diff(old: Contract, new: Contract, as_json: Json = False) -> None:
    """Say what changes from OLD to NEW: breaking, minor or patch."""
    from data_contracts.contract_diff import contract_diff, level_of, version_needed

    before, after = _contract(old), _contract(new)
    changes = contract_diff(before, after)
    level = level_of(changes)
    content = {
        "old": {"name": before.name, "version": before.version},
        "new": {"name": after.name, "version": after.version},
        "level": level,
        "version_needed": version_needed(before.version, level),
        "changes": [{"level": c.level, "where": c.where, "what": c.what} for c in changes],
    }
    lines = [f"{c.level:<9}{c.where}: {c.what}" for c in changes] or ["no difference"]
    if level:
        lines.append(
            f"{level}: at least version {content['version_needed']} (the new one says {after.version})"
        )
    answer(content, "\n".join(lines), as_json=as_json)


def _contract(feed: str) -> TableContract:
    from data_contracts.read import find_contract, load_contract_at

    return (
        load_contract_at(Path(feed))
        if feed.endswith((".yaml", ".yml")) or "/" in feed
        else find_contract(feed, beside=Path.cwd())
    )
