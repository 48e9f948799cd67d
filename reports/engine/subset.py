"""Pages in the subset of Quarto that both engines understand: parsed strictly, or refused with file and line.

SUBSET.md beside this file says what the subset is. `read_page` resolves includes and returns the
page's parts in order: prose, with the expressions in it, and cells.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_contracts.refusal import Refusal
from data_contracts.safe_yaml import parse_yaml

FRONT = frozenset({"title", "subtitle", "description", "format"})
SCREEN = "html"
"""The one format that a page may name: such a page has no PDF and no Word document."""
BLOCKS = frozenset(
    {
        "answer", "standing", "note", "wide", "study", "callout-note", "callout-tip", "callout-important",
        "callout-warning", "callout-caution",
    }
)  # fmt: skip
INLINE = re.compile(r"`\{python\} ([^`]+)`")
LOOKUP = re.compile(r'^v\("([a-z0-9_.]+)"\)$')
_INCLUDE = re.compile(r"^\{\{< include (\S+) >\}\}$")
_CELL = re.compile(r"^```\{python\}$")
_FENCE = re.compile(r"^(```|~~~)")
_DIV = re.compile(r"^:{3,}\s*(?:\{([^}]*)\}|(\S+))?\s*$")
_HTML = re.compile(r"<[a-zA-Z!/][^>]*>")
_DIGIT = re.compile(r"\d")
_HEADING_ID = re.compile(r"\{#[a-z_-]+\}\s*$")
_SETUP = (
    r"v = values\('[a-z][a-z0-9_]*'\)",
    r"d = dictionary\('[a-z][a-z0-9_]*'(, study='[a-z][a-z0-9_]*')?\)",
)
_OPTIONS = {("output", "asis"), ("include", "false")}


class OutsideSubset(Refusal):
    """A page that uses more of Quarto than both engines understand, or that computes or types a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Markdown, with inline look-ups still in it."""

    text: str
    where: str

    @property
    def expressions(self) -> tuple[str, ...]:
        """The inline expressions, in order."""
        return tuple(INLINE.findall(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Python; `shown` says whether what it prints goes into the page."""

    code: str
    shown: bool
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page with its includes in place."""

    path: Path
    front: dict[str, Any]
    parts: tuple[Prose | Cell, ...]

    @property
    def screen_only(self) -> bool:
        """Whether the page is HTML in every site, whatever formats the other pages have."""
        return "format" in self.front

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that the page looks up."""
        found = [e for part in self.parts if isinstance(part, Prose) for e in part.expressions]
        return tuple(m.group(1) for e in found if (m := LOOKUP.match(e)))


