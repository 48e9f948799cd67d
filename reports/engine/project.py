"""The working folder of a render: a Quarto project with one page for each study of the release."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

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
    wanted = {"html": "html", "pdf": "typst", "docx": "docx"}
    known = config["format"]
    config["format"] = {wanted[name]: known.get(wanted[name], "default") for name in formats}
    (work / "_quarto.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return pages


def environment(work: Path, release_folder: Path) -> dict[str, str]:
    """What the pages' cells are told: where the release is, and where figures go."""
    return {
        "DESIST_RELEASE": str(release_folder.resolve()),
        "DESIST_FIGURES": str((work / "studies" / "figures").resolve()),
    }
