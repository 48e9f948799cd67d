"""Tables that a screen reader can walk: a caption, scoped headers, nothing fetched from anywhere.

great_tables lays the table out; its styles, random ids and fonts are left behind, and the table is
printed as a raw HTML block, which Quarto and the embedded engine both read for PDF and docx. The
block is one line, so that no label can close its fence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from reports.neutral import attribute, html, markdown, plain, typographic

_TAG = re.compile(r"<(/?)(table|thead|tbody|tr|th|td)\b([^>]*)>")
_KEPT = re.compile(r'\b(scope|colspan|rowspan)="([^"]*)"')
_TABLE = re.compile(r"<table\b.*?</table>", re.S)
_SPACE = re.compile(r"\s*\n\s*")


def table(
    rows: Sequence[Mapping[str, str]],
    *,
    caption: str,
    heads: Mapping[str, str],
    numbers: Sequence[str] = (),
    note: str = "",
) -> str:
    """Markdown that shows `rows` as a table.

    `heads` maps the keys of the rows to column headings; the first column heads its row. `numbers`
    are the columns set flush right. `note` is a line below the table.
    """
    if not rows:
        return ""
    import pandas as pd
    from great_tables import GT

    keys = list(heads)
    safe = [{key: typographic(plain(str(row.get(key, "")))) or "\u00a0" for key in keys} for row in rows]
    frame = pd.DataFrame(safe, columns=keys, dtype="str")
    made = (
        GT(frame, rowname_col=keys[0], id="desist")
        .tab_stubhead(label=plain(heads[keys[0]]))
        .cols_label(cases={key: plain(heads[key]) for key in keys[1:]})
        .cols_align(align="left")
    )
    if numbers:
        made = made.cols_align(align="right", columns=list(numbers))
    found = _TABLE.search(made.as_raw_html())
    assert found is not None
    lean = _TAG.sub(_lean, _SPACE.sub("", found.group(0)))
    lean = lean.replace("<table>", f"<table><caption>{html(typographic(caption))}</caption>", 1)
    block = f"```{{=html}}\n{lean}\n```"
    wide = f'::: {{.wide role="region" tabindex="0" aria-label="{attribute(caption)}"}}\n{block}\n:::\n'
    return f"\n{wide}\n{_note(note)}"


def _lean(tag: re.Match[str]) -> str:
    close, name, attributes = tag.groups()
    if close:
        return f"</{name}>"
    kept = [f'{key}="{value}"' for key, value in _KEPT.findall(attributes) if value != "1"]
    if name in ("th", "td") and "gt_right" in attributes:
        kept.append('style="text-align: right"')
    return f"<{' '.join([name, *kept])}>"


def _note(note: str) -> str:
    return f"::: {{.note}}\n{markdown(typographic(note))}\n:::\n\n" if note else ""
