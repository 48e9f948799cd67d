"""The embedded engine: cells by nbclient, layout by pandoc and typst, everything from installed packages."""

from __future__ import annotations

import html
import json
import shutil
import string
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reports.engine.execute import execute
from reports.engine.layout import LayoutFailed, as_html, as_typst, headings, tree, write_docx
from reports.engine.project import environment
from reports.engine.subset import Page, read_page
from reports.release import Release

HERE = Path(__file__).parent
FOOTERS = {
    False: "Every number on this page was looked up in a release that passed a disclosure gate.",
    True: "Everything on this page was looked up in the contract of a table, which holds no data.",
}
"""By whether the page is a data dictionary."""
FORMATS = {"html": "HTML", "pdf": "PDF", "docx": "Word"}


def render_embedded(
    work: Path,
    site: Path,
    pages: Sequence[Path],
    releases: Sequence[Release],
    formats: Sequence[str],
    *,
    release_folder: Path,
    progress: Callable[[str], None],
) -> None:
    """Render the project in `work` into the folder `site`."""
    read = [read_page(path) for path in pages]
    progress("running the cells of the pages")
    texts = execute(
        read, cwd=work, environment={**environment(work, release_folder), "DESIST_FIGURE_FORMAT": "both"}
    )
    (site / "studies").mkdir(parents=True)
    if "html" in formats:
        (site / "contracts").mkdir()
    shutil.copytree(work / "studies" / "figures", site / "studies" / "figures")
    for path in site.rglob("figures/*/*.png"):
        path.unlink()
    for page, text in zip(read, texts, strict=True):
        place = page.path.relative_to(work)
        progress(f"laying out {place.with_suffix('')}")
        document = tree(text)
        own = ("html",) if page.screen_only else formats
        if "html" in formats:
            made = _html_page(document, page, place, own)
            (site / place.with_suffix(".html")).write_text(made, encoding="utf-8")
        if "pdf" in own:
            (site / place.with_suffix(".pdf")).write_bytes(_pdf(document, page))
        if "docx" in own:
            title = str(page.front.get("title", ""))
            write_docx(document, site / place.with_suffix(".docx"), title=title, cwd=page.path.parent)
    if "html" in formats:
        shutil.copyfile(work / "site.css", site / "site.css")
        shutil.copyfile(HERE / "page.css", site / "page.css")
    else:
        shutil.rmtree(site / "studies" / "figures")


def _html_page(document: dict[str, Any], page: Page, place: Path, formats: Sequence[str]) -> str:
    root = "../" * (len(place.parts) - 1)
    title = str(page.front.get("title", "Desist"))
    others = [
        f'<a href="{place.with_suffix("." + kind).name}">{FORMATS[kind]}</a>'
        for kind in formats
        if kind != "html"
    ]
    pages = {"Evaluations": "index.html", "Data dictionaries": "contracts/index.html"}
    nav = "".join([f'<a href="{root}{to}">{name}</a>' for name, to in pages.items()] + others)
    found = [(i, text) for i, text in headings(document) if i] if len(place.parts) > 1 else []
    items = "".join(f'<li><a href="#{html.escape(i)}">{text}</a></li>' for i, text in found)
    contents = (
        f'<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>{items}</ul></nav>'
        if items
        else ""
    )
    source = string.Template((HERE / "page.html").read_text(encoding="utf-8"))
    return source.substitute(
        title=html.escape(title),
        heading=html.escape(title),
        root=root,
        nav=nav,
        contents=contents,
        body=as_html(document),
        footer=FOOTERS[place.parts[0] == "contracts"],
    )


def typst_source(document: dict[str, Any], page: Page) -> str:
    """The whole Typst source of a page's PDF."""
    title = str(page.front.get("title", "Desist"))
    source = string.Template((HERE / "page.typ").read_text(encoding="utf-8"))
    return source.substitute(title=f"#{json.dumps(title, ensure_ascii=False)}", body=as_typst(document))


def _pdf(document: dict[str, Any], page: Page) -> bytes:
    import typst

    path = page.path.with_suffix(".typ")
    path.write_text(typst_source(document, page), encoding="utf-8")
    try:
        made = typst.compile(
            str(path), root=str(page.path.parent), pdf_standards="ua-1", ignore_system_fonts=True
        )
    except Exception as error:
        raise LayoutFailed(
            where=f"{path.name}",
            found=str(error).strip()[-600:],
            expected="a page that Typst sets as an accessible PDF (PDF/UA-1)",
            remedy="Check figures for alternative text and headings for skipped levels.",
        ) from None
    return bytes(made)
