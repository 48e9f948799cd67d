"""Rendering: whole or not at all, which engine ran, and what a rendered site holds."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from data_contracts.dictionary import contract_dictionary
from data_contracts.disclosure import default_policy, load_policy
from data_contracts.odcs import loads_contract
from data_contracts.read import feed_names, find_contract
from data_contracts.refusal import Refusal
from reports import render as render_module
from reports.engine import quarto
from reports.engine.embedded import render_embedded
from reports.engine.project import prepare
from reports.release import Release, read_releases, release
from reports.render import MARKER, render
from small_contract import SMALL
from synthetic_run import run_content, write_run

SECRETS = ("7 of 41", "17.1%", "0.1707", "CANARY")


def hostile_content() -> tuple[dict[str, Any], dict[str, Any]]:
    """A study from elsewhere with a cell of seven and labels written by an enemy."""
    findings, evidence = run_content(people=(41, 43), events=(7, 19))
    findings["study"] = evidence["study"] = evidence["protocol"]["id"] = "study_from_elsewhere"
    evidence["protocol"]["title"] = 'A "quoted" study: <script>alert(1)</script> #1 {{< env HOME >}}'
    evidence["protocol"]["arms"]["financial_aid"]["label"] = (
        "Mentoring <img src=x onerror=alert(2)> $x$ *bold*"
    )
    evidence["protocol"]["sources"] = ["[click](javascript:alert(3))", "=cmd|' /C calc'!A1"]
    findings["estimates"][0]["extra"]["secret"] = "CANARY"
    text = SMALL.replace(
        "description: Last day.", "description: 'Last <img src=x onerror=alert(4)> {{< env HOME >}} *day*'"
    )
    evidence["tables"].append({**evidence["tables"][0], "name": "small"})
    evidence["dictionaries"] = {"small": contract_dictionary(loads_contract(text, name="small.odcs.yaml"))}
    return findings, evidence


def life_content() -> tuple[dict[str, Any], dict[str, Any]]:
    """The LIFE run, whose evidence carries the dictionary of its table as the feed has it."""
    findings, evidence = run_content()
    name = "life_release_cohort"
    evidence["dictionaries"] = {name: contract_dictionary(find_contract(name))}
    return findings, evidence


@dataclass(frozen=True)
class Site:
    work: Path
    folder: Path
    releases: tuple[Release, ...]

    def page(self, study: str) -> str:
        return (self.folder / "studies" / f"{study}.html").read_text(encoding="utf-8")

    def dictionary(self, page: str) -> str:
        return (self.folder / "contracts" / f"{page}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Two studies rendered once by the embedded engine, in all formats."""
    base = tmp_path_factory.mktemp("site")
    rel = base / "releases"
    release(write_run(base / "run", *life_content()), load_policy("open_data"), rel / "life")
    release(write_run(base / "run2", *hostile_content()), default_policy(), rel / "other")
    releases = read_releases(rel)
    work, out = base / "work", base / "out"
    work.mkdir()
    out.mkdir()
    formats = ("html", "pdf", "docx")
    pages = prepare(work, releases, formats)
    render_embedded(work, out, pages, releases, formats, release_folder=rel, progress=lambda _: None)
    return Site(work, out, releases)