def read_page(path: Path) -> Page:
    """The page at `path`; anything outside the subset is refused with its file and line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    front: dict[str, Any] = {}
    start = 0
    if lines and lines[0] == "---":
        end = lines.index("---", 1)
        front = parse_yaml("\n".join(lines[1:end]), name=path.name) or {}
        start = end + 1
    for key in front:
        if key not in FRONT:
            raise _outside(path, 1, f"the front matter key '{key}'", "title, subtitle, description or format")
    if front.get("format", SCREEN) != SCREEN:
        raise _outside(path, 1, f"the format '{front['format']}'", "`format: html`, or the site's formats")
    return Page(path=path, front=front, parts=tuple(_parts(path, lines, start, nested=False)))


def _parts(path: Path, lines: list[str], start: int, *, nested: bool) -> list[Prose | Cell]:
    parts: list[Prose | Cell] = []
    prose: list[str] = []
    first = n = start

    def flush() -> None:
        if any(line.strip() for line in prose):
            parts.append(Prose(text="\n".join(prose), where=f"{path.name}, line {first + 1}"))
        prose.clear()

    while n < len(lines):
        line = lines[n]
        if _CELL.match(line):
            flush()
            end = next((k for k in range(n + 1, len(lines)) if lines[k] == "```"), None)
            if end is None:
                raise _outside(path, n, "a cell that does not end", "three backticks on a line of their own")
            parts.append(_cell(path, n, lines[n + 1 : end]))
            n = first = end + 1
            continue
        include = _INCLUDE.match(line)
        if include:
            if nested:
                raise _outside(path, n, "an include inside an included file", "includes in pages only")
            flush()
            inner = (path.parent / include.group(1)).resolve()
            if not inner.is_file():
                raise _outside(path, n, f"an include of {include.group(1)}, which is not there", "a section")
            parts += _parts(inner, inner.read_text(encoding="utf-8").splitlines(), 0, nested=True)
            n = first = n + 1
            continue
        _check_line(path, n, line)
        prose.append(line)
        n += 1
    flush()
    return parts


def _check_line(path: Path, n: int, line: str) -> None:
    """Refuse what prose may not hold."""
    if "{{<" in line:
        raise _outside(path, n, "a shortcode other than include", "no shortcode")
    if _FENCE.match(line):
        raise _outside(path, n, "a code or raw block", "python cells only")
    div = _DIV.match(line)
    if div:
        classes = {word.lstrip(".") for word in (div.group(1) or div.group(2) or "").split()}
        if classes - BLOCKS:
            raise _outside(
                path, n, f"a block {sorted(classes - BLOCKS)}", f"one of {', '.join(sorted(BLOCKS))}"
            )
        return
    for expression in re.findall(r"`\{([^`]*)`", line):
        match = re.fullmatch(r"python\} (.+)", expression)
        if match is None or not LOOKUP.match(match.group(1)):
            raise _outside(path, n, "inline code that is not a look-up", '`{python} v("key")`')
    text = _HEADING_ID.sub("", INLINE.sub("", line))
    if _HTML.search(text):
        raise _outside(path, n, "raw HTML", "Markdown")
    if "$" in text or "[^" in text or "](http" in text:
        raise _outside(path, n, "math, a footnote or an outside link", "plain text")
    if _DIGIT.search(text):
        raise _outside(path, n, "a typed digit", "a look-up: nobody types a number")


def _cell(path: Path, n: int, body: list[str]) -> Cell:
    options = [line for line in body if line.startswith("#|")]
    code = [line for line in body if not line.startswith("#|") and line.strip()]
    pairs = {tuple(part.strip() for part in line[2:].split(":", 1)) for line in options}
    where = f"{path.name}, line {n + 1}"
    if pairs == {("include", "false")}:
        _check_setup(path, n, code)
        return Cell(code="\n".join(code), shown=False, where=where)
    if pairs != {("output", "asis")}:
        raise _outside(path, n, "cell options other than one of these", "output: asis, or include: false")
    _check_output(path, n, code)
    return Cell(code="\n".join(code), shown=True, where=where)


def _check_setup(path: Path, n: int, code: list[str]) -> None:
    for node in ast.parse("\n".join(code)).body:
        text = ast.unparse(node)
        from_reports = isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "reports"
        if not from_reports and not any(re.fullmatch(form, text) for form in _SETUP):
            raise _outside(
                path,
                n,
                f"`{text}` in a set-up cell",
                "imports from reports, v = values(...), d = dictionary(...)",
            )


def _check_output(path: Path, n: int, code: list[str]) -> None:
    text = "\n".join(code)
    forms = (
        r"print\(tables\.[a-z_]+\([vd]?\)\)",
        r'print\(figures\.show\("[a-z_]+", v\)\)',
    )
    if not any(re.fullmatch(form, text) for form in forms):
        raise _outside(
            path, n, "a cell that does more than print one table or figure", "print(tables.NAME(v))"
        )


def _outside(path: Path, line: int, found: str, expected: str) -> OutsideSubset:
    return OutsideSubset(
        where=f"{path.name}, line {line + 1}",
        found=found,
        expected=expected,
        remedy="What pages may use is written in reports/engine/SUBSET.md.",
    )
