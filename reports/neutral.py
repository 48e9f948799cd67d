"""Text from study files made harmless where it lands: HTML, Markdown, Quarto, CSV, links.

Labels are written by people and may carry `<img onerror>`, `{{< env KEY >}}`, `=cmd` or a
`javascript:` address. They are neutralised once when they enter a release (`plain`), and escaped
again by whatever prints them (`html`, `markdown`, `csv_cell`).
"""

from __future__ import annotations

import html as _html
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_SPACE = re.compile(r"\s+")
_SCHEME = re.compile(r"(?i)\b(javascript|vbscript|data)\s*:(?=\S)")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~^$@\"'=:-])")
_OPENING = re.compile(r'(?:(?<=^)|(?<=[\s(\[]))"')
_OPENING_SINGLE = re.compile(r"(?:(?<=^)|(?<=[\s(\[]))'")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain(text: str) -> str:
    """One line of ordinary characters: no controls, no direction overrides, no shortcode, no script link."""
    visible = "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in text
        if unicodedata.category(c) not in ("Cf", "Co", "Cs", "Cn")
    )
    apart = visible.replace("{{", "{ {").replace("}}", "} }").replace("```", "` ` `")
    return _SPACE.sub(" ", _SCHEME.sub(r"\1 :", apart)).strip()


def plain_tree(node: Any) -> Any:
    """The same nested content with every text, keys included, made plain."""
    if isinstance(node, str):
        return plain(node)
    if isinstance(node, Mapping):
        return {plain(str(key)): plain_tree(item) for key, item in node.items()}
    if isinstance(node, (list, tuple)):
        return [plain_tree(item) for item in node]
    return node


def typographic(text: str) -> str:
    """Curly quotes and apostrophes; Quarto passes values as quoted literals, which straight ones would break."""
    text = _OPENING.sub("\u201c", text).replace('"', "\u201d")
    return _OPENING_SINGLE.sub("\u2018", text).replace("'", "\u2019")


def html(text: str) -> str:
    """`text` as it stands between HTML tags or in a quoted attribute."""
    return _html.escape(plain(text), quote=True)


def markdown(text: str) -> str:
    """`text` as Markdown that shows exactly these characters."""
    return _MARKDOWN.sub(r"\\\1", plain(text))


def attribute(text: str) -> str:
    """`text` as a quoted attribute in Pandoc's Markdown."""
    return plain(text).replace("\\", "\\\\").replace('"', "'")


def csv_cell(text: str) -> str:
    """`text` that a spreadsheet shows and never computes; numbers such as -0.5 stay numbers."""
    safe = plain(text)
    if not safe.startswith(_FORMULA):
        return safe
    try:
        float(safe)
    except ValueError:
        return "'" + safe
    return safe