class Walker(HTMLParser):
    """What an assistive reader would meet: tables, headers, captions, images, addresses, headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables = self.captions = 0
        self.unscoped: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.addresses: list[str] = []
        self.headings: list[int] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.language: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.tables += tag == "table"
        self.captions += tag == "caption"
        if tag == "th" and given.get("scope") not in ("col", "row"):
            self.unscoped.append(str(given))
        if tag == "img":
            self.images.append(given)
        if tag == "html":
            self.language = given.get("lang")
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.addresses += [str(given[key]) for key in ("href", "src") if key in given]
        self.handlers += [key for key in given if key.startswith("on")]


@pytest.mark.parametrize("study", ["baltimore_life", "study_from_elsewhere"])
def test_tables_have_captions_and_scoped_headers_and_figures_have_alternative_text(
    site: Site, study: str
) -> None:
    seen = Walker(site.page(study))
    assert seen.tables >= 8
    assert seen.captions == seen.tables
    assert not seen.unscoped
    assert seen.images
    assert all(len(image.get("alt") or "") > 40 for image in seen.images)
    assert seen.language == "en-GB"
    assert seen.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(seen.headings, seen.headings[1:], strict=False))


@pytest.mark.parametrize("page", ["index", *feed_names(), "study_from_elsewhere-small"])
def test_a_data_dictionary_can_be_walked_and_leads_nowhere_outside(site: Site, page: str) -> None:
    seen = Walker(site.dictionary(page))
    assert seen.tables == seen.captions
    assert seen.tables >= (4 if page != "index" else 0)
    assert not seen.unscoped
    assert not seen.handlers
    assert not {"script", "img"} & seen.tags
    assert seen.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(seen.headings, seen.headings[1:], strict=False))
    for address in seen.addresses:
        assert address.startswith("#") or (site.folder / "contracts" / address).resolve().is_file(), address


def test_a_study_leads_to_the_dictionaries_of_its_tables(site: Site) -> None:
    assert 'href="../contracts/life_release_cohort.html"' in site.page("baltimore_life")
    elsewhere = site.page("study_from_elsewhere")
    assert 'href="../contracts/study_from_elsewhere-small.html"' in elsewhere
    assert "the feed of that name" not in site.page("baltimore_life")
    listed = Walker(site.dictionary("index")).addresses
    assert {f"{name}.html" for name in [*feed_names(), "study_from_elsewhere-small"]} <= set(listed)
    assert 'href="contracts/index.html"' in (site.folder / "index.html").read_text(encoding="utf-8")


def test_a_studys_own_contract_is_shown_as_it_was_written_and_never_run(site: Site) -> None:
    text = site.dictionary("study_from_elsewhere-small")
    assert "Last &lt;img src=x onerror=alert(4)&gt; { {&lt; env HOME &gt;} } *day*" in text
    assert "release that passed" not in text


def test_dictionaries_are_for_the_screen_alone(site: Site) -> None:
    assert {path.suffix for path in (site.folder / "contracts").iterdir()} == {".html"}
    assert ">PDF</a>" not in site.dictionary("offences")
    assert ">PDF</a>" in site.page("baltimore_life")


@pytest.mark.parametrize("study", ["baltimore_life", "study_from_elsewhere"])
def test_nothing_is_fetched_from_anywhere(site: Site, study: str) -> None:
    seen = Walker(site.page(study))
    for address in seen.addresses:
        assert not re.match(r"(?i)(https?:)?//|data:|javascript:", address), address
        if not address.startswith("#"):
            assert (site.folder / "studies" / address).resolve().is_file(), address
    styles = " ".join(path.read_text() for path in site.folder.glob("*.css"))
    assert "http" not in styles
    assert "@import" not in styles
    assert "script" not in seen.tags


def test_every_sheet_and_script_stays_out_of_hostile_labels(site: Site) -> None:
    text = site.page("study_from_elsewhere")
    seen = Walker(text)
    assert not seen.handlers
    assert "{{<" not in text
    assert "<b>" not in text
    assert "*bold*" in text, "a label is shown as it was written, never read as Markdown"
    assert 'href="javascript' not in text


def test_withheld_values_are_in_no_file(site: Site) -> None:
    hidden = [
        p for p in [*site.folder.rglob("*"), *site.work.rglob("*")] if p.is_file() and "elsewhere" in str(p)
    ]
    assert any(p.suffix == ".typ" for p in hidden)
    for path in hidden:
        if path.suffix == ".docx":
            with zipfile.ZipFile(path) as archive:
                raw = b"\n".join(archive.read(name) for name in archive.namelist())
        else:
            raw = path.read_bytes()
        for secret in SECRETS:
            assert secret.encode() not in raw, f"{secret} in {path.name}"
    assert "[c]" in site.page("study_from_elsewhere")
    drawn = {p.stem for p in (site.folder / "studies/figures/study_from_elsewhere").glob("*.svg")}
    assert drawn == {"flow", "balance"}, "nothing is drawn from a withheld result"


def test_pdf_and_docx_say_the_same_numbers_as_the_page(site: Site) -> None:
    source = (site.work / "studies/baltimore_life.typ").read_text(encoding="utf-8").replace("\\", "")
    values = next(r for r in site.releases if r.study == "baltimore_life").values
    with zipfile.ZipFile(site.folder / "studies/baltimore_life.docx") as archive:
        word = re.sub(r"<[^>]+>", "", archive.read("word/document.xml").decode())
    page = re.sub(r"<[^>]+>", "", site.page("baltimore_life"))
    for key in ("primary.answer", "primary.interval", "agreement.sentence", "estimate.bayesian.interval"):
        text = " ".join(values(key).replace("\u2019", "'").split())
        for form in (source, word, page):
            assert text in " ".join(form.replace("\u2019", "'").split()), key
    assert (site.folder / "studies/baltimore_life.pdf").read_bytes().startswith(b"%PDF")


def test_the_index_lists_every_study_with_its_answer_and_a_link(site: Site) -> None:
    text = (site.folder / "index.html").read_text(encoding="utf-8")
    for found in site.releases:
        assert f'href="studies/{found.study}.html"' in text
    assert "8 fewer men re-arrested in every hundred" in text
    assert "Retrospective re-analysis" in text


def test_figures_are_the_same_bytes_in_two_draws_and_carry_no_metadata(site: Site) -> None:
    from reports.figures import draw

    v = site.releases[0].values
    for name in ("primary", "flow", "survival"):
        one = draw(name, v).as_bytes("svg")
        assert one == draw(name, v).as_bytes("svg")
        assert b"dc:date" not in one
        assert b"Matplotlib" not in one.split(b"<defs")[0].replace(b"Created with matplotlib", b"")


def test_a_figure_shows_itself_in_a_notebook_with_its_alternative_text(site: Site) -> None:
    from reports.figures.named import figure

    shown = figure("effects", site.releases[0].values)._repr_html_()
    assert 'alt="Estimates with intervals' in shown
    with pytest.raises(Refusal, match="primary"):
        figure("primry", site.releases[0].values)


@pytest.fixture
def rel(tmp_path: Path) -> Path:
    release(write_run(tmp_path / "run", *run_content()), load_policy("open_data"), tmp_path / "rel")
    return tmp_path / "rel"


def test_an_interruption_leaves_the_old_site_whole(
    rel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (out / MARKER).write_text("{}")
    (out / "index.html").write_text("the old site")

    def stopped(work: Path, site: Path, *args: Any, **more: Any) -> None:
        (site / "index.html").write_text("half of the new site")
        raise KeyboardInterrupt

    monkeypatch.setattr("reports.engine.embedded.render_embedded", stopped)
    with pytest.raises(KeyboardInterrupt):
        render(rel, "html", "embedded", out)
    assert (out / "index.html").read_text() == "the old site"
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_an_interruption_while_cells_run_is_told_as_one(tmp_path: Path) -> None:
    from reports.engine.execute import execute
    from reports.engine.subset import Cell, Page

    code = "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(60)"
    cell = Cell(code=code, shown=True, where="page.qmd, line 1")
    page = Page(path=tmp_path / "page.qmd", front={}, parts=(cell,))
    with pytest.raises(KeyboardInterrupt):
        execute([page], cwd=tmp_path, environment={})


def test_a_folder_that_is_not_a_site_is_never_replaced(rel: Path, tmp_path: Path) -> None:
    out = tmp_path / "papers"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(Refusal, match="other content"):
        render(rel, "html", "embedded", out)
    assert (out / "thesis.txt").read_text() == "years of work"


def test_quarto_is_used_where_it_is_found_and_refused_by_name_where_not(
    rel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_module, "find_quarto", lambda: None)
    with pytest.raises(Refusal, match="--engine"):
        render(rel, "html", "quarto", tmp_path / "site")
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "quarto"
    command.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = --version ]; then echo 9.9.9; exit 0; fi\n'
        'test -f _quarto.yml && test -f studies/baltimore_life.qmd && test -n "$DESIST_RELEASE" || exit 3\n'
        "mkdir -p _site/studies && cp _quarto.yml _site/config.txt && echo made > _site/index.html\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(render_module, "find_quarto", quarto.find_quarto)
    report = render(rel, "html,pdf", "auto", tmp_path / "site")
    assert (report.engine, report.engine_version) == ("quarto", "9.9.9")
    assert (tmp_path / "site" / "index.html").read_text() == "made\n"
    assert "typst" in (tmp_path / "site" / "config.txt").read_text()
    assert "quarto 9.9.9" in report.sentence()


def test_a_quarto_that_fails_is_said_and_the_embedded_engine_serves_where_auto_was_asked(
    rel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "quarto").write_text("#!/bin/sh\necho 'no kernel here' >&2\nexit 1\n")
    (folder / "quarto").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    with pytest.raises(Refusal, match="no kernel here"):
        render(rel, "html", "quarto", tmp_path / "site")
    assert not (tmp_path / "site").exists()

    def embedded(work: Path, site: Path, *args: Any, **more: Any) -> None:
        (site / "index.html").write_text("embedded")

    monkeypatch.setattr("reports.engine.embedded.render_embedded", embedded)
    report = render(rel, "html", "auto", tmp_path / "site")
    assert report.engine == "embedded"
    assert "no kernel here" in report.sentence()


def test_quarto_gets_the_dictionaries_with_their_cells_run_and_the_reports_with_theirs_to_run(
    rel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "quarto").write_text(
        "#!/bin/sh\nmkdir _site && cp -r *.qmd studies contracts _quarto.yml _site\n"
    )
    (folder / "quarto").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    render(rel, "html", "quarto", tmp_path / "site")
    text = (tmp_path / "site/contracts/offences.qmd").read_text()
    assert "engine: markdown" in text
    assert "```{python}" not in text
    assert "Codes of disposal" in text
    assert "```{python}" in (tmp_path / "site/studies/baltimore_life.qmd").read_text()
    assert "contracts/*.qmd" in (tmp_path / "site/_quarto.yml").read_text()


def test_a_site_without_html_has_no_dictionaries_and_no_links_to_them(rel: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    pages = prepare(work, read_releases(rel), ("pdf",))
    assert not (work / "contracts").exists()
    assert "contracts" not in (work / "_quarto.yml").read_text()
    from reports.engine.execute import execute
    from reports.engine.project import environment
    from reports.engine.subset import read_page

    texts = execute([read_page(p) for p in pages], cwd=work, environment=environment(work, rel))
    assert not any("contracts/" in text for text in texts)


@pytest.mark.parametrize(("to", "engine"), [("htm", "auto"), ("html", "quatro")])
def test_unknown_formats_and_engines_get_the_nearest_spelling(
    rel: Path, tmp_path: Path, to: str, engine: str
) -> None:
    with pytest.raises(Refusal, match=r"Did you mean '(html|quarto)'"):
        render(rel, to, engine, tmp_path / "site")


def test_a_page_that_looks_up_an_unknown_key_fails_and_says_which(rel: Path, tmp_path: Path) -> None:
    from reports.engine.execute import CellFailed, execute
    from reports.engine.subset import read_page

    page = tmp_path / "page.qmd"
    page.write_text(
        '```{python}\n#| include: false\nfrom reports.values import values\nv = values("baltimore_life")\n```\n\n'
        'Look: `{python} v("primary.valu")`.\n'
    )
    with pytest.raises(CellFailed, match=r"primary\.value") as failed:
        execute([read_page(page)], cwd=tmp_path, environment={"DESIST_RELEASE": str(rel)})
    assert failed.value.where == "page.qmd: page.qmd, line 6"


def test_pages_without_a_release_say_what_to_run(tmp_path: Path) -> None:
    from reports.engine.execute import execute
    from reports.engine.subset import read_page

    root = Path(render_module.__file__).parent
    pages = [read_page(root / "index.qmd"), read_page(root / "studies" / "baltimore_life.qmd")]
    texts = execute(pages, cwd=tmp_path, environment={"DESIST_RELEASE": str(tmp_path / "nothing")})
    assert all("make demo" in text for text in texts)
    assert "contracts/index.html" in texts[0]
    listed = execute(
        [read_page(root / "contracts" / name) for name in ("index.qmd", "offences.qmd")],
        cwd=tmp_path,
        environment={"DESIST_RELEASE": str(tmp_path / "nothing")},
    )
    assert "](offences.qmd)" in listed[0]
    assert "Codes of disposal" in listed[1]
    assert "\\[x\\]" in texts[1]
