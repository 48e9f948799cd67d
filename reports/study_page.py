"""The page of a study, from one template: front matter, the look-up of its values, and the sections.

`reports/studies/ID.qmd` is this text for a shipped study; `desist render` writes the same text for
any study that has a release, so that a study from outside the repository gets the same page.
"""

from __future__ import annotations

import re
from pathlib import Path

from reports.neutral import plain

SECTIONS = Path(__file__).parent / "sections"
_NAME = re.compile(r"^_\d\d_[a-z_]+\.qmd$")


def section_files() -> tuple[Path, ...]:
    """The sections in the order of their numbers."""
    return tuple(sorted(path for path in SECTIONS.glob("_*.qmd") if _NAME.match(path.name)))


def study_page(study: str, title: str) -> str:
    """The page's source; `study` is an id, `title` the study's own."""
    quoted = plain(title).replace("\\", "\\\\").replace('"', '\\"')
    includes = "\n\n".join(f"{{{{< include ../sections/{path.name} >}}}}" for path in section_files())
    return f"""---
title: "{quoted}"
---

```{{python}}
#| include: false
from reports import figures, tables
from reports.values import values

v = values("{study}")
```

{includes}
"""
