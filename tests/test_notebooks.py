"""Every notebook runs from top to bottom, and is committed without outputs."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "clear the outputs before committing"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = [
        "".join(text)
        for cell in notebook.cells
        for out in cell.get("outputs", [])
        for kind, text in out.get("data", {}).items()
        if kind == "text/html"
    ]
    if path.stem == "01_quickstart":
        assert any("<table" in text for text in shown), "no table"
    figures = [text for text in shown if "<svg" in text or "<img" in text]
    assert len(figures) >= 5, "fewer figures than the notebook asks for"
    assert all("alt=" in text or "aria-label" in text or "<desc" in text for text in figures)
