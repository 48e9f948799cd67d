"""The page of a data dictionary, from one template: the table, its columns, its codes and who may see what.

`reports/contracts/FEED.qmd` is this text for a shipped feed; `desist render` writes the same text for a
table that a study read by a contract of its own. After a feed is added or renamed,
`python -m reports.dictionary_page` writes the committed pages anew. The page is for the screen alone: a dictionary is looked
up and searched, never read through or cited by page, and each further format runs every page once more.
"""

from __future__ import annotations

from data_contracts.read import feed_names
from reports.dictionaries import COMMITTED, Dictionary, dictionary
from reports.neutral import plain


def dictionary_page(d: Dictionary) -> str:
    """The page's source."""
    quoted = plain(d.title).replace("\\", "\\\\").replace('"', '\\"')
    looked_up = f'"{d.table}"' if d.study is None else f'"{d.table}", study="{d.study}"'
    return f"""---
title: "{quoted}"
format: html
---

```{{python}}
#| include: false
from reports import tables
from reports.dictionaries import dictionary

d = dictionary({looked_up})
```

This is the data dictionary of one table, as its contract declares it. A contract holds no data: it says what
a file must keep before anything is computed from it. [All data dictionaries](index.qmd)

## The table {{#table}}

{_printed("about")}

### Rules between columns {{#rules}}

{_printed("rules")}

### Recording breaks {{#breaks}}

{_printed("breaks")}

### Published sources {{#sources}}

{_printed("origins")}

## Columns {{#columns}}

{_printed("columns")}

## Allowed values {{#values}}

{_printed("allowed")}

{_printed("codes")}

## Who may see what {{#disclosure}}

{_printed("handling")}
"""


def _printed(name: str) -> str:
    return f"```{{python}}\n#| output: asis\nprint(tables.{name}(d))\n```"


if __name__ == "__main__":
    for name in feed_names():
        (COMMITTED / f"{name}.qmd").write_text(dictionary_page(dictionary(name)), encoding="utf-8")
