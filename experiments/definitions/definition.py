"""An outcome definition: which offences count, for whom, since when, on whose word.

Under the Serious Violence Duty each area sets its own definition of serious violence. A definition is a
file beside this one: a version, its source in the area's words, and how those words are read as
Home Office classes of notifiable offences. An offence counts where some part of `include` takes it and
no part of `exclude` does. A class takes its sub-classes (`8N` takes `8N/1`); `when` adds a condition on
the other columns of the offence table, and an offence for which that condition is unknown does
not count.

Reference: Police, Crime, Sentencing and Courts Act 2022, part 2 chapter 1; Home Office, Serious
Violence Duty: statutory guidance (December 2022, updated June 2023); Home Office Counting Rules for
Recorded Crime.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.declared import build, plain
from data_contracts.expression import Expression
from data_contracts.refusal import Refusal, nearest
from data_contracts.safe_yaml import read_yaml

Bools = NDArray[np.bool_]
FOLDER = Path(__file__).parent
PIN = 16
"""How many figures of a fingerprint a message suggests."""
_CLASS = re.compile(r"^[0-9]{1,3}[A-Z]?(/[0-9]{1,2})?$")


class DefinitionRefused(Refusal):
    """A definition that cannot be found, or that names what no offence table holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Offence classes that count together; every class where `classes` is empty and `when` is given."""

    label: str
    classes: tuple[str, ...] = ()
    when: str | None = None

    def __post_init__(self) -> None:
        if not self.classes and self.when is None:
            raise DefinitionRefused(
                where="classes", found="nothing", expected="offence classes or a condition", remedy="Add one."
            )
        for name in self.classes:
            if not _CLASS.match(name):
                raise DefinitionRefused(
                    where="classes",
                    found=f"'{name}'",
                    expected="Home Office classes such as 1, 4/1, 5D or 8N",
                    remedy="Put numbers in quotes.",
                )
        if self.when is not None:
            Expression(self.when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One versioned definition of an outcome."""

    id: str
    label: str
    version: str
    date: date
    locality: str
    words: str
    source: str
    reading: str
    include: tuple[Part, ...]
    exclude: tuple[Part, ...] = ()


def definition_names(beside: Path | None = None) -> tuple[str, ...]:
    """The definitions that ship with the package, and those in the folder `beside`."""
    folders = [FOLDER, *([beside] if beside else [])]
    return tuple(
        sorted(
            {p.name.removesuffix(".definition.yaml") for f in folders for p in f.glob("*.definition.yaml")}
        )
    )


def find_definition(name: str, beside: Path | None = None) -> Definition:
    """The definition in `NAME.definition.yaml` beside the study, or else among those shipped."""
    for folder in ([beside] if beside else []) + [FOLDER]:
        path = folder / f"{name}.definition.yaml"
        if re.fullmatch(r"[a-z][a-z0-9_]*", name) and path.is_file():
            found = build(Definition, read_yaml(path), path=path.name)
            if found.id != name:
                raise DefinitionRefused(
                    where=path.name,
                    found=f"the id '{found.id}'",
                    expected=f"'{name}', after which the file is named",
                    remedy="Rename one of the two.",
                )
            return found
    known = definition_names(beside)
    raise DefinitionRefused(
        where="definition",
        found=f"'{name}'",
        expected="a definition of an outcome",
        remedy=f"{nearest(name, known)} One of your own is a file {name}.definition.yaml beside the study.",
    )


def pinned_definition(
    pinned: str, beside: Path | None = None, *, where: str, registered: bool = False
) -> Definition:
    """The definition that NAME@VERSION names, or NAME@VERSION#HASH; refused where the file at hand is another.

    HASH is the beginning of the definition's fingerprint. A registered study must give it for a definition of its own: a file
    beside the study could change under its version, and nobody would see it.
    """
    name, _, rest = pinned.partition("@")
    version, _, sha = rest.partition("#")
    found = find_definition(name, beside)
    actual = fingerprint(found)
    here = f"{name}@{found.version}#{actual[:PIN]}"
    if found.version != version:
        raise DefinitionRefused(
            where=where,
            found=f"'{pinned}', while the file at hand has version {found.version}",
            expected=f"'{name}@{found.version}'",
            remedy="Read what changed, then name the version that the study means; after registration by an amendment.",
        )
    if sha and not actual.startswith(sha):
        raise DefinitionRefused(
            where=where,
            found=f"'{pinned}', while the file at hand says something else under that version",
            expected=f"'{here}', if the file is what the study means",
            remedy="Restore the file as it was, or raise its version and name it; after registration by an amendment.",
        )
    if registered and not sha and not _is_shipped(name, beside):
        raise DefinitionRefused(
            where=where,
            found=f"'{pinned}', a definition of the study's own",
            expected=f"'{here}' in a registered study",
            remedy="Add the fingerprint: it holds the file to what was registered.",
        )
    return found


def _is_shipped(name: str, beside: Path | None) -> bool:
    own = beside is not None and (beside / f"{name}.definition.yaml").is_file()
    return not own and (FOLDER / f"{name}.definition.yaml").is_file()


def fingerprint(definition: Definition) -> str:
    """SHA-256 of what a definition says, in hexadecimal."""
    content = json.dumps(
        plain(definition), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    )
    return hashlib.sha256(content.encode()).hexdigest()


def counts_as(definition: Definition, offences: pd.DataFrame, *, code: str) -> Bools:
    """(offences,) bool: where the offence counts; `code` is the column of Home Office classes."""
    taken = np.zeros(len(offences), dtype=bool)
    for part in definition.include:
        taken |= _takes(part, offences, code)
    for part in definition.exclude:
        taken &= ~_takes(part, offences, code)
    return taken


def normal_class(codes: pd.Series) -> pd.Series:
    """Home Office classes in one spelling: upper case, no spaces, `/` before the sub-class, no leading zeros."""
    text = (
        codes.astype("str").str.upper().str.replace(" ", "", regex=False).str.replace(".", "/", regex=False)
    )
    return text.str.replace(r"^0+(?=\d)", "", regex=True)


def _takes(part: Part, offences: pd.DataFrame, code: str) -> Bools:
    if part.classes:
        names = normal_class(offences[code])
        whole = names.isin(part.classes)
        of_class = names.str.partition("/")[0].isin([name for name in part.classes if "/" not in name])
        held = (whole | of_class).to_numpy(dtype=bool)
    else:
        held = np.ones(len(offences), dtype=bool)
    if part.when is None:
        return held
    rule = Expression(part.when)
    absent = [name for name in rule.names if name not in offences.columns]
    if absent:
        raise DefinitionRefused(
            where=part.label,
            found=f"a condition on {', '.join(absent)}",
            expected="columns of the offence table",
            remedy="Ask the provider for the flag, or use a definition that does not need it.",
        )
    return held & rule.holding(offences)
