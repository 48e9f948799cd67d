"""The working folder of a render: a Quarto project with a page for each study of the release.

Where HTML is asked for, it also has the data dictionaries: those of the shipped feeds, and one for each
table that a study read by another contract than a feed's.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from reports.dictionaries import COMMITTED, PLACE, of_study
from reports.dictionary_page import dictionary_page
from reports.release import Release
from reports.study_page import section_files, study_page

REPORTS = Path(__file__).resolve().parents[1]
PROJECT = Path(__file__).with_name("project.yml")


def prepare(work: Path, releases: Sequence[Release], formats: Sequence[str]) -> list[Path]:
    """Write the project to `work` and return its pages, the index first."""
    (work / "studies" / "figures").mkdir(parents=True)
    (work / "sections").mkdir()
    for path in section_files():
        shutil.copyfile(path, work / "sections" / path.name)
    shutil.copyfile(REPORTS / "index.qmd", work / "index.qmd")
    shutil.copyfile(REPORTS / "site.css", work / "site.css")
    pages = [work / "index.qmd"]
    for release in releases:
        page = work / "studies" / f"{release.study}.qmd"
        page.write_text(study_page(release.study, release.title), encoding="utf-8")
        pages.append(page)
    config = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))
    if "html" in formats:
        pages += _dictionaries(work / "contracts", releases)
    else:
        config["project"]["render"].remove("contracts/*.qmd")
        config["website"]["navbar"]["left"].pop()
    wanted = {"html": "html", "pdf": "typst", "docx": "docx"}
    known = config["format"]
    config["format"] = {wanted[name]: known.get(wanted[name], "default") for name in formats}
    (work / "_quarto.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return pages


def _dictionaries(folder: Path, releases: Sequence[Release]) -> list[Path]:
    """Write the dictionaries' pages to `folder`, the list of them first."""
    folder.mkdir()
    for path in COMMITTED.glob("*.qmd"):
        shutil.copyfile(path, folder / path.name)
    for found in (d for release in releases for d in of_study(release.values) if d.study):
        (folder / f"{found.page}.qmd").write_text(dictionary_page(found), encoding="utf-8")
    return [folder / "index.qmd", *sorted(p for p in folder.glob("*.qmd") if p.stem != "index")]


def environment(work: Path, release_folder: Path) -> dict[str, str]:
    """What the pages' cells are told: where the release is, where figures go, which dictionaries there are."""
    return {
        "DESIST_RELEASE": str(release_folder.resolve()),
        "DESIST_FIGURES": str((work / "studies" / "figures").resolve()),
        PLACE: str((work / "contracts").resolve()),
    }
