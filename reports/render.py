"""Render a release to a site: HTML pages, PDFs and Word documents, by Quarto or by the embedded engine.

The site is made whole in a folder beside its place and then renamed into it: an interruption leaves
what was there as it was. `RenderReport` says which engine ran.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from data_contracts.refusal import Refusal, nearest
from data_contracts.whole_folder import whole_folder
from reports.engine.quarto import QuartoFailed, find_quarto, quarto_version, render_quarto
from reports.release import read_releases

FORMATS = ("html", "pdf", "docx")
ENGINES = ("auto", "quarto", "embedded")
MARKER = "desist-site.json"


class RenderRefused(Refusal):
    """A render that was asked for in a way that makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderReport:
    """What was made, by which engine, in how long."""

    engine: str
    engine_version: str
    out: Path
    studies: tuple[str, ...]
    formats: tuple[str, ...]
    pages: tuple[str, ...]
    seconds: float
    note: str = ""
    """Why the engine that was asked for did not serve, if so."""

    def sentence(self) -> str:
        """For people: which engine ran, and where the site is."""
        return (
            f"Rendered {len(self.pages)} pages with {self.engine} {self.engine_version} "
            f"in {self.seconds:.1f} s: {self.out / 'index.html' if 'html' in self.formats else self.out}"
            + (f" ({self.note})" if self.note else "")
        )


def silent(_: str) -> None:
    """Report nothing."""


def render(
    rel_dir: Path,
    to: Sequence[str] | str,
    engine: str,
    out: Path,
    *,
    progress: Callable[[str], None] = silent,
) -> RenderReport:
    """Render the release in `rel_dir`, or the releases in its folders, to the site `out`.

    `to` are formats (`html`, `pdf`, `docx`), as a list or with commas; `engine` is `auto` (Quarto
    where it is installed), `quarto` or `embedded`.
    """
    started = time.monotonic()
    formats = _formats(to)
    chosen = _engine(engine)
    releases = read_releases(Path(rel_dir))
    from reports.engine.embedded import render_embedded
    from reports.engine.project import prepare

    with (
        whole_folder(Path(out), marker=MARKER) as site,
        tempfile.TemporaryDirectory(prefix="desist-render-") as name,
    ):
        work = Path(name).resolve() / "pages"
        work.mkdir()
        progress(f"rendering with {chosen}")
        pages = prepare(work, releases, formats)
        note = ""
        if chosen == "quarto":
            try:
                render_quarto(work, site, pages, release_folder=Path(rel_dir), progress=progress)
                found = quarto_version(find_quarto() or "quarto")
            except QuartoFailed as error:
                if engine == "quarto":
                    raise
                chosen, note = "embedded", f"Quarto was found but failed: {error.found}"
                progress(f"{note}; rendering with the embedded engine instead")
        if chosen == "embedded":
            render_embedded(
                work, site, pages, releases, formats, release_folder=Path(rel_dir), progress=progress
            )
            found = version("desist")
        suffixes = tuple(f".{kind}" for kind in formats)
        made = tuple(sorted(str(p.relative_to(site)) for p in site.rglob("*") if p.suffix in suffixes))
        content = {
            "engine": chosen,
            "engine_version": found,
            "formats": list(formats),
            "studies": {r.study: r.fingerprint for r in releases},
        }
        (site / MARKER).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return RenderReport(
        engine=chosen,
        engine_version=found,
        out=Path(out),
        studies=tuple(r.study for r in releases),
        formats=formats,
        pages=made,
        seconds=round(time.monotonic() - started, 2),
        note=note,
    )


def _formats(to: Sequence[str] | str) -> tuple[str, ...]:
    asked = [part.strip() for part in to.split(",")] if isinstance(to, str) else list(to)
    for name in asked:
        if name not in FORMATS:
            raise RenderRefused(
                where="to", found=f"'{name}'", expected="formats", remedy=nearest(name, FORMATS)
            )
    return tuple(name for name in FORMATS if name in asked)


def _engine(engine: str) -> str:
    if engine not in ENGINES:
        raise RenderRefused(
            where="engine", found=f"'{engine}'", expected="an engine", remedy=nearest(engine, ENGINES)
        )
    if engine == "quarto" and find_quarto() is None:
        raise QuartoFailed(
            where="engine",
            found="no `quarto` on the PATH",
            expected="an installed Quarto",
            remedy="Install it from quarto.org, or use --engine auto or embedded.",
        )
    if engine == "auto":
        return "quarto" if find_quarto() else "embedded"
    return engine
