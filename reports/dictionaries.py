"""The data dictionaries of a site: which tables have a page, and what such a page looks up.

The dictionary of a shipped feed is read from its contract, which holds no data. A study's own contract
stays where the data are: its dictionary has passed the gate and is read from the study's release. A page
is called after its feed, or `STUDY-TABLE` where a study read a table by another contract than the feed's.
Pages find out which of these pages the site has in the folder that DESIST_DICTIONARIES names, or else in
`reports/contracts`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from data_contracts.dictionary import contract_dictionary
from data_contracts.read import feed_names, find_contract
from data_contracts.refusal import Refusal, nearest
from reports.neutral import plain_tree
from reports.values import Values, values

PLACE = "DESIST_DICTIONARIES"
COMMITTED = Path(__file__).parent / "contracts"
NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class UnknownDictionary(Refusal):
    """A dictionary that neither a feed nor a release has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    """One table's dictionary as finished texts; `study` is None for a shipped feed."""

    table: str
    study: str | None
    content: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What the contract calls the table."""
        return str(self.content["title"])

    @property
    def page(self) -> str:
        """The name of its page, without the ending."""
        return self.table if self.study is None else f"{self.study}-{self.table}"


def dictionary(table: str, study: str | None = None) -> Dictionary:
    """The dictionary of the feed `table`, or the one that the release of `study` carries for it."""
    if study is None:
        return Dictionary(table=table, study=None, content=shipped(table))
    carried = carried_by(values(study))
    if table not in carried:
        raise UnknownDictionary(
            where=f"the release of {study}",
            found=f"no dictionary of '{table}'",
            expected="a table whose dictionary the release carries",
            remedy=nearest(table, carried) if carried else "Run and release the study again.",
        )
    return Dictionary(table=table, study=study, content=carried[table])


@cache
def shipped(feed: str) -> Mapping[str, Any]:
    """The dictionary of a shipped feed."""
    made: Mapping[str, Any] = plain_tree(contract_dictionary(find_contract(feed)))
    return made


def carried_by(v: Values) -> dict[str, Mapping[str, Any]]:
    """The dictionaries in a release, by table; only names that can be a page's."""
    return {name: found for name, found in v.record.get("dictionaries", {}).items() if NAME.match(name)}


def of_study(v: Values) -> list[Dictionary]:
    """The dictionary of each table that the study read; a feed's own where it is the same.

    A release from before dictionaries were carried says only grain and controller: where both are the
    feed's of that name, the feed's dictionary stands in.
    """
    carried = carried_by(v)
    found = []
    for row in v.record.get("tables", ()):
        name = str(row["name"])
        feed = shipped(name) if name in feed_names() else None
        if name in carried and carried[name] != feed:
            found.append(Dictionary(table=name, study=v.study, content=carried[name]))
        elif feed is not None and (name in carried or _alike(row, feed)):
            found.append(Dictionary(table=name, study=None, content=feed))
    return found


def on_site(page: str) -> bool:
    """Whether this site has the page."""
    folder = Path(os.environ[PLACE]) if os.environ.get(PLACE) else COMMITTED
    return (folder / f"{page}.qmd").is_file()


def _alike(row: Mapping[str, Any], feed: Mapping[str, Any]) -> bool:
    controller = next(fact["text"] for fact in feed["facts"] if fact["label"] == "Controller")
    return bool(row["grain"] == feed["grain"] and row.get("controller") == controller)
