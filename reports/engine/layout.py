"""Executed Markdown to HTML, Typst and docx by pandoc, through its document tree.

The tree is changed in four ways, the ones in which Quarto reads pages differently from pandoc:
figures are numbered and take their alternative text from `fig-alt`; tables printed as raw HTML are
read for PDF and docx; callouts and blocks become blocks of the format; links between pages follow
the format's file names.
"""

from __future__ import annotations

import copy
import html
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from data_contracts.refusal import Refusal

To = Literal["html", "typst", "docx"]
READ = "markdown-tex_math_dollars-raw_html-raw_tex-citations-footnotes-example_lists-subscript-superscript"
Node = dict[str, Any]


class LayoutFailed(Refusal):
    """Pandoc or Typst did not make the page."""


def pandoc(arguments: list[str], source: str, *, cwd: Path | None = None) -> str:
    """Run the pandoc that comes with the package."""
    import pypandoc

    command = [pypandoc.get_pandoc_path(), *arguments]
    done = subprocess.run(command, input=source.encode(), capture_output=True, cwd=cwd, check=False)
    if done.returncode:
        raise LayoutFailed(
            where="pandoc",
            found=done.stderr.decode(errors="replace").strip()[-600:] or f"exit {done.returncode}",
            expected="a page",
            remedy="Check the page's source against reports/engine/SUBSET.md.",
        )
    return done.stdout.decode()


def tree(markdown: str) -> Node:
    """The document tree of executed Markdown, figures numbered."""
    document: Node = json.loads(pandoc(["-f", READ, "-t", "json"], markdown))
    _number_figures(document)
    return document


def for_format(document: Node, to: To) -> Node:
    """A copy of the tree as `to` needs it."""
    made = copy.deepcopy(document)
    if to != "html":
        _read_tables(made)
    for inline in list(_walk(made["blocks"])):
        if inline.get("t") == "Link":
            _relink(inline, to)
    made["blocks"] = _mapped(made["blocks"], _BLOCKS[to])
    return made


def as_html(document: Node) -> str:
    """The body of an HTML page."""
    return pandoc(["-f", "json", "-t", "html5", "--wrap=none"], json.dumps(for_format(document, "html")))


def as_typst(document: Node) -> str:
    """The body of a Typst document."""
    made = pandoc(["-f", "json", "-t", "typst", "--wrap=none"], json.dumps(for_format(document, "typst")))
    return made.replace("align(center)[#table(", "align(left)[#table(")


def write_docx(document: Node, path: Path, *, title: str, cwd: Path) -> None:
    """A Word document; figures are read from `cwd`."""
    made = for_format(document, "docx")
    arguments = [
        "-f",
        "json",
        "-t",
        "docx",
        "-o",
        str(path.resolve()),
        "--metadata",
        f"title={title}",
        "--metadata",
        "lang=en-GB",
    ]
    pandoc(arguments, json.dumps(made), cwd=cwd)


def headings(document: Node) -> list[tuple[str, str]]:
    """(identifier, text) of the second-level headings: the table of contents."""
    found = [b for b in _walk(document["blocks"]) if b.get("t") == "Header" and b["c"][0] == 2]
    return [(b["c"][1][0], _text(b["c"][2])) for b in found]


def _number_figures(document: Node) -> None:
    number = 0
    for node in _walk(document["blocks"]):
        if node.get("t") != "Figure":
            continue
        number += 1
        blocks = node["c"][1][1]
        if blocks:
            blocks[0]["c"][:0] = [{"t": "Str", "c": f"Figure\u00a0{number}:"}, {"t": "Space"}]
        for image in (n for n in _walk(node["c"][2]) if n.get("t") == "Image"):
            attributes = dict(image["c"][0][2])
            image["c"][0][2] = [["alt", attributes.get("fig-alt", "")]]


def _read_tables(document: Node) -> None:
    """Replace raw HTML tables by pandoc's own, all read in one go."""

    def read(block: Node) -> list[Node]:
        if block.get("t") == "RawBlock" and block["c"][0] == "html" and block["c"][1].startswith("<table"):
            return list(json.loads(pandoc(["-f", "html", "-t", "json"], block["c"][1]))["blocks"])
        return [block]

    document["blocks"] = _mapped(document["blocks"], read)


def _relink(link: Node, to: To) -> None:
    target = link["c"][2][0]
    if target.endswith(".qmd"):
        link["c"][2][0] = target.removesuffix("qmd") + {"html": "html", "typst": "pdf", "docx": "docx"}[to]


def _for_html(block: Node) -> list[Node]:
    if block.get("t") == "Div":
        classes = block["c"][0][1]
        if any(c.startswith("callout-") for c in classes):
            block["c"][0][2] = [["role", "note"]]
    return [block]


def _for_typst(block: Node) -> list[Node]:
    if block.get("t") == "Figure":
        for node in _walk(block["c"][2]):
            if node.get("t") == "Image":
                alt = dict(node["c"][0][2]).get("alt", "")
                source = node["c"][2][0]
                call = f"#image({json.dumps(source)}, width: 74%, alt: {json.dumps(alt, ensure_ascii=False)})"
                node.clear()
                node.update({"t": "RawInline", "c": ["typst", call]})
    if block.get("t") == "Table":
        for column in block["c"][2]:
            if column[0]["t"] == "AlignDefault":
                column[0] = {"t": "AlignLeft"}
    if block.get("t") == "Div":
        classes = [
            c
            for c in block["c"][0][1]
            if c in ("answer", "standing", "note", "study") or c.startswith("callout-")
        ]
        if classes:
            name = "callout" if classes[0].startswith("callout-") else classes[0]
            inside = block["c"][1]
            if name == "answer":
                inside = [_typst("#desist-lead["), inside[0], _typst("]"), *inside[1:]]
            return [_typst(f"#desist-{name}["), *inside, _typst("]")]
        return list(block["c"][1])
    return [block]


def _typst(text: str) -> Node:
    return {"t": "RawBlock", "c": ["typst", text]}


def _for_docx(block: Node) -> list[Node]:
    for node in _walk([block]):
        if node.get("t") == "Image":
            node["c"][2][0] = node["c"][2][0].removesuffix("svg") + "png"
            alt = dict(node["c"][0][2]).get("alt", "")
            node["c"][1] = [{"t": "Str", "c": alt}]
            node["c"][0][2] = [["width", "5.4in"]]
    return [block]


_BLOCKS: dict[To, Callable[[Node], list[Node]]] = {"html": _for_html, "typst": _for_typst, "docx": _for_docx}


def _mapped(blocks: list[Node], change: Callable[[Node], list[Node]]) -> list[Node]:
    """Blocks with `change` applied from the inside out."""
    out: list[Node] = []
    for block in blocks:
        if block.get("t") == "Div":
            block["c"][1] = _mapped(block["c"][1], change)
        out += change(block)
    return out


def _walk(node: Any) -> Iterator[Node]:
    if isinstance(node, dict):
        if "t" in node:
            yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)


def _text(inlines: list[Node]) -> str:
    words = [
        n["c"] if n["t"] == "Str" else " " if n["t"] in ("Space", "SoftBreak") else "" for n in _walk(inlines)
    ]
    return html.escape("".join(words))
