"""Tables for pages: each function takes the values of a study and returns Markdown to print.

A page calls them, one to a cell, as `print(tables.glance(v))`; a cell of a table is a finished text
from the release, and a function whose study has nothing to show returns a plain sentence that says so.
"""

from __future__ import annotations

from reports.tables.bayesian import belief, prior_sensitivity
from reports.tables.checks import attrition, balance, checks
from reports.tables.declared import deviations, estimands, plan
from reports.tables.groups import groups
from reports.tables.listing import notice, sources, studies
from reports.tables.people import flow
from reports.tables.provenance import data, fingerprints, links, versions, withheld
from reports.tables.results import analyses, glance, secondary

__all__ = [
    "analyses",
    "attrition",
    "balance",
    "belief",
    "checks",
    "data",
    "deviations",
    "estimands",
    "fingerprints",
    "flow",
    "glance",
    "groups",
    "links",
    "notice",
    "plan",
    "prior_sensitivity",
    "secondary",
    "sources",
    "studies",
    "versions",
    "withheld",
]
