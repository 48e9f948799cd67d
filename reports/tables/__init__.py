"""Tables for pages: each takes the values of a study, or a data dictionary, and returns Markdown to print.

A page calls them, one to a cell, as `print(tables.glance(v))`; a cell of a table is a finished text
from the release, and a function whose study has nothing to show returns a plain sentence that says so.
"""

from __future__ import annotations

from reports.tables.bayesian import belief, prior_sensitivity
from reports.tables.checks import attrition, balance, checks
from reports.tables.declared import deviations, estimands, outcomes, plan
from reports.tables.definitions import by_definition, definitions
from reports.tables.dictionary import about, allowed, breaks, codes, columns, handling, origins, rules
from reports.tables.groups import groups
from reports.tables.listing import dictionaries, further, notice, sources, studies
from reports.tables.people import flow
from reports.tables.provenance import data, fingerprints, links, recording, versions, withheld
from reports.tables.results import analyses, glance, secondary

__all__ = [
    "about",
    "allowed",
    "analyses",
    "attrition",
    "balance",
    "belief",
    "breaks",
    "by_definition",
    "checks",
    "codes",
    "columns",
    "data",
    "definitions",
    "deviations",
    "dictionaries",
    "estimands",
    "fingerprints",
    "flow",
    "further",
    "glance",
    "groups",
    "handling",
    "links",
    "notice",
    "origins",
    "outcomes",
    "plan",
    "prior_sensitivity",
    "recording",
    "rules",
    "secondary",
    "sources",
    "studies",
    "versions",
    "withheld",
]
