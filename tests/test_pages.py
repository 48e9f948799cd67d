"""Pages: nothing outside the subset, no inline code but a look-up, no typed digit, every key there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from data_contracts.disclosure import load_policy
from data_contracts.read import feed_names
from experiments.load import find_study, load_protocol, study_names
from reports.dictionaries import COMMITTED, dictionary
from reports.dictionary_page import dictionary_page
from reports.engine.project import PROJECT
from reports.engine.subset import LOOKUP, Cell, OutsideSubset, Prose, read_page
from reports.release import release
from reports.study_page import section_files, study_page
from reports.values import Values
from synthetic_run import run_content, write_run

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "reports"
MAY_BE_EMPTY = {"study.note", "deviations.headline"}
PAGES = sorted([REPORTS / "index.qmd", *(REPORTS / "studies").glob("*.qmd"), *COMMITTED.glob("*.qmd")])


@pytest.fixture(scope="module")
def v(tmp_path_factory: pytest.TempPathFactory) -> Values:
    base = tmp_path_factory.mktemp("pages")
    return release(write_run(base / "run", *run_content()), load_policy("open_data"), base / "rel").values


@pytest.mark.parametrize("path", PAGES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_page_is_in_the_subset(path: Path) -> None:
    page = read_page(path)
    assert page.front["title"]
    assert page.parts


@pytest.mark.parametrize("path", section_files(), ids=lambda p: p.name)
def test_every_section_looks_up_keys_that_exist_and_computes_nothing(path: Path, v: Values) -> None:
    page = read_page(path)
    for part in page.parts:
        if isinstance(part, Prose):
            assert all(LOOKUP.match(expression) for expression in part.expressions)
    for key in page.keys:
        assert key in v.texts, f"{path.name} looks up {key}"
        assert v(key) or key in MAY_BE_EMPTY


def test_sections_are_numbered_and_all_are_on_the_page() -> None:
    names = [path.name for path in section_files()]
    assert len(names) == len(list((REPORTS / "sections").glob("*.qmd")))
    text = (REPORTS / "studies" / "baltimore_life.qmd").read_text(encoding="utf-8")
    assert [text.index(name) for name in names] == sorted(text.index(name) for name in names)


@pytest.mark.parametrize("study", ["baltimore_life"])
def test_a_committed_page_is_the_template_for_its_study(study: str) -> None:
    assert study in study_names()
    title = load_protocol(find_study(study)).title
    assert (REPORTS / "studies" / f"{study}.qmd").read_text(encoding="utf-8") == study_page(study, title)


@pytest.mark.parametrize("feed", feed_names())
def test_every_feed_has_the_page_of_its_dictionary(feed: str) -> None:
    page = COMMITTED / f"{feed}.qmd"
    remedy = "write it with: python -m reports.dictionary_page"
    assert page.is_file(), remedy
    assert page.read_text(encoding="utf-8") == dictionary_page(dictionary(feed)), remedy


def test_no_dictionary_stands_without_its_feed() -> None:
    assert {page.stem for page in COMMITTED.glob("*.qmd")} == {"index", *feed_names()}


def test_every_cell_prints_something_that_exists() -> None:
    import reports.tables
    from reports.figures import DRAWN

    calls = [p.code for path in PAGES for p in read_page(path).parts if isinstance(p, Cell) and p.shown]
    assert len(calls) > 15
    for code in calls:
        name = code.split("(")[1]
        if name.startswith("tables."):
            assert name.removeprefix("tables.") in reports.tables.__all__
        else:
            assert code.split('"')[1] in DRAWN


def test_the_project_at_the_root_is_the_one_that_is_rendered() -> None:
    root = yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8").replace("reports/", ""))
    made = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))
    assert root["project"].pop("pre-render") == "desist/pre_render.py"
    assert root["project"].pop("output-dir") == "build/site"
    made["project"].pop("output-dir")
    assert root == made
    assert (root["lang"], root["execute"]["freeze"]) == ("en-GB", False)
    assert root["format"]["html"]["html-math-method"] == "mathml"


@pytest.mark.parametrize(
    "text",
    [
        "Reoffending fell by 8 in a hundred.",
        'It fell by `{python} round(v("primary.value"))`.',
        'It fell by `{python} v("primary.value") + v("primary.n")`.',
        "It fell by `{python} 1 + 1`.",
        "It fell by `{r} x`.",
        "{{< env HOME >}}",
        "{{< include ../sections/_missing.qmd >}}",
        "Some <b>bold</b> HTML.",
        "<script>alert</script>",
        "```{=html}\n<p>\n```",
        "```{r}\nx\n```",
        "```python\nx\n```",
        "::: {.panel-tabset}\n:::",
        "Energy is $mc^two$.",
        "See [this](https://example.org).",
        "A claim.[^note]",
        "```{python}\n#| output: asis\nprint(tables.glance(v)); print(v)\n```",
        "```{python}\n#| output: asis\nprint(v('primary.value'))\n```",
        "```{python}\n#| output: asis\nprint(tables.glance(v) + 'x')\n```",
        "```{python}\n#| echo: true\nprint(tables.glance(v))\n```",
        "```{python}\nprint(tables.glance(v))\n```",
        "```{python}\n#| include: false\nimport os\n```",
        "```{python}\n#| include: false\nx = 1\n```",
        "```{python}\n#| include: false\nv = values('x' + 'y')\n```",
        "```{python}\nnever ends",
        "```{python}\n#| include: false\nd = dictionary('x' + 'y')\n```",
        "```{python}\n#| include: false\nd = dictionary('../x')\n```",
        "```{python}\n#| output: asis\nprint(tables.about(d, v))\n```",
        "---\ntitle: x\nformat: pdf\n---\n",
        "---\ntitle: x\nformat: {html: {toc: false}}\n---\n",
        "---\ntitle: x\nengine: markdown\n---\n",
    ],
)
def test_what_is_outside_the_subset_is_refused_with_file_and_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "page.qmd"
    path.write_text(text + "\n")
    with pytest.raises(OutsideSubset, match=r"page\.qmd, line \d+"):
        read_page(path)


def test_a_title_cannot_break_out_of_the_front_matter(tmp_path: Path) -> None:
    path = tmp_path / "studies" / "x.qmd"
    path.parent.mkdir()
    (tmp_path / "sections").symlink_to(REPORTS / "sections")
    path.write_text(study_page("x", 'Evil"\n---\n\n```{python}\nimport os\n``` {{< env HOME >}}'))
    page = read_page(path)
    assert page.front["title"].startswith('Evil" ---')
    assert len([p for p in page.parts if isinstance(p, Cell) and not p.shown]) == 1
