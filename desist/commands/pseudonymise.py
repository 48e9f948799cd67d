"""`desist pseudonymise`: keyed pseudonyms in place of PNC or NHS numbers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from desist.commands.answer import Json, answer


class SchemeName(StrEnum):
    """What the identifiers are."""

    pnc = "pnc"
    nhs = "nhs"
    text = "text"


def pseudonymise(
    file: Annotated[Path | None, typer.Argument(help="A CSV, Parquet, ODS or Excel file.")] = None,
    column: Annotated[str, typer.Option(help="The column that holds the identifier.")] = "",
    scheme: Annotated[
        SchemeName | None, typer.Option(help="pnc and nhs check digits; text takes anything.")
    ] = None,
    project: Annotated[str, typer.Option(help="The project: pseudonyms of two projects never meet.")] = "",
    out: Annotated[Path | None, typer.Option(help="The CSV to write; it must not exist.")] = None,
    into: Annotated[str, typer.Option(help="Name of the pseudonym's column.")] = "person",
    drop: Annotated[list[str] | None, typer.Option(help="A further column to leave out (repeat).")] = None,
    key: Annotated[Path | None, typer.Option(help="Key file; else DESIST_PSEUDONYM_KEY.")] = None,
    make_key: Annotated[Path | None, typer.Option(help="Only write a new key to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Replace identifiers by HMAC-SHA256 pseudonyms under the project's key."""
    import os

    from data_contracts import pseudonym
    from data_contracts.pseudonymise_file import pseudonymise_file

    if make_key is not None:
        pseudonym.make_key(make_key)
        answer(
            {"key_file": str(make_key)},
            f"A new key is in {make_key}. Keep it apart from the data.",
            as_json=as_json,
        )
        return
    needed = {"FILE": file, "--column": column, "--scheme": scheme, "--project": project, "--out": out}
    absent = [name for name, value in needed.items() if not value]
    if absent or file is None or out is None or scheme is None:
        raise typer.BadParameter(f"missing {', '.join(absent)}")
    secret = pseudonym.key_from_file(key) if key is not None else pseudonym.key_from_environment(os.environ)
    made = pseudonymise_file(
        file,
        out,
        column=column,
        into=into,
        drop=tuple(drop or ()),
        scheme=scheme.value,
        project=project,
        key=secret,
    )
    content = {
        "file": str(out),
        "rows": made.rows,
        "people": made.people,
        "rows_without": made.rows_without,
        "spellings_merged": made.spellings,
        "dropped": list(made.dropped),
    }
    text = (
        f"{out}: {made.rows:,} rows, {made.people:,} people; {made.rows_without:,} rows without an identifier; "
        f"{made.spellings:,} further spellings were read as people already there."
    )
    answer(content, text, as_json=as_json)
